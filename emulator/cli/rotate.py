"""``rotate``: new keys for a party's association with a meter.

A running sandbox can be asked for it, too, by the action ``keys.rotate``: a head end of its own
does it then.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from devices.profile import Profile
from dlms.errors import DlmsError
from dlms.security.keys import KeyKind
from dlms.words import words
from emulator.cli import meter, options, parties, recording, running
from emulator.control import Control, Scope
from emulator.control.arguments import Argument, Kind
from emulator.control.errors import refused
from emulator.custody import Mode
from emulator.custody.file import SOFTWARE
from emulator.database import DatabaseError
from emulator.head_end.services import HeadEnd
from emulator.ledger import Entry, LedgerError
from emulator.meter_address import MeterAddress
from emulator.policy import LETTER, Actor
from emulator.rotation.planning import ROTATED
from emulator.workspace import Workspace

KINDS = {word: kind for word, kind in words(KeyKind).items() if kind in ROTATED}
PARTIES = {actor.value.lower(): actor for actor in (Actor.S1SP, Actor.DCO)}

ARGUMENTS = (
    Argument(
        name="party",
        kind=Kind.TEXT,
        required=True,
        choices=tuple(PARTIES),
        help="whose association it is",
    ),
    Argument(
        name="kind", kind=Kind.TEXT, required=True, choices=tuple(KINDS), help="which key is new"
    ),
)


def register(subparsers: options.SubParsers) -> None:
    rotate = subparsers.add_parser(
        "rotate",
        help="give a meter new keys, wrapped under its master key",
        description="All of them are replaced or none. If the meter's answer is lost, the next"
        " command finds out which keys it has.",
    )
    options.add_meter(rotate)
    rotate.add_argument(
        "kinds", nargs="+", choices=tuple(KINDS), metavar="KIND", help=f"{{{','.join(KINDS)}}}"
    )
    rotate.add_argument("--party", choices=tuple(PARTIES), default="s1sp", help="default: s1sp")
    meter.finish(rotate, _rotate)


async def _rotate(
    args: argparse.Namespace, head_end: HeadEnd, address: MeterAddress, profile: Profile
) -> dict[str, object]:
    kinds = [KINDS[kind] for kind in dict.fromkeys(args.kinds)]
    await head_end.rotate(address, profile, PARTIES[args.party], kinds)
    return {"rotated": ", ".join(dict.fromkeys(args.kinds)), "of": args.party}


def offer(
    control: Control,
    workspace: Workspace,
    on_entry: Callable[[Entry], None],
    database: str | None = None,
) -> None:
    """Let a running sandbox be asked for it; ``on_entry`` is told what goes into the ledger, which
    is in the ``database`` of that URL or that of the workspace.
    """

    async def handler(name: str, given: dict[str, Any]) -> dict[str, object]:
        address, profile = running.find_meter(workspace, name)
        args = argparse.Namespace(
            mode=Mode.OBSERVE.value,
            edition=LETTER.name,
            keylog=None,
            modules=SOFTWARE,
            database=database,
        )
        actor = PARTIES[given["party"]]
        try:
            with (
                recording.recorded(workspace.database(database), on_entry, keep=False) as ledger,
                parties.head_end(workspace, args, ledger, address, profile) as head_end,
            ):
                await head_end.rotate(address, profile, actor, (KINDS[given["kind"]],))
        except (DlmsError, OSError, LedgerError, DatabaseError) as error:
            raise refused(str(error) or type(error).__name__) from error
        return {"rotated": given["kind"], "of": given["party"]}

    control.register(
        "keys.rotate",
        handler,
        arguments=ARGUMENTS,
        help="the head end gives a meter a new key, wrapped under its master key",
        meter=Scope.METER,
    )
