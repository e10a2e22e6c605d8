"""Ways into an association, and out of it."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.actions import AarqChange
from emulator.fuzz.machine.drawing import SELDOM
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.twist import STRAIGHT, Edit, EditKind, Otherwise, Twist

_CHANGES = (
    AarqChange(challenge=b"\x11" * 16),
    AarqChange(challenge=b"\x11" * 7),
    AarqChange(challenge=b"\x11" * 65),
    AarqChange(mechanism=0),
    AarqChange(mechanism=1, challenge=b"00000000"),
    AarqChange(mechanism=3),
    AarqChange(title=b""),
    AarqChange(title=b"CLI\0\0\0\0\x09"),
    AarqChange(plain=True),
)
_PROOFS = (
    STRAIGHT,
    Twist(mac=Otherwise(ek="KEK")),
    Twist(mac=Otherwise(ak="NONE")),
    Twist(mac=Otherwise(counter=0x00FFFFFF)),
    Twist(mac=Otherwise(title=bytes(8))),
)
_WHERES = (
    Edit(kind=EditKind.PUT, at=9, octets=b"\x01"),
    Edit(kind=EditKind.PUT, at=11, octets=b"\x02"),
    Edit(kind=EditKind.PUT, at=3, octets=b"\x00\x0c"),
)
_COUNTER_AT = 16
"""In an ACTION request with f(StoC): its invocation counter."""


def moves(palette: Palette) -> Iterator[Move]:
    clients = palette.clients

    def enter(plot: Plot, client: str) -> None:
        plot.open(client)

    def challenge(plot: Plot, client: str) -> None:
        plot.do(actions.Challenge(client=client))

    def prove(plot: Plot, pick: int, proof: Twist, bare: bool) -> None:
        waiting = sorted(plot.pending)
        client = waiting[pick % len(waiting)]
        plot.do(actions.Authenticate(client=client, twist=proof, bare=bare))

    def ask_otherwise(plot: Plot, client: str, change: AarqChange, echo: bool) -> None:
        if echo:
            plot.do(actions.Challenge(client=client, twist=Twist(echo=True)))
        else:
            plot.do(actions.Challenge(client=client, change=change))

    def prove_otherwise(plot: Plot, client: str, proof: Twist) -> None:
        plot.open(client, proof)

    def prove_elsewhere(plot: Plot, client: str, where: Edit) -> None:
        """The right f(StoC), by a method that is not for it."""
        plot.open_half(client)
        twist = Twist(seal=Otherwise(payload=(where,)))
        plot.do(actions.Authenticate(client=client, twist=twist))

    def count_inside(plot: Plot, client: str, offset: int) -> None:
        """f(StoC) with another counter: that of its carrier, lower, or higher."""
        plot.open_half(client)
        present = plot.course.facts.client_sends.get(f"{client}/GUEK")
        if present is not None:
            counter = max(present + offset, 0)
            octets = counter.to_bytes(4, "big")
            inside = Edit(kind=EditKind.PUT, at=_COUNTER_AT, octets=octets)
            twist = Twist(mac=Otherwise(counter=counter), seal=Otherwise(payload=(inside,)))
            plot.do(actions.Authenticate(client=client, twist=twist))

    def release(plot: Plot, client: str, plain: bool) -> None:
        plot.do(actions.Release(client=client, plain=plain))

    def hang(plot: Plot, client: str) -> None:
        plot.do(actions.Hang(client=client))

    yield Move("enter", enter, {"client": clients}, weight=2)
    if palette.hls:
        hls = palette.hls
        yield Move("challenge", challenge, {"client": hls})
        yield Move(
            "prove",
            prove,
            {"pick": (0, 1, 2), "proof": (STRAIGHT, *_PROOFS), "bare": SELDOM},
            when=lambda plot: bool(plot.pending),
            weight=2,
        )
        draws = {"client": hls, "change": _CHANGES, "echo": SELDOM}
        yield Move("ask otherwise", ask_otherwise, draws)
        yield Move("prove elsewhere", prove_elsewhere, {"client": hls, "where": _WHERES})
        if palette.guarded:
            guarded = palette.guarded
            draws = {"client": guarded, "offset": (0, 1, -1, -2, 5)}
            yield Move("count inside", count_inside, draws)
        yield Move("prove otherwise", prove_otherwise, {"client": hls, "proof": _PROOFS})
    yield Move("release", release, {"client": clients, "plain": SELDOM}, when=_somebody_is_in)
    yield Move("hang", hang, {"client": clients}, when=_somebody_is_in)


def _somebody_is_in(plot: Plot) -> bool:
    return bool(plot.opened or plot.pending)
