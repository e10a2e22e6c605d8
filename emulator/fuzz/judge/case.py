"""One step before its judge, with what is known of those before."""

from __future__ import annotations

from typing import NamedTuple

from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.history import History
from emulator.fuzz.judge.site import Site
from emulator.fuzz.target import Direction, Facts, Outcome, Seen
from emulator.fuzz.twist import STRAIGHT, Twist


class Case(NamedTuple):
    action: Action
    seen: Seen
    before: Facts
    after: Facts
    site: Site
    history: History

    @property
    def client(self) -> str:
        """Who has done it; empty if nobody."""
        return getattr(self.action, "client", "")

    @property
    def twist(self) -> Twist:
        return getattr(self.action, "twist", STRAIGHT)

    @property
    def what(self) -> str:
        return type(self.action).__name__

    @property
    def is_accepted(self) -> bool:
        return self.seen.outcome is Outcome.ACCEPTED

    @property
    def power_failed(self) -> bool:
        """Whether the meter has begun anew: counters are then found at what was reserved."""
        is_cut = self.twist.cut is not None and self.seen.outcome is Outcome.SILENCE
        return is_cut or isinstance(self.action, actions.PowerCycle | actions.Damage)

    @property
    def is_meddled(self) -> bool:
        """Whether somebody has reached into the meter, who may change anything."""
        return isinstance(self.action, actions.Damage | actions.SetMeterCounter | actions.Plant)

    @property
    def sent(self) -> tuple[bytes, ...]:
        """What has come to the meter."""
        return tuple(one.octets for one in self.seen.line if one.direction is Direction.SENT)


def breach(invariant: str, shape: str, words: str = "") -> Breach:
    """``shape`` is the breach in words that are the same in every run, ``words`` add to it."""
    return Breach(invariant=invariant, words=f"{shape}: {words}" if words else shape, shape=shape)
