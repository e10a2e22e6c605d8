"""One run of the head end against a meter with a vice, as a sender of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from devices.device import Device
from emulator.conformance.conversing.tree import Pointless, Sender, Unjudged
from emulator.conformance.hostile import believing
from emulator.conformance.hostile.head_end import Outcome
from emulator.conformance.hostile.material import Material
from emulator.conformance.hostile.meter import hostile_meter
from emulator.conformance.hostile.site import Site, site_of
from emulator.conformance.hostile.watch import Watch
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Faced:
    """What the head end says became of its task, and what it was seen to do."""

    task: str
    vice: str
    outcome: Outcome
    watch: Watch
    material: Material
    values: tuple[bytes, ...] = ()
    """What the meter has where ``material.read`` asks."""

    def __repr__(self) -> str:
        asked = len(self.watch.since)
        return f"{self.vice}: {self.outcome}; {asked} APDUs of its after that"


Wrong: TypeAlias = Callable[[Faced], Iterable[str]]
"""What is wrong with what it believes, or did, in words."""

BEHAVING = {"block-read": "blocks", "profile": "usual-rows"}
"""With what a meter that behaves answers a task; by default with nothing of its own."""


async def run(trial: Trial, site: Site, task: str, vice: str, *, hls: bool = False) -> Faced:
    """Let it do a task with a meter that has a vice.

    :class:`Unjudged` if the command cannot be started, or there is no such meter.
    """
    label = f"{task}/{vice}"
    trial.record.note(f"the head end is asked to {task}; the meter: {vice}")
    async with hostile_meter(trial, site, task, vice, label=label, hls=hls) as (
        stage,
        device,
        material,
    ):
        try:
            outcome = await site.head_end.do(task, material, site.limit)
        except OSError as error:
            raise Unjudged(f"the head end cannot be started: {error}") from error
        trial.record.note(f"the head end: {outcome}")
        return Faced(
            task=task,
            vice=vice,
            outcome=outcome,
            watch=stage.watch,
            material=material,
            values=_values(device, material),
        )


def _values(device: Device, material: Material) -> tuple[bytes, ...]:
    objects = device.profile.objects
    found = (device.value(objects[one.instance], one.attribute) for one in material.read)
    return tuple(one.value for one in found if one is not None and isinstance(one.value, bytes))


async def inability(trial: Trial, task: str, *, hls: bool = False) -> str:
    """Why a task is not done with a meter that behaves; empty if it is. Found out once in a run."""
    site = site_of(trial.target)
    name = f"{task}{' with high level security' if hls else ''}"
    if name not in site.able:
        site.able[name] = await attempt(trial, task, hls=hls)
    return site.able[name]


async def attempt(trial: Trial, task: str, *, hls: bool = False) -> str:
    """The same, each time anew."""
    site = site_of(trial.target)
    faced = await run(trial, site, task, BEHAVING.get(task, "none"), hls=hls)
    if not faced.outcome.ok:
        return f"{task} with a meter that behaves: {faced.outcome}"
    wrong = "; ".join(believing.RIGHT.get(task, believing.anything)(faced))
    return f"{task} with a meter that behaves: {wrong}" if wrong else ""


def facing(
    task: str,
    *vices: str,
    believes: Wrong | None = None,
    did: Wrong = believing.nothing,
    hls: bool = False,
) -> Sender:
    """Let the head end do a task with a meter of each of these vices, one after the other:
    ``facts`` has what was seen as ``faced``. ``believes`` looks at what it gives where it says
    success; by default nothing may be believed. ``did`` looks at what it was seen to do.
    """

    async def send(trial: Trial) -> Seen:
        site = site_of(trial.target)
        tasks = trial.declaration.client.tasks
        if tasks and task not in tasks:
            raise Pointless(f"the head end does not do the task {task}")
        if problem := await inability(trial, task, hls=hls):
            raise Unjudged(problem)
        all_faced: list[Faced] = []
        problems: list[str] = []
        for vice in vices:
            faced = await run(trial, site, task, vice, hls=hls)
            _judgeable(faced)
            all_faced.append(faced)
            problems += (f"{vice}: {one}" for one in did(faced))
            if faced.outcome.ok:
                wrong = believing.taken if believes is None else believes
                problems += (f"{vice}: {one}" for one in wrong(faced))
        return Seen.found(problems, faced=tuple(all_faced))

    return send


def _judgeable(faced: Faced) -> None:
    watch = faced.watch
    if watch.cannot:
        raise Unjudged(watch.cannot)
    if watch.acted is None:
        raise Unjudged(f"it did not come to where the meter misbehaves: {faced.outcome}")
