"""What is written into the register: acts, each of a day. They are added and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, TypeAlias

from dlms.words import member, word
from emulator.products.combination import Combination, combination_of
from emulator.products.errors import ProductsError
from emulator.products.testing import ParticipantKind, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A Testing Participant asks for testing (H14.36A). An indication of before stays in force,
    whether it is repeated or not.
    """

    combination: Combination
    participant: str
    kind: ParticipantKind
    confidential: bool = False

    @property
    def id(self) -> str:
        return self.combination.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    id: str
    participant: str
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicated:
    """A Testing Participant indicates that it be treated as confidential, or no longer."""

    id: str
    participant: str
    confidential: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The DCC has demonstrated that it can process this combination: it comes onto the Eligible
    list. ``through`` is the substantively equivalent combination that was tested instead.
    """

    combination: Combination
    through: str | None = None

    @property
    def id(self) -> str:
        return self.combination.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """It is taken off the Eligible list."""

    id: str


Act: TypeAlias = Requested | Progressed | Indicated | Listed | Removed
KINDS: dict[str, type[Act]] = {
    "requested": Requested,
    "progressed": Progressed,
    "indicated": Indicated,
    "listed": Listed,
    "removed": Removed,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


class Record(NamedTuple):
    """An act in the history: its number, when it was written, the day it is of."""

    number: int
    written: datetime
    day: date
    act: Act


def kind_of(act: Act) -> str:
    return _NAMES[type(act)]


def detail(act: Act) -> dict[str, Any]:
    """All that an act says, as a document; its kind is not in it."""
    match act:
        case Requested():
            return {
                **act.combination.content,
                "participant": act.participant,
                "participant_kind": word(act.kind),
                "confidential": act.confidential,
            }
        case Progressed():
            return {"participant": act.participant, "progress": word(act.progress)}
        case Indicated():
            return {"participant": act.participant, "confidential": act.confidential}
        case Listed():
            return {**act.combination.content, "tested_through": act.through}
        case Removed():
            return {}


def act_of(kind: str, id: str, said: Mapping[str, Any]) -> Act:
    """From what :func:`kind_of` and :func:`detail` gave. :class:`ProductsError` if it is no act."""
    try:
        return _act(kind, id, said)
    except (KeyError, TypeError, ValueError) as error:
        raise ProductsError(f"this is no act of the register: {error!r}") from None


def _act(kind: str, id: str, said: Mapping[str, Any]) -> Act:
    if kind == "requested":
        return Requested(
            combination=combination_of(said),
            participant=said["participant"],
            kind=member(ParticipantKind, said["participant_kind"]),
            confidential=said["confidential"],
        )
    if kind == "progressed":
        progress = member(Progress, said["progress"])
        return Progressed(id=id, participant=said["participant"], progress=progress)
    if kind == "indicated":
        confidential = said["confidential"]
        return Indicated(id=id, participant=said["participant"], confidential=confidential)
    if kind == "listed":
        return Listed(combination=combination_of(said), through=said["tested_through"])
    if kind == "removed":
        return Removed(id=id)
    raise ValueError(kind)
