"""A scenario as it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dlms.axdr.data import Data
from emulator.fuzz.actions import Action, Plant
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.head_ends.driven import Driven
from emulator.fuzz.head_ends.mischief import Encounter
from emulator.fuzz.scenario.found import Found
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Direction, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come of a step. ``outcomes`` are accepted alternatives; none accepts any. ``says``
    are words that the answer has. ``state`` is whether what the meter remembers is the ``same`` or
    ``changed``. Counters are numbers, ``same``, or ``+N``: by how much they have grown; so is the
    balance. ``breaches`` are invariants that this step is known to break: a planted defect.
    """

    outcomes: frozenset[Outcome] = frozenset()
    says: tuple[str, ...] = ()
    state: str = ""
    value: Data | None = None
    floor: Mapping[str, int | str] = field(default_factory=dict)
    send: Mapping[str, int | str] = field(default_factory=dict)
    version: Mapping[str, int | str] = field(default_factory=dict)
    agree: Mapping[str, bool] = field(default_factory=dict)
    open: Mapping[str, bool] = field(default_factory=dict)
    happened: tuple[str, ...] = ()
    balance: int | str | None = None
    breaches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """An APDU as it passed when the scenario was found."""

    direction: Direction
    client: str
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``written`` is the step as it is in the file, for people. ``recorded`` is what passed on the
    line when it was found; empty if nobody has written that down.
    """

    action: Action
    expected: Expected
    written: Mapping[str, object]
    recorded: tuple[Recorded, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The steps of one binding of a scenario's variables, in words ``binding``."""

    binding: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """Which field of :class:`dlms.association.knobs.Knobs` is turned how, where the books leave a
    case open. Without a ``field`` the outcome is ours by decision, and ``value`` says it.
    """

    at: str
    field: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """``name`` is that of a case, as KL-IC-05, or of a finding. Where a case has several, each has
    another ``variant``. ``alive`` is the association with which a legitimate client must succeed in
    the end; empty if none can. ``not_here`` says why a case has no steps. ``plants`` are defects
    that the meter has from the beginning. What was found at a head end has an ``encounter`` in the
    place of courses, and the ``head_end`` that was met. ``found`` is there for what a search has
    found: then all invariants are looked after when it is played, and none may be broken.
    """

    name: str
    title: str
    variant: str = ""
    rules: tuple[str, ...] = ()
    profile: str = "laboratory"
    clients: Mapping[str, ClientKind] = field(default_factory=dict)
    knobs: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    knob: Knob | None = None
    seed: str = "0"
    courses: tuple[Course, ...] = ()
    alive: str = "dco"
    not_here: str = ""
    plants: tuple[Plant, ...] = ()
    encounter: Encounter | None = None
    head_end: Driven = field(default_factory=Driven)
    found: Found | None = None

    @property
    def id(self) -> str:
        return f"{self.name}/{self.variant}" if self.variant else self.name

    @property
    def setting(self) -> Setting:
        """What it begins with."""
        return Setting(
            profile=self.profile,
            clients=self.clients,
            knobs=self.knobs,
            seed=self.seed,
            plants=self.plants,
            alive=self.alive,
        )
