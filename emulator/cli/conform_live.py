"""The draft of a declaration from a live meter, as ``conform declare --host`` asks for it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from dlms.acse.names import ApplicationContext, Mechanism, Referencing
from dlms.cosem import obis
from dlms.security.control import Protection
from dlms.words import member
from dlms.xdlms.conformance import Conformance
from emulator.cli import options
from emulator.client import key_file as any_key_file
from emulator.client.association import Client
from emulator.client.keys import Keys
from emulator.client.options import (
    MANAGEMENT_DEVICE,
    OFFERED,
    OFFERED_BY_SHORT_NAME,
    PUBLIC_CLIENT,
    Options,
)
from emulator.client.plan import plan
from emulator.conformance.declaration import key_file
from emulator.conformance.declaration.drafting import Draft, Given, draft, rows
from emulator.conformance.declaration.fields import TITLE_LENGTH
from emulator.conformance.declaration.model import DeclaredHdlc, DeclaredWay, Timing, WayKind
from emulator.conformance.declaration.rendering import FILL_IN
from emulator.conformance.declaration.routes import route
from emulator.conformance.declaration.ways import HDLC_KINDS, LINE_KINDS

_OCTETS = (2, 4)
"""Of an address with a lower part (IEC 62056-46, 6.4.2.2)."""
_SAP = options.whole(1, 0xFFFF)
_ALL = (
    OFFERED
    | Conformance.ATTRIBUTE0_WITH_GET
    | Conformance.ATTRIBUTE0_WITH_SET
    | Conformance.PRIORITY_MANAGEMENT
)
_ALL_BY_SHORT_NAME = OFFERED_BY_SHORT_NAME | Conformance.INFORMATION_REPORT
"""All services are proposed, so that what is agreed to is what the meter has."""


def add_way(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--host", help="its address, or the path of a tty")
    group.add_argument("--port", type=options.whole(1, 0xFFFF), default=4059, help="default: 4059")
    group.add_argument("--baud", type=int, default=9600, help="of a serial line (default: 9600)")
    for name, what in (("ca", "whom to believe"), ("certificate", "who we are"), ("key", "ours")):
        group.add_argument(f"--{name}", default="", metavar="PEM", help=f"TLS: {what}")
    group.add_argument(
        "--physical", type=options.whole(0, 0x3FFF), default=0, metavar="N",
        help="HDLC: the lower part of its address (default: an address of one octet)",
    )  # fmt: skip
    group.add_argument(
        "--address-octets", type=int, choices=_OCTETS, default=4, help="with --physical; default: 4"
    )
    group.add_argument(
        "--timeout", type=float, default=5.0, metavar="S", help="seconds for answers"
    )


def add_association(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--association", default="", metavar="NAME", help="what to call it")
    group.add_argument(
        "--client-sap", type=_SAP, default=PUBLIC_CLIENT, metavar="N", help="default: 16, public"
    )
    group.add_argument(
        "--server-sap", type=_SAP, default=MANAGEMENT_DEVICE, metavar="N", help="default: 1"
    )
    group.add_argument(
        "--mechanism", default="none", help="none, lls, hls-gmac, ... (default: none)"
    )
    group.add_argument("--suite", type=int, choices=(0, 1, 2), default=0, help="default: 0")
    group.add_argument("--key-file", type=Path, metavar="FILE", help="where its keys are")
    group.add_argument("--keys", default="", metavar="NAME", help="the entry of the key file")
    group.add_argument("--own-title", default="", metavar="HEX", help="our system title")
    group.add_argument("--counter-from", default="", metavar="OBIS", help="shows the counter")
    group.add_argument("--user", type=options.whole(0, 0xFF), metavar="ID", help="a user id")
    group.add_argument("--dedicated", action="store_true", help="use a dedicated key")
    group.add_argument("--short-names", action="store_true", help="short name referencing")
    group.add_argument(
        "--protection", choices=["authenticated", "encrypted", "both"], default="both",
        help="of requests, where there is a guek (default: both)",
    )  # fmt: skip


async def drafted(args: argparse.Namespace) -> Draft:
    """:class:`~emulator.client.errors.ClientError` and ``OSError`` if it cannot be opened."""
    given, keys = _given(args)
    _check_keys(given, keys)
    how = _options(given, keys)
    plan(given.name, how)  # what cannot be opened is said before anybody is called
    where = route(given.way, given.hdlc, given.timing)
    async with (
        Client(where, args.timeout) as client,
        client.associate(**how) as association,
    ):
        made = await draft(association, given)
    remarks = {("name",): f"{FILL_IN} what it is, and its firmware", **made.remarks}
    return Draft(made.declaration, remarks)


def _given(args: argparse.Namespace) -> tuple[Given, Keys]:
    keys = _keys(args)
    kind = WayKind(args.way)
    ciphered = keys.guek is not None
    naming = "SN" if args.short_names else "LN"
    return (
        Given(
            name=args.host,
            way=_way(args, kind),
            hdlc=_hdlc(args, kind),
            timing=Timing(answer=args.timeout),
            association=args.association or _called(args),
            client_sap=args.client_sap,
            server_sap=args.server_sap,
            context=ApplicationContext[naming + ("_CIPHERED" if ciphered else "")],
            mechanism=member(Mechanism, args.mechanism),
            suite=args.suite,
            protection=_protection(args.protection) if ciphered else Protection.NONE,
            dedicated=args.dedicated,
            keys=args.keys,
            key_file="" if args.key_file is None else os.path.abspath(args.key_file),
            own_title=_title(args.own_title),
            counter_from=obis.parse(args.counter_from) if args.counter_from else b"",
            user=args.user,
        ),
        keys,
    )


def _title(written: str) -> bytes:
    title = bytes.fromhex(written)
    if title and len(title) != TITLE_LENGTH:
        raise ValueError(f"--own-title: a system title has 8 octets, not {len(title)}")
    return title


def _keys(args: argparse.Namespace) -> Keys:
    if not args.keys:
        return Keys()
    if args.key_file is None:
        raise ValueError("--keys is an entry of a --key-file")
    there = any_key_file.load(args.key_file)
    if args.keys not in there:
        known = ", ".join(there)
        raise ValueError(f"{args.key_file} has no entry {args.keys!r}; there are: {known}")
    return there[args.keys]


def _check_keys(given: Given, keys: Keys) -> None:
    """``ValueError`` names what is missing, and where it belongs."""
    row = rows.opened(given, Conformance(0), 0).make()
    missing = [name for name in key_file.needed(row) if getattr(keys, name) is None]
    if missing:
        raise ValueError(
            f"{given.mechanism.name} with {given.context.name} needs {', '.join(missing)}:"
            " --key-file has it, --keys names its entry"
        )


def _way(args: argparse.Namespace, kind: WayKind) -> DeclaredWay:
    files = {name: getattr(args, name) for name in ("ca", "certificate", "key")}
    if kind is WayKind.TLS:
        missing = [f"--{name}" for name, path in files.items() if not path]
        if missing:
            raise ValueError(f"TLS takes certificates: {', '.join(missing)}")
        files = {name: os.path.abspath(path) for name, path in files.items()}
    elif any(files.values()):
        raise ValueError("certificates go with --way tls")
    port = 0 if kind in LINE_KINDS else args.port
    baud = args.baud if kind is WayKind.SERIAL else 9600
    return DeclaredWay(kind=kind, host=args.host, port=port, baud=baud, **files)


def _hdlc(args: argparse.Namespace, kind: WayKind) -> DeclaredHdlc:
    if kind not in HDLC_KINDS or not args.physical:
        return DeclaredHdlc()
    return DeclaredHdlc(address=args.address_octets, physical=args.physical)


def _called(args: argparse.Namespace) -> str:
    return "public" if args.client_sap == PUBLIC_CLIENT else f"client{args.client_sap}"


def _protection(word: str) -> Protection:
    return Protection[word.upper()]


def _options(given: Given, keys: Keys) -> Options:
    short = given.context.referencing is Referencing.SHORT_NAME
    found = Options(
        client_sap=given.client_sap,
        server_sap=given.server_sap,
        mechanism=given.mechanism,
        keys=keys,
        suite=given.suite,
        dedicated=given.dedicated,
        short_names=short,
        conformance=_ALL_BY_SHORT_NAME if short else _ALL,
        timeout=given.timing.answer,
    )
    if given.protection:
        found["protection"] = given.protection
    if given.own_title:
        found["own_title"] = given.own_title
    if given.counter_from:
        found["counter_from"] = given.counter_from
    if given.user is not None:
        found["user"] = given.user
    return found
