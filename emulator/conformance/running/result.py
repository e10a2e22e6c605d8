"""What becomes of checks: the model that every report is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from emulator.conformance.probing.record import Entry


class Verdict(Enum):
    """Of a check, or of a step. The worst of its steps is that of a check."""

    PASSED = "PASSED"
    NON_STRICT = "NON_STRICT"
    """It passes, by an answer that is accepted although it is not the right one."""
    INFORMATIONAL = "INFORMATIONAL"
    """There is nothing to pass: what was found is reported."""
    INAPPLICABLE = "INAPPLICABLE"
    """It is not for such a device, or not to be run, by the declaration."""
    INCONCLUSIVE = "INCONCLUSIVE"
    """It could not be judged: something was missing, or could not be brought about."""
    FAILED = "FAILED"
    ERROR = "ERROR"
    """The tester, or the way to the device, failed: nothing is said about the device."""

    __hash__ = object.__hash__


class Transport(Enum):
    """What carried the octets of a run."""

    TCP = "tcp"
    UDP = "udp"
    SERIAL = "serial"

    __hash__ = object.__hash__


class Standing(Enum):
    """What a verdict means beside what was expected of the device."""

    GOOD = "good"
    BAD = "bad"
    EXPECTED_FAILURE = "expected failure"
    UNEXPECTED_PASS = "unexpected pass"
    """It was declared to fail, and has not: counts as a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An accepted answer, and why what came is not it. ``offset`` is the octet at fault in the
    entry of the record that ``entry`` numbers, where that can be told; else ``None``.
    """

    answer: str
    expected: str
    actual: str
    entry: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """``answer`` is the accepted answer that came, empty if none did, and then there is a
    ``Difference`` for each. ``entries`` are the first entry of the record and the one behind the
    last. ``notes`` are what was found besides.
    """

    step: str
    subtest: str
    sends: str
    verdict: Verdict
    answer: str
    seen: str
    differences: tuple[Difference, ...]
    entries: tuple[int, int]
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One check on one device. ``reasons`` say why it is not plainly PASSED; ``seconds`` how long
    it took. ``expected`` is the reason for which it was declared to fail, empty if it was not.
    """

    id: str
    verdict: Verdict
    standing: Standing
    reasons: tuple[str, ...]
    steps: tuple[StepResult, ...]
    record: tuple[Entry, ...]
    seconds: float
    expected: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A run. ``started`` is ISO 8601; ``way`` says how the device was reached, ``strict`` whether
    NON_STRICT counts as a failure. ``key_log`` are lines in NSS format, for TLS: the secrets of
    its sessions, so they stay out of the ``repr``. ``transport`` and ``port`` are those of the
    device, or of the tester if ``called``: the target opened the connections, as head ends do.
    """

    device: str
    declaration: str
    way: str
    seed: str
    started: str
    version: str
    strict: bool
    cases: tuple[CaseResult, ...]
    key_log: tuple[str, ...] = field(default=(), repr=False)
    transport: Transport = Transport.TCP
    port: int = 4059
    called: bool = False
