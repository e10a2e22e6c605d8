"""What was done in a run, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.fuzz.actions import Action
from emulator.fuzz.breach import Breach
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One step: what was done, what was seen of it, and what it has broken."""

    action: Action
    seen: Seen
    breaches: tuple[Breach, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """All steps of a run from its beginning; ``breaches`` are those that showed in the end, when
    all was quiet.
    """

    setting: Setting
    steps: tuple[Done, ...] = ()
    breaches: tuple[Breach, ...] = ()

    @property
    def all_breaches(self) -> tuple[Breach, ...]:
        return (*(one for done in self.steps for one in done.breaches), *self.breaches)
