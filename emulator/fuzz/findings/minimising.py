"""A run that breaks something, made as small as it gets.

Steps go first, by delta debugging (A. Zeller, R. Hildebrandt, "Simplifying and Isolating
Failure-Inducing Input", 2002): halves, quarters, and so on to single ones. Then every step, and
what the run begins with, is replaced by simpler forms of it for as long as the same is broken.
The same run comes to the same end whenever it is not stopped by the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from emulator.fuzz.actions import Action
from emulator.fuzz.breach import Breach
from emulator.fuzz.findings.finding import Key, broken
from emulator.fuzz.findings.renumbering import kept
from emulator.fuzz.findings.simplifying import fewer_clients, simpler, simpler_settings
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Make
from emulator.fuzz.judge.judged import judged
from emulator.fuzz.setting import Setting
from emulator.fuzz.trail import Trail

PLAYS = 3000
"""Of one run, at most: in this process some ten seconds of a long one. Most take some hundreds."""


class NothingBroken(ValueError):
    """A run that is to be made smaller breaks no invariant, or another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """``was`` is how many steps it had, ``plays`` how often it was played. Without ``is_done`` it
    may get smaller: the plays or the time were over.
    """

    trail: Trail
    breach: Breach
    was: int
    plays: int
    is_done: bool


class _Over(Exception):
    """No more plays."""


class _Shrinking:
    def __init__(self, make: Make, plays: int, is_over: Callable[[], bool]) -> None:
        self._make = make
        self._left = self._plays = plays
        self._is_over = is_over
        self.key: Key | None = None
        self.trail: Trail
        self.breach: Breach

    @property
    def plays(self) -> int:
        return self._plays - self._left

    @property
    def actions(self) -> tuple[Action, ...]:
        return _actions(self.trail)

    def tries(self, setting: Setting, actions: Sequence[Action]) -> bool:
        """Whether it breaks the same; then it is what is to be made smaller from now on."""
        while True:
            if not self._left or self._is_over():
                raise _Over
            self._left -= 1
            trail = judged(setting, actions, self._make)
            if self.key is None and trail.all_breaches:
                self.key = Key.of(trail.all_breaches[0])
            breach = None if self.key is None else broken(trail, self.key)
            if breach is None:
                return False
            done = _actions(trail)
            if done == tuple(actions[: len(done)]):
                self.trail, self.breach = trail, breach
                return True
            actions = done  # some could not be done: whether they were needed is not known yet

    # Ways to make it smaller --------------------------------------------------------------------

    def shrinks(self) -> bool:
        """Once through all ways; whether one of them was good for something."""
        ways = (self._fewer_steps, self._fewer_clients, self._simpler_steps, self._simpler_setting)
        found = [way() for way in ways]
        return any(found)

    def _fewer_steps(self) -> bool:
        before = len(self.actions)
        size = max(before // 2, 1)
        while size:
            # From the end: what is behind the place of a cut is known to be needed already.
            end = len(self.actions)
            while end > 0:
                whole = self.actions
                start = max(end - size, 0)
                numbers = [at for at in range(len(whole)) if not start <= at < end]
                self.tries(self.trail.setting, kept(whole, numbers))
                end = min(start, len(self.actions))
            size //= 2
        return len(self.actions) < before

    def _fewer_clients(self) -> bool:
        return self._takes((self.trail.setting, one) for one in fewer_clients(self.actions))

    def _simpler_steps(self) -> bool:
        is_any, at = False, 0
        while at < len(self.actions):
            whole = self.actions
            forms = ((*whole[:at], one, *whole[at + 1 :]) for one in simpler(whole[at]))
            if self._takes((self.trail.setting, one) for one in forms):
                is_any = True
            else:
                at += 1
        return is_any

    def _simpler_setting(self) -> bool:
        is_any = False
        while self._takes((one, self.actions) for one in simpler_settings(self.trail.setting)):
            is_any = True
        return is_any

    def _takes(self, forms: Iterable[tuple[Setting, Sequence[Action]]]) -> bool:
        """The first of ``forms`` that breaks the same."""
        found: Iterator[bool] = (self.tries(*form) for form in forms)
        return any(found)


def _actions(trail: Trail) -> tuple[Action, ...]:
    return tuple(done.action for done in trail.steps)


def minimise(
    setting: Setting,
    actions: Sequence[Action],
    key: Key | None = None,
    make: Make = in_process,
    *,
    plays: int = PLAYS,
    is_over: Callable[[], bool] = lambda: False,
) -> Shrunk:
    """The smallest run that is found to break what has ``key``, or what ``actions`` break first.
    It ends after so many ``plays``, or when ``is_over`` says so.

    :class:`NothingBroken` if ``actions`` do not break it.
    """
    shrinking = _Shrinking(make, plays, is_over)
    shrinking.key = key
    is_done = False
    try:
        if not shrinking.tries(setting, actions):
            what = "any invariant" if key is None else f"{key.invariant}: {key.shape}"
            raise NothingBroken(f"it does not break {what}")
        while shrinking.shrinks():
            pass
        is_done = True
    except _Over:
        if not hasattr(shrinking, "trail"):
            raise NothingBroken("the time was over before it was played once") from None
    return Shrunk(
        trail=shrinking.trail,
        breach=shrinking.breach,
        was=len(actions),
        plays=shrinking.plays,
        is_done=is_done,
    )
