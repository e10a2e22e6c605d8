"""What several families draw."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

from dlms.axdr.data import octet_string
from emulator.fuzz import actions
from emulator.fuzz.actions import Action, NewKey
from emulator.fuzz.machine.palette import NAME, NOTE, Palette
from emulator.fuzz.twist import Twist

SELDOM = (False,) * 7 + (True,)
"""Whether a client does without what a proper one would do before."""

SETS_OF_KEYS = (("GUEK",), ("GAK",), ("GUEK", "GAK"), ("KEK",), ("GBEK",), ("GUEK", "GAK", "KEK"))
"""Kinds that are replaced together."""


class Base(NamedTuple):
    """Something proper, that is then made wrong."""

    name: str
    make: Callable[[str], Action]


def twisted(action: Action, twist: Twist) -> Action:
    spoken: Any = action
    result: Action = dataclasses.replace(spoken, twist=twist)
    return result


def bases(palette: Palette) -> tuple[Base, ...]:
    """Of everything that a client says in an association."""
    found = [
        Base("get", lambda client: actions.Get(client=client, attribute=NAME)),
        Base("set", write),
        Base("rotate", lambda client: actions.Rotate(client=client, kinds=("GUEK",))),
        Base("rotate all", lambda client: actions.Rotate(client=client, kinds=SETS_OF_KEYS[-1])),
        Base("rotate gak", lambda client: actions.Rotate(client=client, kinds=("GAK",))),
        Base("transfer", _transfer),
    ]
    if palette.agreeing:
        found.append(Base("agree", lambda client: actions.Agree(client=client, kinds=("GUEK",))))
    return tuple(found)


def write(client: str) -> Action:
    return actions.Set(client=client, attribute=NOTE, value=octet_string(b"\x07"))


def _transfer(client: str) -> Action:
    return actions.Transfer(client=client, entries=(NewKey(key_id=0), NewKey(key_id=2)))
