"""The objects of the device under test, association by association."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
)
from dataclasses import dataclass

from dlms.acse.names import Referencing
from dlms.axdr.data import Data, double_long_unsigned, long_unsigned, structure
from dlms.cosem import classes
from dlms.cosem.interface_class import InterfaceClass
from dlms.errors import DlmsError, LocalProtocolError
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, Item, SelectiveAccess
from emulator.client.errors import ClientError, Refused
from emulator.client.meter_client import MeterClient
from emulator.client.objects import BITS_FROM, ObjectEntry, ObjectList
from emulator.client.session import Session
from emulator.conformance.conversing.tree import Pointless, Unjudged
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.trying.trial import Trial

READ, WRITE = 1, 2
_REQUEST_AUTHENTICATED, _REQUEST_ENCRYPTED, _REQUEST_SIGNED = 4, 8, 16
BUFFER = 2
FEW = 3
"""Rows of a profile that are read where all of them are not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """An open association of a client that behaves, and the objects that it sees."""

    row: DeclaredAssociation
    client: MeterClient
    session: Session
    objects: ObjectList

    async def read(self, attributes: list[AttributeDescriptor]) -> list[Data | Refused]:
        """Several, in as few requests as the device allows; of a buffer the first rows."""
        items: list[Item] = [(one, self._selection(one)) for one in attributes]
        return await self.client.hold(self.session.fetch(items))

    async def fetch(self, item: Item) -> Data | Refused:
        """One attribute, or the part of it that is selected."""
        (value,) = await self.client.hold(self.session.fetch([item]))
        return value

    async def one(self, attribute: AttributeDescriptor) -> Data | Refused:
        (value,) = await self.read([attribute])
        return value

    def _selection(self, attribute: AttributeDescriptor) -> SelectiveAccess | None:
        is_buffer = attribute.class_id == classes.PROFILE_GENERIC.class_id
        if not is_buffer or attribute.attribute != BUFFER or not self.selects:
            return None
        return by_entry(1, FEW)

    @property
    def conformance(self) -> Conformance:
        return self.client.association.conformance

    @property
    def selects(self) -> bool:
        return Conformance.SELECTIVE_ACCESS in self.conformance

    @property
    def version(self) -> int:
        """Of the current association object: from 3 on an access mode is a set of bits."""
        return self.objects_of(classes.ASSOCIATION_LN)[0].version if self.by_names else 0

    @property
    def by_names(self) -> bool:
        return self.row.context.referencing is Referencing.LOGICAL_NAME

    def objects_of(self, kind: InterfaceClass) -> list[ObjectEntry]:
        return [entry for entry in self.objects if entry.class_id == kind.class_id]

    def attributes(self, entry: ObjectEntry, mode: int) -> Iterator[AttributeDescriptor]:
        """The attributes that may be read or written as this association is protected. Where the
        list says no rights, as with short names, all that the class has may be read.
        """
        rights = entry.attributes
        if not rights and not self.by_names and mode == READ:
            kind = entry.interface_class
            rights = {} if kind is None else {row.number: READ for row in kind.attributes}
        for number, access in rights.items():
            if access & mode and self._is_protected_enough(access):
                yield AttributeDescriptor(entry.class_id, entry.instance, number)

    def _is_protected_enough(self, access: int) -> bool:
        if not self.by_names or self.version < BITS_FROM:
            return True
        protection = self.client.association.config.protection
        needs = (
            (_REQUEST_AUTHENTICATED, Protection.AUTHENTICATED),
            (_REQUEST_ENCRYPTED, Protection.ENCRYPTED),
            (_REQUEST_SIGNED, Protection.SIGNED),
        )
        return all(not access & bit or kind in protection for bit, kind in needs)


def seats(
    trial: Trial,
    which: Callable[[DeclaredAssociation], bool] = lambda row: True,
    shut: list[str] | None = None,
) -> AbstractAsyncContextManager[AsyncIterator[Seat]]:
    """Every association whose keys are at hand and whose objects can be listed, one after the
    other. One that cannot be opened says nothing of objects: that is noted, and told to ``shut``.
    :class:`Unjudged` if there is none.

    Behind the context none is open any more, however it is left.
    """
    return aclosing(_seats(trial, which, shut))


async def _seats(
    trial: Trial, which: Callable[[DeclaredAssociation], bool], shut: list[str] | None
) -> AsyncGenerator[Seat, None]:
    met = 0
    shut = [] if shut is None else shut
    for row in trial.declaration.associations:
        if not which(row):
            continue
        if not trial.target.has_keys(row):
            trial.record.note(f"{row.name} is left out: its keys are not at hand")
            continue
        async with AsyncExitStack() as stack:
            try:
                client, session = await stack.enter_async_context(trial.session(row))
            except (DlmsError, OSError, Unjudged) as error:
                trial.record.note(f"{row.name} is not open: {error}")
                shut.append(f"{row.name}: {error}")
                continue
            try:
                objects = await client.hold(session.objects())
            except Refused:
                continue
            met += 1
            yield Seat(row=row, client=client, session=session, objects=objects)
    if not met:
        raise Unjudged("; ".join(("no association lets its objects be listed", *shut)))


async def in_each(trial: Trial, work: Callable[[Seat], Awaitable[list[str]]]) -> list[str]:
    """What is wrong in any of them, by its name. :class:`Unjudged` if nothing is in those that can
    be opened, and there are others.
    """
    problems = []
    shut: list[str] = []
    async with seats(trial, shut=shut) as each:
        async for seat in each:
            try:
                found = await work(seat)
            except LocalProtocolError:
                raise
            except (ClientError, DlmsError) as error:
                found = [str(error)]
            problems += [f"{seat.row.name}: {one}" for one in found]
    if shut and not problems:
        raise Unjudged("; ".join(("not every association can be opened", *shut)))
    return problems


@asynccontextmanager
async def seat_with(trial: Trial, fits: Callable[[Seat], bool], what: str) -> AsyncIterator[Seat]:
    """The first association that fits. :class:`Pointless` if none does, :class:`Unjudged` if one
    that cannot be opened might.
    """
    shut: list[str] = []
    async with seats(trial, shut=shut) as each:
        async for seat in each:
            if fits(seat):
                yield seat
                return
    if shut:
        raise Unjudged("; ".join((f"no open association with {what}", *shut)))
    raise Pointless(f"no association with {what}")


def by_entry(first: int, last: int, column: int = 1, last_column: int = 0) -> SelectiveAccess:
    """entry_descriptor (Blue Book, Profile generic): rows and columns from 1; 0 is the last."""
    return SelectiveAccess(
        2,
        structure(
            double_long_unsigned(first),
            double_long_unsigned(last),
            long_unsigned(column),
            long_unsigned(last_column),
        ),
    )


def shown(attribute: AttributeDescriptor) -> str:
    class_id, instance, number = attribute
    return f"{class_id}/{'.'.join(map(str, instance))}/{number}"
