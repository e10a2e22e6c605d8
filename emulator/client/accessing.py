"""Reading, writing and invoking in one request: ACCESS, with names, classes and units.

What is needed to understand what will be read (scaler_unit, columns) is fetched before, as far as
it is not known. What the request itself may have changed is fetched again behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple, TypeAlias, TypedDict

from dlms.axdr.data import NULL, Data
from dlms.client.access import access, access_unconfirmed, options
from dlms.client.effects import Dialogue
from dlms.errors import LocalProtocolError
from dlms.xdlms.access import AccessAction, AccessGet, AccessResult, AccessSet, Specification
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import MAX_ITEMS, AttributeDescriptor
from emulator.client.errors import Refused, telling
from emulator.client.orders import Invoking, Writing, invoking, writing
from emulator.client.reading import (
    Reading,
    given,
    known,
    reading_of,
    rows_of,
    scalers_of,
    shown_by,
    unique,
    value_of,
)
from emulator.client.session import Session
from emulator.client.targets import Moment, Span, Wanted, What, selection, together


@dataclass(frozen=True, slots=True)
class Read:
    """An attribute, or rows of a buffer, as :meth:`~emulator.client.Association.get` reads it."""

    what: What
    attribute: int | str | None = None
    _: KW_ONLY
    class_id: int | None = None
    version: int | None = None
    since: Moment | None = None
    until: Moment | None = None
    entries: tuple[int, int] | None = None
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """An attribute and a value, as :meth:`~emulator.client.Association.set` writes it."""

    what: What
    attribute: int | str
    value: Any
    _: KW_ONLY
    class_id: int | None = None


@dataclass(frozen=True, slots=True)
class Invoke:
    """A method, as :meth:`~emulator.client.Association.invoke` invokes it."""

    what: What
    method: int | str
    parameter: Any = None
    _: KW_ONLY
    class_id: int | None = None


Order: TypeAlias = Read | Write | Invoke
_About: TypeAlias = Reading | Writing | Invoking


class How(TypedDict, total=False):
    """How the meter is to carry out a list; all may be left out.

    ``break_on_error``
        Leave alone what stands behind an item that failed: it is refused, too. Else the meter goes
        on with it.
    ``self_descriptive``
        The response is to repeat what was asked for; it is compared.
    ``high_priority``
        Before requests that have none, where the meter knows priorities.
    """

    break_on_error: bool
    self_descriptive: bool
    high_priority: bool


class _Item(NamedTuple):
    """One line of the list, and what it is about."""

    about: _About
    specification: Specification
    data: Data
    subject: str


def access_all(
    session: Session, orders: Sequence[Order], how: How, return_exceptions: bool
) -> Dialogue[list[Any]]:
    """What became of each, in their order: a value, ``None`` of what was written, what a method
    returned. The first :class:`Refused` is raised, unless they are to be returned.

    :class:`UnknownObject`, ``ValueError`` or ``TypeError`` if an order cannot be,
    :class:`~dlms.errors.LocalProtocolError` if ACCESS cannot: nothing has been carried out then.
    """
    _check(session, orders, confirmed=True)
    abouts = yield from _abouts(session, orders)
    yield from _prepare(session, abouts)
    items = [_item(session, about) for about in abouts]
    late = set(_late(session, abouts))
    results: list[Any] = [None] * len(items)
    try:
        with telling(together([item.subject for item in items])):
            response = yield from access(
                session.talk,
                [item.specification for item in items],
                [item.data for item in items],
                options(**how),
            )
        came = list(zip(items, response.data, response.results, strict=True))
        for index, (item, data, result) in enumerate(came):
            if index not in late:
                results[index] = _understood(session, item, data, result)
    finally:
        _forget(session, abouts)
    if late:
        yield from _prepare(session, [abouts[index] for index in late])
        for index in late:
            results[index] = _understood(session, *came[index])
    return given(results, return_exceptions)


def access_silently(session: Session, orders: Sequence[Order], how: How) -> Dialogue[None]:
    """The same, and nobody says what became of it. ``ValueError`` if something is to be read."""
    _check(session, orders, confirmed=False)
    if any(isinstance(order, Read) for order in orders):
        raise ValueError("nobody would say what was read")
    abouts = yield from _abouts(session, orders)
    items = [_item(session, about) for about in abouts]
    _forget(session, abouts)
    with telling(items[0].subject):
        yield from access_unconfirmed(
            session.talk,
            [item.specification for item in items],
            [item.data for item in items],
            options(**how),
        )


def _check(session: Session, orders: Sequence[Order], *, confirmed: bool) -> None:
    if not 1 <= len(orders) <= MAX_ITEMS:
        raise ValueError(f"1 to {MAX_ITEMS} items make a list, not {len(orders)}")
    association = session.talk.association
    if confirmed and not association.answered:
        raise LocalProtocolError("there is no response to a confirmed service here")
    if Conformance.ACCESS not in association.conformance:
        raise LocalProtocolError("the service was not negotiated")


def _abouts(session: Session, orders: Sequence[Order]) -> Dialogue[list[_About]]:
    abouts = []
    for order in orders:
        abouts.append((yield from _about(session, order)))
    return abouts


def _about(session: Session, order: Order) -> Dialogue[_About]:
    if isinstance(order, Read):
        span = Span(order.since, order.until, order.entries)
        wanted = Wanted(order.what, order.attribute, order.class_id, order.version, span, order.raw)
        return (yield from reading_of(session, wanted))
    target = yield from session.target(order.what, order.class_id)
    if isinstance(order, Write):
        return writing(target, order.attribute, order.value)
    return invoking(target, order.method, order.parameter)


def _item(session: Session, about: _About) -> _Item:
    """:class:`Refused` if the columns that rows are to be selected by cannot be had."""
    if isinstance(about, Invoking):
        parameter = NULL if about.parameter is None else about.parameter
        return _Item(about, AccessAction(method=about.method), parameter, about.subject)
    if isinstance(about, Writing):
        return _Item(about, AccessSet(attribute=about.attribute), about.value, about.subject)
    span = about.wanted.span
    part = selection(span, shown_by(session, about) if span.by_time else ())
    get = AccessGet(attribute=about.attribute, selection=part)
    return _Item(about, get, NULL, f"read {about.subject}")


def _prepare(session: Session, abouts: Sequence[_About]) -> Dialogue[None]:
    """Fetch what is needed to understand what is read: of columns only once they are known."""
    readings = [about for about in abouts if isinstance(about, Reading)]
    yield from session.fetch([], unique(row for one in readings for row in one.statics()))
    columns = unique(row for one in readings for row in _scalers_of_columns(session, one))
    yield from session.fetch([], columns)


def _scalers_of_columns(session: Session, reading: Reading) -> list[AttributeDescriptor]:
    if not reading.is_buffer or reading.wanted.raw:
        return []
    try:
        return scalers_of(session, shown_by(session, reading))
    except Refused:
        return []


def _late(session: Session, abouts: Sequence[_About]) -> Iterator[int]:
    """Readings behind an item that may change what they are understood by."""
    touched: set[bytes] = set()
    for index, about in enumerate(abouts):
        if not isinstance(about, Reading):
            touched.add(_instance(about))
            continue
        needed = [*about.statics(), *_scalers_of_columns(session, about)]
        if touched & {row.instance for row in needed}:
            yield index


def _forget(session: Session, abouts: Sequence[_About]) -> None:
    for about in abouts:
        if not isinstance(about, Reading):
            session.forget(_instance(about))


def _instance(about: Writing | Invoking) -> bytes:
    return about.method.instance if isinstance(about, Invoking) else about.attribute.instance


def _understood(session: Session, item: _Item, data: Data, result: AccessResult) -> Any:
    """A value, or the :class:`Refused` in its place."""
    about = item.about
    if result.result:
        return Refused.by_result(item.subject, result.result)
    if isinstance(about, Writing):
        return None
    if isinstance(about, Invoking):
        return about.returned(None if data == NULL else data)
    if about.is_buffer:
        try:
            return rows_of(session, about, data)
        except Refused as refusal:  # of the columns
            return refusal
    if about.wanted.raw:
        return data
    # What has no unit that the meter gives is a plain number, as a column is.
    scaler = about.target.scaler(about.attribute.attribute)
    units = {} if scaler is None else known(session, [scaler])
    return value_of(about, data, units.get(about.attribute.instance))
