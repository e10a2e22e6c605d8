"""What a file says is to be written into the register: an Eligible list, or requests of testing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from dlms.words import member
from emulator.products.acts import Listed, Progressed, Requested
from emulator.products.combination import combination_id
from emulator.products.errors import ProductsError
from emulator.products.importing.groups import Group, groups_of
from emulator.products.importing.table import Problems, Table, read_table
from emulator.products.lists import ListKind, ListRow
from emulator.products.publication import Publication
from emulator.products.rendering import COLUMNS, DATES
from emulator.products.store import Dated
from emulator.products.testing import PENDING, ParticipantKind, Progress
from emulator.products.texts import text

REQUEST_COLUMNS = ("participant", "participant_kind", "confidential", "progress")
_YES_OR_NO = {"yes": True, "no": False}
_ABOUT = ("list", "version", "publication date")
_HASH = "content hash"

V = TypeVar("V")


def import_list(octets: bytes, file: str, day: date | None = None) -> list[Dated]:
    """The acts that a file stands for. Requests are of ``day``, entries of the Eligible list of
    their date first added. :class:`ProductsError` says of every line that is wrong why.
    """
    table = read_table(octets, file)
    columns = set(table.columns)
    eligible = {*COLUMNS, *DATES}
    requests = {*COLUMNS, *REQUEST_COLUMNS}
    if columns == eligible:
        return _eligible(table)
    if columns == requests:
        return _requests(table, day)
    if columns == set(COLUMNS):
        more = "it does not say who has asked; as requests it also has"
        raise ProductsError(f"{table.header_at}: {more} {', '.join(REQUEST_COLUMNS)}")
    wanted = min((eligible, requests), key=lambda one: len(one ^ columns))
    said = [f"lacks {name}" for name in sorted(wanted - columns)]
    said += [f"has {name!r}, which is none" for name in sorted(columns - wanted)]
    raise ProductsError(f"{table.header_at}: the header {'; '.join(said)}")


def _eligible(table: Table) -> list[Dated]:
    problems = Problems()
    groups = groups_of(table, ("combination",), problems)
    by_label = {group.label: group.combination.id for group in groups}
    places: dict[str, str] = {}
    acts: dict[str, Dated] = {}
    for group in groups:
        id = group.combination.id
        if id in places:
            problems.add(group.where, f"the same combination as {places[id]}")
            continue
        places[id] = group.where
        try:
            added = _day(group.cells["date_first_added"])
            through = _through(group.cells["tested_through"], by_label)
        except ProductsError as error:
            problems.add(group.where, error)
            continue
        act = Listed(combination=group.combination, through=through)
        acts[id] = Dated(act, added, f"{group.where}: ")
    problems.end()
    _check_hash(table, acts)
    return [acts[id] for id in _in_order(acts) if id in acts]


def _in_order(acts: Mapping[str, Dated]) -> list[str]:
    """What others were tested through comes before them."""
    before = {id: _tested(dated) for id, dated in acts.items()}
    try:
        return [*TopologicalSorter(before).static_order()]
    except CycleError as error:
        where = acts[error.args[1][0]].where
        raise ProductsError(f"{where}it is tested through itself, by way of others") from None


def _tested(dated: Dated) -> tuple[str, ...]:
    act = dated.act
    return (act.through,) if isinstance(act, Listed) and act.through is not None else ()


def _check_hash(table: Table, acts: Mapping[str, Dated]) -> None:
    """A list as it was published says what it is the whole of."""
    if _HASH not in table.about:
        return
    where = table.where[_HASH]
    for name in _ABOUT:
        if name not in table.about:
            raise ProductsError(f"{where}: there is a content hash, and no line with the {name}")
    kind = ListKind.ELIGIBLE
    if table.about["list"] != kind.value:
        raise ProductsError(f"{table.where['list']}: the columns are those of {kind.value}")
    if not table.about["version"].isdecimal():
        raise ProductsError(f"{table.where['version']}: the version is no number")
    try:
        day = _day(table.about["publication date"])
    except ProductsError as error:
        raise ProductsError(f"{table.where['publication date']}: {error}") from None
    rows = [
        ListRow(combination=act.combination, first_added=added, through=act.through)
        for act, added, _ in acts.values()
        if isinstance(act, Listed)
    ]
    made = Publication(
        kind=kind,
        version=int(table.about["version"]),
        day=day,
        rows=tuple(sorted(rows, key=lambda row: row.combination.order)),
    )
    if made.content_hash != table.about[_HASH]:
        raise ProductsError(
            f"{where}: the rest is not what this was made of: changed, or not whole"
        )


def _requests(table: Table, day: date | None) -> list[Dated]:
    problems = Problems()
    found: list[Dated] = []
    places: dict[tuple[str, str], str] = {}
    for group in groups_of(table, ("combination", "participant"), problems):
        try:
            act, progress = _request(group)
        except ProductsError as error:
            problems.add(group.where, error)
            continue
        here = act.id, act.participant
        if here in places:
            problems.add(group.where, f"the same request as {places[here]}")
            continue
        places[here] = group.where
        where = f"{group.where}: "
        found.append(Dated(act, day, where))
        if progress is not Progress.REQUESTED:
            more = Progressed(id=act.id, participant=act.participant, progress=progress)
            found.append(Dated(more, day, where))
    problems.end()
    return found


def _request(group: Group) -> tuple[Requested, Progress]:
    cells = group.cells
    confidential = _one_of(_YES_OR_NO, cells["confidential"], "confidential")
    stages = {stage.value: stage for stage in (Progress.REQUESTED, *_pending())}
    progress = _one_of(stages, cells["progress"], "progress")
    try:
        kind = member(ParticipantKind, cells["participant_kind"])
    except ValueError as error:
        raise ProductsError(f"participant_kind {error}") from None
    act = Requested(
        combination=group.combination,
        participant=text(cells["participant"], "participant"),
        kind=kind,
        confidential=confidential,
    )
    return act, progress


def _pending() -> list[Progress]:
    return [progress for progress in Progress if progress in PENDING]


def _one_of(known: Mapping[str, V], given: str, what: str) -> V:
    if given.lower() not in known:
        raise ProductsError(f"{what} {given!r} is none of {', '.join(known)}")
    return known[given.lower()]


def _through(given: str, by_label: Mapping[str, str]) -> str | None:
    """A number, or the name of a combination in this file."""
    if not given:
        return None
    return by_label[given] if given in by_label else combination_id(given)


def _day(given: str) -> date:
    try:
        day = date.fromisoformat(given)
    except ValueError:
        day = None
    if day is None or str(day) != given:
        raise ProductsError(f"{given!r} is no date like 2019-03-26")
    return day
