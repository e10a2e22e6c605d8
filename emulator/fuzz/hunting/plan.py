"""What one process of a search is to do."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from emulator.fuzz.judge.course import Make
from emulator.fuzz.setting import Setting

AFTERWARDS = 10.0
"""Seconds that what was found just before the end may still be made smaller. By then it takes what
it has come to.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``settings`` are searched in turn. ``began`` and ``deadline`` are of the monotonic clock,
    which all processes of a machine share; ``steps`` are those of this process. ``None`` is without
    such an end.
    """

    settings: tuple[Setting, ...]
    make: Make
    seed: int
    process: int
    began: float
    deadline: float | None = None
    steps: int | None = None
    stop_at_first: bool = False
    target: str = "in process"

    def setting_of(self, round: int) -> int:
        """Which of the settings; two processes do not begin with the same."""
        return (round + self.process) % len(self.settings)

    def seed_of(self, round: int) -> int:
        """Of one round: another for each process, the same in every search with that seed."""
        digest = hashlib.sha256(f"{self.seed}/{self.process}/{round}".encode()).digest()
        return int.from_bytes(digest[:8], "big")
