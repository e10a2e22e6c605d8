"""An encounter played: a head end does its errands at a meter of ours, and is watched."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from devices.device import Device
from devices.prepayment.account import amount, token_credit
from dlms.acse.aarq import TAG as AARQ_TAG
from dlms.acse.aarq import Aarq
from dlms.errors import CodecError
from dlms.security.ciphered import Family, decode_ciphered
from dlms.security.counters import InvocationCounters
from dlms.security.ops import CryptoFailure, Open, Use
from emulator.conformance import built_in
from emulator.conformance.declaration.model import (
    Declaration,
    DeclaredClient,
    DeclaredWay,
    Timing,
    WayKind,
)
from emulator.conformance.hostile.asked_for import CREDIT
from emulator.conformance.hostile.head_end import Call, Outcome
from emulator.conformance.hostile.material import Material
from emulator.conformance.hostile.meter import hostile_meter
from emulator.conformance.hostile.own import keeping
from emulator.conformance.hostile.site import head_end_target, site_of
from emulator.conformance.hostile.stage import Stage
from emulator.conformance.probing.line import visible_counter
from emulator.conformance.probing.record import Entry, Recorder
from emulator.conformance.trying.trial import Clocks, Trial
from emulator.fuzz.head_ends.driven import ANSWER, ANSWERS, WAYS, Driven
from emulator.fuzz.head_ends.mischief import Encounter, Errand
from emulator.fuzz.head_ends.script import Script
from emulator.modules.software import SoftwareModule

_MOST_FIRST = ("rotate-keys", "top-up")
"""Tasks by what they ask of an association; there is one for all errands of an encounter."""

_FEATURES = {
    "client": 1, "ln": 1, "ciphered": 1, "hls": 1, "notify": 1, "key.transfer": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """An errand, and what was seen of it. ``values`` are what the meter has where the task asks,
    ``clean`` how many of them it was told so that it may believe them; ``changed`` is whether the
    meter has other keys than before.
    """

    errand: Errand
    outcome: Outcome
    material: Material
    values: tuple[bytes, ...]
    clean: int
    changed: bool
    credits: int = 0
    """How often the meter has been credited with what was to be added."""
    went_on: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    resent: tuple[int, ...] = ()
    """Counters that were on the line with two contents."""
    highest: int = 0
    """The highest counter of the head end's."""
    entries: tuple[Entry, ...] = ()
    """What passed, and what the meter did wrong."""
    keys: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    """Those that the meter has had by now: test keys, names and octets."""


class HeadEndUnderTest:
    """A callable of this process, or a command with ``{task}`` and ``{material}`` in it
    (:mod:`emulator.conformance.hostile`). ``way`` is one of ``WAYS``. ``answer`` are seconds, and
    ``limit`` those that a task may take, by default ``ANSWERS`` answers. One that does not ``keep``
    its counters from task to task, as it should, is given one task under each key and no more.
    """

    @classmethod
    def of(cls, driven: Driven) -> HeadEndUnderTest:
        """As it is named in a file."""
        call = keeping(InvocationCounters()) if driven.is_own else None
        return cls(
            call,
            command=driven.command,
            way=driven.way,
            answer=driven.answer,
            keeps=not driven.forgets,
        )

    def __init__(
        self,
        call: Call | None = None,
        *,
        command: Sequence[str] = (),
        way: str = WAYS[0],
        answer: float = ANSWER,
        limit: float | None = None,
        keeps: bool = True,
    ) -> None:
        if (call is None) == (not command):
            raise ValueError("a head end is a callable or a command")
        self.keeps = keeps
        self._declaration = Declaration(
            name="a head end",
            features=_FEATURES,
            way=DeclaredWay(kind=WayKind(way), host=""),
            timing=Timing(answer=answer, silence=answer, patience=answer),
            client=DeclaredClient(command=tuple(command)),
            settings={"client.limit": str(ANSWERS * answer if limit is None else limit)},
        )
        self._target = head_end_target(self._declaration, None, call)
        site_of(self._target)  # Unjudged now, and not in the middle of something
        self._check = next(iter(built_in()))

    async def play(self, encounter: Encounter) -> tuple[Ran, ...]:
        """All errands, under keys that nobody has had before. One that keeps its counters has a
        last one without mischief: whether it still gets along with the meter.
        ``OSError`` if the command cannot be started.
        """
        rng = random.Random(encounter.seed)
        clocks = Clocks(
            now=time.monotonic, today=lambda: dt.datetime.now(dt.UTC), sleep=asyncio.sleep
        )
        trial = Trial(self._check, self._target, rng, clocks, Recorder(time.monotonic))
        site = site_of(self._target)
        tasks = {one.task for one in encounter.errands}
        task = next((one for one in _MOST_FIRST if one in tasks), "read")
        async with hostile_meter(
            trial, site, task, encounter.meter, label=secrets.token_hex(8), hls=True
        ) as (
            stage,
            device,
            material,
        ):
            script = Script(stage, lambda: stage.mains.reboot())
            kept, stage.vice = stage.vice, script
            if encounter.meter != "none":
                stage.vice = kept  # one that is wrong through and through
            ran = []
            errands = encounter.errands
            for errand in (*errands, Errand(task="read")) if self.keeps else errands[:1]:
                ran.append(
                    await self._do(
                        errand, site.limit, stage, device, material, script, trial.record
                    )
                )
                if not ran[-1].outcome.is_over:
                    break
        return tuple(ran)

    async def _do(
        self,
        errand: Errand,
        limit: float,
        stage: Stage,
        device: Device,
        material: Material,
        script: Script,
        record: Recorder,
    ) -> Ran:
        since = len(record.entries)
        if errand.power:
            stage.mains.reboot()
        script.begin(errand)
        told = replace(material, secrets={**material.secrets, **_secrets(stage)})
        before, had = dict(device.state.key_versions), _credit(device)
        outcome = await site_of(self._target).head_end.do(errand.task, told, limit)
        values = _values(device, material)
        asked = tuple(material.read)
        twice, script.twice = tuple(script.twice), []
        script.look_at_keys()
        return Ran(
            errand=errand,
            outcome=outcome,
            material=told,
            values=values,
            clean=sum(one in script.clean for one in asked),
            changed=dict(device.state.key_versions) != before,
            credits=round((_credit(device) - had) / CREDIT),
            went_on=tuple(script.went_on),
            twice=twice,
            resent=_resent(stage),
            highest=max((one.counter or 0 for one in stage.watch.asked), default=0),
            entries=tuple(record.entries[since:]),
            keys=tuple(script.keys),
        )


def _secrets(stage: Stage) -> dict[str, bytes]:
    """The meter's keys by now, as who gives the errand has them in a safe."""
    keys = stage.device.keys(stage.row)
    found = {}
    for name in ("guek", "gak", "kek"):
        ref = getattr(keys, name)
        if ref is not None:
            found[name] = stage.ring.get(ref)
    return found


def _credit(device: Device) -> int:
    """What the meter has in the end, in units of its account; charges are small beside CREDIT."""
    return amount(device, token_credit(device))


def _values(device: Device, material: Material) -> tuple[bytes, ...]:
    objects = device.profile.objects
    found = (device.value(objects[one.instance], one.attribute) for one in material.read)
    return tuple(one.value for one in found if one is not None and isinstance(one.value, bytes))


def _resent(stage: Stage) -> tuple[int, ...]:
    """Counters of two messages that differ, both of which verify under one key of the meter's."""
    used: dict[tuple[int, int], bytes] = {}
    found = []
    for one in stage.watch.asked:
        octets = _protected(one.apdu)
        family, counter = visible_counter(octets)
        if counter is None or family != Family.GLOBAL.value:
            continue  # a dedicated key is another in each association
        where = one.key, counter
        if where in used and used[where] != octets and _verifies(stage, octets, one.key):
            found.append(counter)
        elif where not in used and _verifies(stage, octets, one.key):
            used[where] = octets
    return tuple(found)


def _verifies(stage: Stage, octets: bytes, version: int) -> bool:
    """Whether it is sealed with that version of the meter's key: who is in doubt tries others."""
    keys, ciphered = stage.device.keys(stage.row), decode_ciphered(octets)
    if keys.guek is None or keys.gak is None:
        return False
    module = SoftwareModule(stage.ring)
    for number in range(keys.gak.version + 1):
        step = Open(
            Use.OPEN_REQUEST,
            keys.guek._replace(version=version),
            keys.gak._replace(version=number),
            ciphered.control,
            stage.title,
            ciphered.counter,
            ciphered.body,
        )
        with suppress(CryptoFailure):
            module.execute(step)
            return True
    return False


def _protected(apdu: bytes) -> bytes:
    """What is protected of an APDU: of an AARQ, what is in it."""
    if apdu[:1] != bytes((AARQ_TAG,)):
        return apdu
    try:
        return Aarq.decode(apdu).user_information or b""
    except CodecError:
        return apdu
