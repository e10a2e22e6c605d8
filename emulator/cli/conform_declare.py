"""``conform declare``: the declaration of a device under test, drafted from a live meter; of a
meter of the sandbox, the whole of it with its keys.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from devices.profile import Profile
from dlms.security.keys import KeyKind, KeyRef
from emulator.cli import conform_live, failures, options, running
from emulator.cli.meter import in_force, installed
from emulator.cli.output import print_json, print_table
from emulator.client.keys import Keys
from emulator.conformance.declaration import key_file, of_profile, parse, render
from emulator.conformance.declaration.drafting import Draft
from emulator.conformance.declaration.model import (
    WayKind,
)
from emulator.conformance.declaration.rendering import FILL_IN
from emulator.head_end.known_keys import KnownKeys
from emulator.meter_address import MeterAddress
from emulator.policy import Actor
from emulator.workspace import Workspace

OUTPUT = Path("declaration.toml")
_OCTETS = (1, 2, 4)


def register(whats: options.SubParsers) -> None:
    declare = whats.add_parser(
        "declare",
        help="write the declaration of a device under test, as far as it can be read from a meter",
        description="Of a meter of a running sandbox, by its name: the whole declaration, and a key"
        " file beside it. Of any other, with --host: a draft, in which every value says where it"
        " was read, and 'fill in:' stands where it could not be.",
    )
    declare.add_argument("meter", nargs="?", help="a meter of the sandbox, as 'up' prints it")
    declare.add_argument(
        "--output", "-o", type=Path, default=OUTPUT, metavar="FILE",
        help=f"a new file (default: {OUTPUT}); keys go beside it, as FILE's name with .keys.toml",
    )  # fmt: skip
    declare.add_argument(
        "--way", choices=[kind.value for kind in WayKind], default=WayKind.TCP.value,
        help="how to reach it (default: tcp); hdlc is over TCP, serial and optical are at a tty",
    )  # fmt: skip
    options.add_json(declare)
    options.add_workspace(declare)
    options.add_database(declare)
    sandbox = declare.add_argument_group("a meter of the sandbox")
    sandbox.add_argument("--image", default="", metavar="FILE", help="an image for it")
    sandbox.add_argument(
        "--spend", action="store_true", help="declare that what cannot be undone may be done to it"
    )
    conform_live.add_way(declare.add_argument_group("any other meter"))
    conform_live.add_association(declare.add_argument_group("the association to open there"))
    declare.set_defaults(run=lambda args: failures.run(_declare(args)))


async def _declare(args: argparse.Namespace) -> int:
    if (args.meter is None) is (args.host is None):
        raise ValueError("name a meter of the sandbox, or say --host: one of the two")
    if args.output.exists():
        raise ValueError(f"{args.output} is there already: a declaration is not written over")
    if args.meter is not None:
        key_path = _absolute(args.output.with_suffix(".keys.toml"))
        made, keys = await of_sandbox(args, args.meter, key_path)
    else:
        made, keys = await conform_live.drafted(args), None
    text = render(made.declaration, made.remarks, Path(_absolute(args.output.parent)))
    parse(text, str(args.output))  # what is written can be read
    if keys is not None:
        _save(Path(made.declaration.key_file), keys)
    with args.output.open("x", encoding="utf-8") as file:
        file.write(text)
    _report(args, made)
    return failures.Exit.DONE


def _save(path: Path, keys: dict[str, Keys]) -> None:
    try:
        key_file.save(path, keys, "Keys of a laboratory meter.")
    except FileExistsError:
        raise ValueError(f"{path} is there already: keys may be in it") from None


def _report(args: argparse.Namespace, made: Draft) -> None:
    declaration = made.declaration
    names = [one.name for one in declaration.associations]
    left = sum(FILL_IN in one for one in made.remarks.values())
    if args.json:
        print_json(
            {
                "declaration": str(args.output),
                "key_file": declaration.key_file or None,
                "associations": names,
                "features": {name: int(value) for name, value in declaration.features.items()},
                "to_fill_in": left,
            }
        )
        return
    rows = [("declaration", str(args.output))]
    if declaration.key_file:
        rows.append(("key file", declaration.key_file))
    rows.append(("associations", ", ".join(names)))
    rows.append(("to fill in", str(left) if left else "nothing"))
    print_table(rows)


# A meter of the sandbox ---------------------------------------------------------------------------


async def of_sandbox(
    args: argparse.Namespace, name: str, key_path: str = ""
) -> tuple[Draft, dict[str, Keys]]:
    """A meter of the sandbox, by its name, and its keys; ``key_path`` is where they will lie."""
    workspace = Workspace(args.workspace)
    meter, profile = running.find_meter(workspace, name)
    ring, titles = installed(workspace, args.database, meter, profile)
    rotated: dict[str, KnownKeys] = {}
    for row in of_profile.openable(profile):
        rotated[row.name] = await in_force(
            workspace.key_store(args.database), workspace.holds, ring, meter.title, row.name
        )

    def key(title: bytes, scope: str, kind: KeyKind) -> KeyRef:
        return rotated[scope].key(title, scope, kind)

    keys = of_profile.keys_of(profile, meter.title, ring, titles, key)
    how = of_profile.Circumstances(
        titles=titles,
        kind=WayKind(args.way),
        tls=_tester(workspace),
        issuer=_issuer(workspace),
        key_file=key_path,
        image=_absolute(args.image) if args.image else "",
        spend=args.spend,
    )
    declaration = of_profile.declare(profile, meter, how)
    return Draft(declaration, _left_out(profile, meter)), keys


def _tester(workspace: Workspace) -> of_profile.TlsFiles:
    """The S1SP's certificate: its title is the one that meters expect at their TLS port."""
    folder = Path(_absolute(workspace.path))
    name = Actor.S1SP.value.lower()
    return of_profile.TlsFiles(
        ca=str(folder / "pki" / "root.pem"),
        certificate=str(folder / "parties" / f"{name}.pem"),
        key=str(folder / "parties" / f"{name}.key"),
    )


def _issuer(workspace: Workspace) -> of_profile.Issuer:
    """The sandbox's issuing authority: bad certificates of the tester are its."""
    folder = Path(_absolute(workspace.path)) / "pki"
    return of_profile.Issuer(str(folder / "issuing.pem"), str(folder / "issuing.key"))


def _absolute(path: Path | str) -> str:
    """A declaration is read from elsewhere, perhaps."""
    return os.path.abspath(path)


def _left_out(profile: Profile, meter: MeterAddress) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {("title",): f"of meter {meter.name}"}
    names = ", ".join(row.name for row in of_profile.left_out(profile))
    if names:
        found[("associations",)] = f"left out, as no AARQ asks for them: {names}"
    return found
