"""Keys that are replaced: as a head end does it, by hand, and by hands that do it wrong."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.actions import NewKey
from emulator.fuzz.machine.drawing import SELDOM, SETS_OF_KEYS
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import STRAIGHT, Edit, EditKind, Lost, Twist

LOST = (STRAIGHT, STRAIGHT, Twist(lose=Lost.RESPONSE), Twist(lose=Lost.REQUEST))
_TURNED = (Edit(kind=EditKind.FLIP, at=-1, octets=b"\x01"),)
_SHORT = (Edit(kind=EditKind.KEEP, count=-8),)

_ARRAYS: tuple[tuple[NewKey, ...], ...] = (
    (NewKey(key_id=0),),
    (NewKey(key_id=3), NewKey(key_id=0)),
    (NewKey(key_id=2), NewKey(key_id=1)),
    (NewKey(key_id=0, under="GAK"),),
    (NewKey(key_id=0), NewKey(key_id=2, under="GUEK")),
    (NewKey(key_id=0), NewKey(key_id=2, edits=_TURNED)),
    (NewKey(key_id=2, edits=_TURNED), NewKey(key_id=0)),
    (NewKey(key_id=0, edits=_SHORT),),
    (NewKey(key_id=0), NewKey(key_id=0)),
    (NewKey(key_id=0), NewKey(key_id=4)),
    (NewKey(key_id=3), NewKey(key_id=0, under="new KEK")),
    (NewKey(key_id=0, key="GUEK"),),
    (NewKey(key_id=2, key="GAK"),),
    (NewKey(key_id=0, key="GAK"),),
    (NewKey(key_id=2, key="GUEK"),),
    (NewKey(key_id=0, key="zeros"),),
    (NewKey(key_id=2, key="title"),),
    (NewKey(key_id=0, length=24),),
    (NewKey(key_id=0, length=0),),
)
_FORMER = (
    (NewKey(key_id=0, key="former"),),
    (NewKey(key_id=2, key="former"),),
    (NewKey(key_id=0, under="former KEK"),),
)


def moves(palette: Palette) -> Iterator[Move]:
    if not palette.keyed:
        return
    clients = palette.keyed

    def rotate(plot: Plot, client: str, kinds: tuple[str, ...], twist: Twist, raw: bool) -> None:
        if plot.ready(client, raw):
            plot.do(actions.Rotate(client=client, kinds=kinds, twist=twist))

    def transfer(plot: Plot, client: str, entries: tuple[NewKey, ...], raw: bool) -> None:
        if plot.ready(client):
            plot.do(actions.Transfer(client=client, entries=entries, raw=raw))

    def back(plot: Plot, client: str, entries: tuple[NewKey, ...]) -> None:
        """A key that was there before, or something under a master key that was."""
        kind = "KEK" if entries[0].under != "KEK" else ("GUEK", "GBEK", "GAK")[entries[0].key_id]
        if plot.ready(client) and not plot.course.facts.versions.get(
            f"{palette.scope(client)}/{kind}"
        ):
            plot.do(actions.Rotate(client=client, kinds=(kind,)))
        if plot.ready(client) and _has_former(plot, client, kind):
            plot.do(actions.Transfer(client=client, entries=entries))

    def go_by_former(plot: Plot, client: str) -> None:
        """In with the keys of before, which must fail, and on with those in force."""
        if not plot.agrees(client):
            return
        if plot.do(actions.TakeKeys(client=client, which="former")) is not None:
            plot.do(actions.Open(client=client))
            plot.do(actions.TakeKeys(client=client, which="current"))

    def agree(plot: Plot, client: str, kinds: tuple[str, ...], twist: Twist) -> None:
        if plot.ready(client):
            plot.do(actions.Agree(client=client, kinds=kinds, twist=twist))

    def secret(plot: Plot, client: str, twist: Twist) -> None:
        if plot.ready(client):
            seen = plot.do(actions.ChangeSecret(client=client, twist=twist))
            if seen is Outcome.SILENCE:
                plot.do(actions.TakeKeys(client=client, which="current"))

    def certify(plot: Plot, client: str, how: tuple[str, str, str, str]) -> None:
        if plot.ready(client):
            whose, purpose, authority, usage = how
            plot.do(
                actions.Certify(
                    client=client, whose=whose, purpose=purpose, authority=authority, usage=usage
                )
            )

    draws = {"client": clients, "raw": SELDOM}
    kinds = SETS_OF_KEYS
    yield Move("rotate", rotate, {**draws, "kinds": kinds, "twist": LOST}, weight=3)
    yield Move("transfer", transfer, {**draws, "entries": _ARRAYS}, weight=3)
    yield Move("back", back, {"client": clients, "entries": _FORMER})
    yield Move("go by former", go_by_former, {"client": clients}, when=_something_changed)
    if palette.agreeing:
        agreeing = palette.agreeing
        several = (("GUEK",), ("GAK",), ("GUEK", "GAK"))
        yield Move("agree", agree, {"client": agreeing, "kinds": several, "twist": LOST})
        yield Move("certify", certify, {"client": agreeing, "how": _CERTIFICATES})
    if palette.secretive:
        secretive = palette.secretive
        yield Move("secret", secret, {"client": secretive, "twist": LOST})


_CERTIFICATES = (
    ("meter", "SIGNATURE", "fleet", ""),
    ("client", "SIGNATURE", "fleet", ""),
    ("meter", "KEY_AGREEMENT", "fleet", ""),
    ("meter", "SIGNATURE", "stranger", ""),
    ("root", "SIGNATURE", "stranger", ""),
    ("meter", "SIGNATURE", "fleet", "both"),
    ("meter", "SIGNATURE", "fleet", "KEY_AGREEMENT"),
)
"""Whose, what for, of which authority, and with what usage in it."""


def _has_former(plot: Plot, client: str, kind: str) -> bool:
    return bool(plot.course.facts.versions.get(f"{plot.palette.scope(client)}/{kind}"))


def _something_changed(plot: Plot) -> bool:
    return bool(plot.course.facts.versions)
