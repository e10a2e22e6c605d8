"""``request``: a Service Request, the whole way; ``requests variants``: which there are."""

from __future__ import annotations

import argparse
import hashlib
from contextlib import AsyncExitStack
from pathlib import Path

from devices.profile import Profile, available, gas
from emulator.cli import custody_options, failures, mqtt, options, parties, recording, running
from emulator.cli.ledger_view import print_ledger, print_shortfall
from emulator.cli.output import print_json, print_table
from emulator.control.client import ask
from emulator.profiles import load
from emulator.requests.arguments import ArgumentError, Type
from emulator.requests.describing import argument_json, describe
from emulator.requests.response import Response
from emulator.requests.user import ROLES
from emulator.requests.variant import Variant
from emulator.requests.variants import find, variants
from emulator.workspace import CONTROL, Workspace

_IMAGE = "image_hash"
_MAX_IMAGE = 1 << 24


def register(subparsers: options.SubParsers) -> None:
    request = subparsers.add_parser(
        "request",
        help="send a SMETS1 Service Request as a User",
        description="The User signs it, the DSP countersigns, the S1SP and for critical ones the"
        " DCO check it; the SMETS1 Response is printed.",
    )
    options.add_meter(request)
    request.add_argument("variant", help="for example 2.2: 'cosemlab requests variants' lists them")
    request.add_argument("arguments", nargs="*", metavar="ARG=VALUE", help="a time may be now")
    request.add_argument(
        "--as",
        dest="user",
        metavar="USER",
        default="",
        help=f"{', '.join(ROLES)} or the name of a supplier"
        " (default: the responsible supplier, by the inventory)",
    )
    request.add_argument("--image", type=Path, metavar="FILE", help="firmware, for 11.1")
    options.add_workspace(request)
    options.add_database(request)
    custody_options.add_custody(request)
    options.add_keylog(request)
    mqtt.add_mqtt(request)
    options.add_json(request)
    request.add_argument("--ledger", action="store_true", help="print the ledger afterwards")
    request.set_defaults(run=lambda args: failures.run(_request(args)))

    requests = subparsers.add_parser("requests", help="what Service Requests there are")
    commands = requests.add_subparsers(dest="what", metavar="WHAT", required=True)
    listing = commands.add_parser(
        "variants", help="Service Reference Variants, and what each becomes at a meter"
    )
    listing.add_argument("--profile", metavar="NAME", help="a profile, or a path (default: all)")
    options.add_json(listing)
    listing.set_defaults(run=lambda args: failures.guard(lambda: _variants(args)))


async def _request(args: argparse.Namespace) -> int:
    workspace = Workspace(args.workspace)
    meter, profile = running.find_meter(workspace, args.meter)
    variant = find(args.variant, "cosemlab")
    given = await _given(args, variant)
    payload = None if args.image is None else _image(args.image)
    if payload is not None and _IMAGE in variant.arguments:
        given.setdefault(_IMAGE, hashlib.sha256(payload).hexdigest())
    async with AsyncExitStack() as stack:
        on_entry = await stack.enter_async_context(mqtt.ledger_published(args))
        recorded = recording.recorded(workspace.database(args.database), on_entry)
        ledger = stack.enter_context(recorded)
        with parties.head_end(workspace, args, ledger, meter, profile, args.user) as head_end:
            requests = head_end.requests
            signed = requests.user.request(variant.number, meter.title, profile, given)
            response = await requests.submit(signed, meter, profile, payload)
    entries = {"ledger": [entry.to_json() for entry in ledger]} if args.ledger else {}
    if args.json:
        print_json({**response.to_json(), **entries})
    else:
        show_response(response)
        if args.ledger:
            print()
            print_ledger(ledger)
            print_shortfall(ledger)
    return exit_of(response)


def show_response(response: Response) -> None:
    """The SMETS1 Response for people."""
    document = response.to_json()
    rows = [(name.replace("_", " "), str(document[name])) for name in _SHOWN]
    rows += [(name.replace("_", " "), str(value)) for name, value in document["values"].items()]
    if response.reason:
        rows += [("reason", response.reason), ("why", response.text)]
    print_table(rows)


_SHOWN = ("request_id", "device", "variant", "name", "result", "from")


def exit_of(response: Response) -> failures.Exit:
    if response.cause is None:
        return failures.Exit.DONE
    return failures.status_of(response.cause) or failures.Exit.FAILED


async def _given(args: argparse.Namespace, variant: Variant) -> dict[str, object]:
    given: dict[str, object] = {}
    for word in args.arguments:
        name, equals, value = word.partition("=")
        if not equals:
            raise ArgumentError(f"{word!r} is not written ARG=VALUE")
        if name in given:
            raise ArgumentError(f"argument {name} comes twice")
        argument = variant.arguments.get(name)
        if argument is not None and argument.type is Type.TIME and value == "now":
            value = (await ask(args.workspace / CONTROL, "clock"))["now"]  # as the sandbox has it
        given[name] = value
    return given


def _image(file: Path) -> bytes:
    """``ValueError`` if it cannot be read: no fault of a connection's."""
    try:
        if file.stat().st_size > _MAX_IMAGE:
            raise ValueError(f"{file}: more than {_MAX_IMAGE} octets")
        return file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from None


def _variants(args: argparse.Namespace) -> int:
    names = [args.profile] if args.profile else [*available(), *gas()]
    profiles = [load(name) for name in names]
    if args.json:
        print_json([_variant_json(variant, profiles) for variant in variants().values()])
        return failures.Exit.DONE
    rows = [row for variant in variants().values() for row in _rows(variant, profiles)]
    print_table(rows, ("number", "name", "critical", "sent by", "at", "through", "becomes"))
    return failures.Exit.DONE


def _rows(variant: Variant, profiles: list[Profile]) -> list[tuple[str, ...]]:
    """A row for each different thing that it becomes, with the profiles where it does."""
    found: dict[tuple[str, str], list[str]] = {}
    for profile in profiles:
        said = describe(variant, profile)
        text = said.becomes
        if said.why_not:
            missing = said.why_not.replace(f" such as {profile.name}", "")
            text = f"cannot: {missing.replace(profile.name, 'it')}"
        found.setdefault((said.through or "-", text), []).append(profile.name)
    critical = "yes" if variant.critical else "no"
    head = (variant.number, variant.name, critical, ", ".join(variant.senders))
    everywhere = len(found) == 1 and len(profiles) > 1
    return [
        (*(head if number == 0 else ("",) * 4), "all" if everywhere else ", ".join(at), *what)
        for number, (what, at) in enumerate(found.items())
    ]


def _variant_json(variant: Variant, profiles: list[Profile]) -> dict[str, object]:
    return {
        "number": variant.number,
        "name": variant.name,
        "critical": variant.critical,
        "provenance": variant.provenance,
        "senders": list(variant.senders),
        "arguments": {name: argument_json(row) for name, row in variant.arguments.items()},
        "profiles": {p.name: describe(variant, p)._asdict() for p in profiles},
    }
