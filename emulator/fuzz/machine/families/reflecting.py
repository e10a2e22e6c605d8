"""What a party has said itself and gets back: challenges, proofs, messages."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.actions import AarqChange
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import NAME, NOTE, Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import Edit, EditKind, Otherwise, Twist

_CHOSEN = b"\x22" * 16
"""A challenge of an attacker's choice."""
_OF_CHOSEN = Twist(mac=Otherwise(payload=(Edit(kind=EditKind.ALL, octets=_CHOSEN),)))
"""f of that, in the place of f(StoC)."""


def moves(palette: Palette) -> Iterator[Move]:
    own_title = Otherwise(title=palette.site.meter_title)

    def reflect(plot: Plot, client: str, other: str, goes_on: bool) -> None:
        """The meter's challenge of one client is presented to it by another, or by the same; and
        the first goes on with what it has.
        """
        if plot.open_half(client):
            change = AarqChange(reflect=client)
            plot.do(actions.Challenge(client=other, change=change))
            plot.do(actions.Authenticate(client=other if goes_on else client))

    def prove_as_meter(plot: Plot, client: str) -> None:
        """f(StoC) as the meter would compute it."""
        if plot.open_half(client):
            plot.do(actions.Authenticate(client=client, twist=Twist(mac=own_title)))

    def prove_own(plot: Plot, client: str) -> None:
        """f of the client's own challenge."""
        plot.do(actions.Hang(client=client))
        change = AarqChange(challenge=_CHOSEN)
        if plot.do(actions.Challenge(client=client, change=change)) is Outcome.ACCEPTED:
            plot.do(actions.Authenticate(client=client, twist=_OF_CHOSEN))

    def seal_as_meter(plot: Plot, client: str) -> None:
        if plot.ready(client):
            plot.do(actions.Get(client=client, attribute=NOTE, twist=Twist(seal=own_title)))

    def send_back(plot: Plot, client: str, is_told: bool, apdu: int | None) -> None:
        """What the meter has just said, at once."""
        if plot.ready(client):
            plot.do(
                actions.Announce(attribute=NOTE)
                if is_told
                else actions.Get(client=client, attribute=NAME)
            )
            _back(plot, client, len(plot.course.steps), apdu)

    def send_back_any(plot: Plot, client: str, back: int) -> None:
        """What it has said in any step before."""
        if plot.ready(client):
            _back(plot, client, len(plot.course.steps) - back, None)

    if palette.hls:
        draws = {"client": palette.hls, "other": palette.hls, "goes_on": (True, False)}
        yield Move("reflect a challenge", reflect, draws)
    guarded = palette.guarded
    if guarded:
        yield Move("prove as the meter", prove_as_meter, {"client": guarded})
        yield Move("prove own challenge", prove_own, {"client": guarded})
        yield Move("seal as the meter", seal_as_meter, {"client": guarded})
        answers = {"is_told": (False, True), "apdu": (None, 0)}
        yield Move("send back", send_back, {"client": guarded, **answers})
        yield Move("send any back", send_back_any, {"client": guarded, "back": tuple(range(8))})


def _back(plot: Plot, client: str, step: int, apdu: int | None) -> None:
    if step > 0 and plot.has_answered(step):
        plot.do(actions.Replay(client=client, step=step, apdu=apdu, heard=True))
