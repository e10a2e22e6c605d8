"""A run that breaks something: a meter whose challenges are always the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from emulator.fuzz.actions import Action, CatchUp, Get, Open, Plant, PowerCycle, Wait
from emulator.fuzz.findings.finding import Finding
from emulator.fuzz.judge.judged import judged
from emulator.fuzz.setting import Setting
from emulator.fuzz.twist import Edit, EditKind, Lost, Twist

STALE = Plant(fault="careless", parameters=(("how", "stale-random"),))
"""R-HLS-4: the meter challenges twice with the same octets."""


@pytest.fixture
def stale() -> Setting:
    return Setting(plants=(STALE,))


@pytest.fixture
def winding(note: object) -> tuple[Action, ...]:
    """Ten steps, of which the first that opens and the last are enough."""
    lost = Twist(lose=Lost.RESPONSE, octets=(Edit(kind=EditKind.ADD, octets=b"\0"),))
    return (
        Wait(seconds=40),
        PowerCycle(),
        Get(client="dco", attribute=note),  # type: ignore[arg-type]
        CatchUp(client="s1sp"),
        Open(client="dco", twist=Twist(lose=Lost.RESPONSE)),
        Wait(seconds=7),
        Get(client="dco", attribute=note, twist=lost),  # type: ignore[arg-type]
        CatchUp(client="dco"),
        Wait(seconds=1),
        Open(client="dco"),
    )


@pytest.fixture
def found(stale: Setting) -> Callable[..., Finding]:
    """A finding of a run."""

    def make(*actions: Action, setting: Setting = stale, **more: object) -> Finding:
        trail = judged(setting, actions or (Open(client="dco"), Open(client="dco")))
        finding = Finding(breach=trail.all_breaches[0], trail=trail, seed=7, steps=321)
        for name, value in more.items():
            object.__setattr__(finding, name, value)
        return finding

    return make
