"""A search for what must never be, on one process or on several."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from emulator.fuzz.findings.finding import Finding
from emulator.fuzz.hunting.crew import Crew
from emulator.fuzz.hunting.hunted import Hunted, Progress
from emulator.fuzz.hunting.plan import Plan
from emulator.fuzz.hunting.posts import Broke, Failed, FoundIt, Hear, Here, Known, Message
from emulator.fuzz.hunting.tally import Tally
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Make
from emulator.fuzz.setting import Setting

EVERY = 0.25
"""Seconds between two words about how far it is."""


class HuntFailed(RuntimeError):
    """The target, or the fuzzer, has failed in a way that is no breach."""


def hunt(
    setting: Setting | Sequence[Setting],
    *,
    seconds: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    processes: int | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_finding: Callable[[Finding], None] = lambda finding: None,
    stop_at_first: bool = False,
    make: Make = in_process,
    target: str = "in process",
) -> Hunted:
    """Search ``setting``, or several in turn, for ``seconds``, or for ``steps`` on all
    ``processes`` together (by default as many as there are cores), or until it is interrupted:
    Ctrl-C ends it, and what was found is there.

    What is found just before the end is made smaller for :data:`~.plan.AFTERWARDS` seconds at most.
    ``on_finding`` gets each finding when it is shrunk; the same once more if another process has
    come to a shorter one. In one process the same ``seed`` and ``steps`` find the same. ``make``
    must be a function of a module if there are several processes. :class:`HuntFailed` if the target
    fails; ``ValueError`` if no end is near.
    """
    count = (os.cpu_count() or 1) if processes is None else processes
    if count < 1:
        raise ValueError(f"{count} processes find nothing")
    if any(one is not None and one <= 0 for one in (seconds, steps)):
        raise ValueError("the seconds and steps of a search are more than 0")
    settings = (setting,) if isinstance(setting, Setting) else tuple(setting)
    if not settings:
        raise ValueError("there is no setting to search")
    began = time.monotonic()
    shares: list[int | None] = [None] * count
    if steps is not None:
        shares = [steps // count + (number < steps % count) for number in range(count)]
    plans = [
        Plan(
            settings=settings,
            make=make,
            seed=seed,
            process=number,
            began=began,
            deadline=None if seconds is None else began + seconds,
            steps=shares[number],
            stop_at_first=stop_at_first,
            target=target,
        )
        for number in range(count)
        if shares[number] != 0
    ]
    tally = Tally(began, seconds, steps)

    def hear(process: int, message: Message) -> None:
        found = tally.hear(process, message)
        if found is not None:
            on_finding(found)
        on_progress(tally.progress())

    if len(plans) == 1:
        was_interrupted = _here(plans[0], hear)
    else:
        was_interrupted = _crew(plans, hear, lambda: on_progress(tally.progress()))
    if tally.failure:
        raise HuntFailed(tally.failure)
    return tally.hunted(seed, len(plans), was_interrupted=was_interrupted)


def _here(plan: Plan, hear: Hear) -> bool:
    """In this process; whether it was interrupted."""
    from emulator.fuzz.hunting.searching import TargetFailed, search

    try:
        search(plan, Here(hear))
    except TargetFailed as error:
        hear(plan.process, Failed(str(error)))
    except KeyboardInterrupt:
        return True
    return False


def _crew(plans: Sequence[Plan], hear: Hear, on_silence: Callable[[], None]) -> bool:
    """In a process for each plan; whether it was interrupted."""
    was_interrupted = False
    with Crew(plans) as crew:
        while crew.is_working:
            try:
                if not _turn(crew, hear, stop_at_first=plans[0].stop_at_first):
                    on_silence()
            except KeyboardInterrupt:
                if was_interrupted:
                    raise  # twice: whoever does that has no patience
                was_interrupted = True
                crew.stop()
    return was_interrupted


def _turn(crew: Crew, hear: Hear, *, stop_at_first: bool) -> bool:
    """Hear what is said, and tell those whom it concerns; whether anything was."""
    said = crew.hear(EVERY)
    for process, message in said:
        match message:
            case Broke() if stop_at_first:
                crew.leave_to(process)
            case Broke(finding=finding):
                crew.tell(Known(finding.key), but=process)
            case FoundIt() if stop_at_first and crew.is_left_to(process):
                crew.stop()
            case Failed():
                crew.stop()
        hear(process, message)
    return bool(said)
