"""Judges every step of a run by what must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from emulator.fuzz.actions import Action
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge import (
    associations,
    certificates,
    channels,
    counters,
    credit,
    keys,
    memory,
    outside,
    proper,
    proving,
    reflecting,
    refusing,
    replaying,
    rightful,
    telling,
)
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.judge.history import History
from emulator.fuzz.judge.site import Site
from emulator.fuzz.judge.told import told
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Facts, Outcome, Seen

Invariant: TypeAlias = Callable[[Case], Iterable[Breach]]

INVARIANTS: tuple[Invariant, ...] = (
    counters.grow,
    counters.apart,
    counters.fresh,
    counters.inner,
    keys.together,
    keys.counted,
    keys.wrapped_right,
    keys.recoverable,
    keys.new,
    keys.separate,
    refusing.unchanged,
    refusing.without_effect,
    refusing.unproven,
    refusing.distrusted,
    refusing.hidden,
    associations.ended,
    associations.gated,
    associations.protected,
    associations.strengthened,
    associations.fitting,
    replaying.once,
    credit.exactly_once,
    credit.by_tokens,
    channels.trusted,
    memory.bounded,
    rightful.let_in,
    proving.exactly,
    proving.not_open,
    proving.counted,
    proving.answered_once,
    outside.changed,
    outside.titled,
    outside.tagged,
    outside.dedicated,
    proper.understood,
    proper.certified,
    proper.of_another,
    proper.shown,
    proper.handed_over,
    reflecting.back,
    certificates.exported,
    certificates.removed,
    telling.protected,
    telling.understood,
)
"""What is looked at after every step, besides what the target looks at itself."""


class Judge:
    """Of one run, from its beginning. What a target cannot see is not judged."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.site = Site(setting)
        self.history = History()

    def watch(self, action: Action, seen: Seen, before: Facts, after: Facts) -> tuple[Breach, ...]:
        """What the step has broken."""
        self.history.begin(before, self.site.scope)
        case = Case(action, seen, before, after, self.site, self.history)
        found = [*told(before, after)]
        for invariant in INVARIANTS:
            found += invariant(case)
        self.history.learn(action, seen, before, after)
        return tuple(found)

    def quiet(self, before: Facts, after: Facts, alive: Seen) -> tuple[Breach, ...]:
        """What is broken in the end: ``alive`` is what a legitimate client has come to."""
        found = told(before, after)
        if self.setting.alive and alive.outcome is not Outcome.ACCEPTED and not self._ends(before):
            said = f"{alive.outcome.value} ({alive.says})"
            found += (breach("I6", "no legitimate client gets in", said),)
        return found

    def _ends(self, facts: Facts) -> bool:
        """Whether a key of that association is used up, or its holders have gone too far ahead for
        the meter: only a new key helps then (R-IC-4, R-IC-11).
        """
        scope = self.setting.alive
        name = f"{scope}/GUEK"
        floor, used = facts.floors.get(name, 0), facts.sends.get(name, 0)
        mine = [
            send
            for client, send in facts.client_sends.items()
            if self.site.scope(client.partition("/")[0]) == scope
        ]
        jump = self.site.knobs(scope).max_forward_jump
        is_far = jump is not None and max(mine, default=0) > floor + jump
        return is_far or max(floor, used, *mine) >= rightful.LAST
