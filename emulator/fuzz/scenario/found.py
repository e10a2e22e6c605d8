"""How a scenario was found: evidence, of which nothing is expected when it is played again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """What came of one step. ``line`` are the APDUs that passed: direction, client, octets in
    hexadecimal, and what they mean; ``left_out`` is how many more there were. ``breaks`` are the
    invariants that it breaks, in words. The rest is what was observed of both ends behind it, as
    in :class:`emulator.fuzz.target.Facts`.
    """

    outcome: str
    says: str = ""
    line: tuple[tuple[str, ...], ...] = ()
    left_out: int = 0
    breaks: tuple[str, ...] = ()
    floors: Mapping[str, int] = field(default_factory=dict)
    sends: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    agree: Mapping[str, bool] = field(default_factory=dict)
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key that the run had: who holds it, its name there, and its octets in hexadecimal. Only of
    meters in this process, where all keys come from a secret that is public.
    """

    holder: str
    name: str
    octets: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """``invariant``, ``words`` and ``shape`` are those of the breach, ``step`` is where it shows,
    from 1, or 0: in the end, when all is quiet. ``seed`` and ``process`` are those of the run that
    found it after ``steps`` steps and ``seconds`` seconds, on ``target``, with ``version`` of
    cosemlab. ``was`` is how many steps it had before it was shrunk.
    """

    invariant: str
    words: str
    shape: str
    step: int
    target: str
    version: str
    seed: int = 0
    process: int = 0
    steps: int = 0
    seconds: float = 0.0
    was: int = 0
    seen: tuple[Witnessed, ...] = ()
    keys: tuple[KnownKey, ...] = ()
