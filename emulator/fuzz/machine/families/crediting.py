"""Tokens: right, twice, old, and with other digits."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.actions import NewKey
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.twist import STRAIGHT, Edit, EditKind, Edits, Lost, Twist

TOKEN_KEY_ID = 128
_BEFALLS = (
    STRAIGHT,
    STRAIGHT,
    Twist(lose=Lost.RESPONSE),
    Twist(cut=0),
    Twist(cut=1),
    Twist(cut=2),
)
_DIGITS: tuple[Edits, ...] = (
    (),
    (),
    (Edit(kind=EditKind.PUT, at=5, octets=b"0"),),
    (Edit(kind=EditKind.FLIP, at=-1, octets=b"\x01"),),
    (Edit(kind=EditKind.KEEP, count=19),),
)
_WHO = "s1sp"


def moves(palette: Palette) -> Iterator[Move]:
    if not palette.takes_tokens:
        return
    tellers = ("", *(name for name in palette.clients if palette.scope(name) == _WHO))

    def enter(plot: Plot, client: str, counter: int, key: str, digits: Edits, twist: Twist) -> None:
        if client and not plot.ready(client):
            return
        if twist.lose is not Lost.NOTHING and not client:
            twist = STRAIGHT
        plot.do(
            actions.Token(
                client=client, pence=100, counter=counter, key=key, digits=digits, twist=twist
            )
        )

    def change_key(plot: Plot, client: str) -> None:
        if plot.ready(client):
            entries = (NewKey(key_id=TOKEN_KEY_ID),)
            plot.do(actions.Transfer(client=client, entries=entries))

    draws = {
        "client": tellers,
        "counter": tuple(range(1, 7)),
        "key": ("current",) * 4 + ("former",),
        "digits": _DIGITS,
        "twist": _BEFALLS,
    }
    yield Move("token", enter, draws, weight=8)
    if len(tellers) > 1:
        yield Move("token key", change_key, {"client": tellers[1:]})
