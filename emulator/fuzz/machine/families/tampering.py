"""Messages that are made wrong, before they are protected or behind that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlms.axdr.data import octet_string
from dlms.xdlms.descriptors import CONFIRMED
from dlms.xdlms.get import GetRequest
from dlms.xdlms.set import SetRequest
from emulator.fuzz import actions
from emulator.fuzz.machine.drawing import SELDOM, Base, bases, twisted
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import NAME, NOTE, Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.twist import Edit, EditKind, Lost, Otherwise, Twist

GET = GetRequest(CONFIRMED | 1, NAME, None).encode()
NINE = octet_string(b"\x09")
SET = SetRequest(CONFIRMED | 1, NOTE, NINE).encode()
LAST = 0xFFFFFFFF


def _flip(at: int, bits: int = 1) -> tuple[Edit, ...]:
    return (Edit(kind=EditKind.FLIP, at=at, octets=bytes((bits,))),)


LOST = (Twist(lose=Lost.RESPONSE), Twist(lose=Lost.REQUEST))
TAMPERED = (
    Twist(octets=_flip(-1)),
    Twist(octets=_flip(-12, 0x80)),
    Twist(octets=_flip(-13)),
    Twist(octets=_flip(2, 0x40)),
    Twist(octets=_flip(3, 0x80)),
    Twist(octets=_flip(6)),
    Twist(octets=(Edit(kind=EditKind.KEEP, count=-1),)),
    Twist(octets=(Edit(kind=EditKind.KEEP, count=-12),)),
    Twist(octets=(Edit(kind=EditKind.KEEP, count=5),)),
    Twist(octets=(Edit(kind=EditKind.ADD, octets=b"\0"),)),
    Twist(
        octets=(
            Edit(kind=EditKind.KEEP, count=-8),
            Edit(kind=EditKind.PUT, at=1, octets=bytes((len(GET) + 9,))),
        )
    ),
    Twist(seal=Otherwise(ek="KEK")),
    Twist(seal=Otherwise(ek="GBEK")),
    Twist(seal=Otherwise(ak="GUEK")),
    Twist(seal=Otherwise(ak="NONE")),
    Twist(seal=Otherwise(title=b"CLI\0\0\0\0\x09")),
    Twist(seal=Otherwise(counter=0xFFFFFFFE)),
    Twist(seal=Otherwise(payload=_flip(3))),
    Twist(seal=Otherwise(payload=(Edit(kind=EditKind.ALL, octets=SET),))),
    Twist(seal=Otherwise(payload=(Edit(kind=EditKind.ALL, octets=GET),))),
    Twist(seal=Otherwise(control=0x31), octets=(Edit(kind=EditKind.PUT, at=2, octets=b"\x31"),)),
    Twist(seal=Otherwise(control=0xB0), octets=(Edit(kind=EditKind.PUT, at=2, octets=b"\xb0"),)),
)
ANSWERED = (
    Twist(answer=_flip(-1)),
    Twist(answer=_flip(-13)),
    Twist(answer=(Edit(kind=EditKind.KEEP, count=-1),)),
    Twist(
        meter_seal=Otherwise(control=0x20),
        answer=(
            Edit(kind=EditKind.PUT, at=2, octets=b"\x20"),
            Edit(kind=EditKind.PUT, at=1, octets=b"\x0c"),
        ),
    ),
)

_SENT: tuple[tuple[int | None, bool, str, str], ...] = (
    (None, False, "", ""),
    (None, False, "", "GENERAL"),
    (0x10, False, "", ""),
    (0x20, False, "", ""),
    (0x20, False, "", "GENERAL"),
    (0x00, False, "", ""),
    (None, True, "", ""),
    (None, False, "BROADCAST", ""),
    (None, False, "", "CIPHERING"),
)
"""Protection, whether there is none at all, family and form of what is sent by hand."""

_GENERAL = (
    Twist(octets=_flip(4)),
    Twist(octets=(Edit(kind=EditKind.PUT, at=2, octets=b"LAB\0\0\0\0\x01"),)),
    Twist(octets=_flip(9)),
)
"""Of the system title in a general message."""


def moves(palette: Palette) -> Iterator[Move]:
    proper = bases(palette)
    reading = Base("get note", lambda client: actions.Get(client=client, attribute=NOTE))
    clients = palette.keyed or palette.clients

    def lose(plot: Plot, client: str, base: Base, twist: Twist) -> None:
        if plot.ready(client):
            plot.do(twisted(base.make(client), twist))

    def tamper(plot: Plot, client: str, base: Base, twist: Twist, raw: bool) -> None:
        if plot.ready(client, raw):
            plot.do(twisted(base.make(client), twist))

    def tamper_opening(plot: Plot, client: str, twist: Twist) -> None:
        plot.open(client, twist)

    def answer(plot: Plot, client: str, base: Base, twist: Twist) -> None:
        if twist.meter_seal is not None and base.name != "get note":
            base = reading
        if plot.ready(client):
            plot.do(twisted(base.make(client), twist))

    def send(
        plot: Plot,
        client: str,
        how: tuple[int | None, bool, str, str],
        plain: bytes,
        raw: bool,
    ) -> None:
        if plot.ready(client, raw):
            protection, bare, family, form = how
            plot.do(
                actions.Send(
                    client=client,
                    plain=plain,
                    protection=protection,
                    bare=bare,
                    family=family,
                    form=form,
                )
            )

    def send_titled(plot: Plot, client: str, twist: Twist) -> None:
        if plot.ready(client):
            plot.do(actions.Send(client=client, plain=SET, form="GENERAL", twist=twist))

    def number(plot: Plot, client: str, offset: int) -> None:
        """A message that is right but for its counter: as far from the floor as is drawn."""
        if not plot.ready(client):
            return
        floor = plot.course.facts.floors.get(f"{palette.scope(client)}/GUEK", 0)
        counter = max(floor + offset, 0) if offset < LAST else LAST
        put = Edit(kind=EditKind.PUT, at=3, octets=counter.to_bytes(4, "big"))
        twist = Twist(seal=Otherwise(counter=counter), octets=(put,))
        plot.do(actions.Set(client=client, attribute=NOTE, value=NINE, twist=twist))

    def agree_twice(plot: Plot, client: str, transaction: bytes, choice: str) -> None:
        """Messages under keys of their own, which are good for one. Who uses them twice is no
        honest party, so nobody looks out for its vectors.
        """
        if plot.ready(client):
            plot.do(
                actions.Send(
                    client=client,
                    plain=GET,
                    form="CIPHERING",
                    choice=choice,
                    transaction=transaction,
                    twist=Twist(seal=Otherwise()),
                )
            )

    draws: dict[str, tuple[Any, ...]] = {"client": clients, "base": proper}
    yield Move("lose", lose, {**draws, "twist": LOST}, weight=2)
    yield Move("tamper", tamper, {**draws, "twist": TAMPERED, "raw": SELDOM}, weight=3)
    yield Move("tamper opening", tamper_opening, {"client": clients, "twist": TAMPERED})
    yield Move("answer", answer, {**draws, "twist": ANSWERED})
    yield Move(
        "send",
        send,
        {"client": clients, "how": _SENT, "plain": (SET, GET), "raw": SELDOM},
        weight=2,
    )
    if palette.countable:
        yield Move(
            "number",
            number,
            {"client": palette.countable, "offset": (0, -1, 1, -3, LAST)},
        )
    if palette.agreeing:
        agreeing, transactions = palette.agreeing, (bytes(8), b"\1" * 8)
        choices = ("STATIC", "ONE_PASS", "WRAPPED")
        draws = {"client": agreeing, "transaction": transactions, "choice": choices}
        yield Move("agree twice", agree_twice, draws, weight=2)
    yield Move("send titled", send_titled, {"client": clients, "twist": _GENERAL})
