"""Who may do what, as the list of objects says it: each attribute and method with its right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dlms.axdr.data import NULL, Data, double_long_unsigned, long_unsigned, structure
from dlms.cosem.fitting import elements_of
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from emulator.client.errors import ClientError
from emulator.client.objects import ASSOCIATION_LN, BITS_FROM
from emulator.conformance.cases.asking import OBJECT_LIST, is_long
from emulator.conformance.cases.each import Row, connection
from emulator.conformance.conversing.expect import data_of
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

READ, WRITE, AUTHENTICATED, ENCRYPTED, SIGNED = 1, 2, 4, 8, 16
"""Of an access mode as Association LN has it from version 3 on (Blue Book 4.4.4); of a method the
first bit is the right to invoke it.
"""
INVOKE = READ
_OLD_MODES = {1: 1, 2: 2, 3: 3, 4: 1 | AUTHENTICATED, 5: 2 | AUTHENTICATED, 6: 3 | AUTHENTICATED}
_OLD_METHODS = {1: INVOKE, 2: INVOKE | AUTHENTICATED}


class Right(NamedTuple):
    """What may be done with one attribute, or method."""

    class_id: int
    instance: bytes
    number: int
    is_method: bool
    mode: int

    @property
    def attribute(self) -> AttributeDescriptor:
        return AttributeDescriptor(self.class_id, self.instance, self.number)

    @property
    def method(self) -> MethodDescriptor:
        return MethodDescriptor(self.class_id, self.instance, self.number)

    @property
    def request_protection(self) -> Protection:
        """Authentication and encryption that a request must have; signatures are not counted."""
        authenticated = Protection.AUTHENTICATED if self.mode & AUTHENTICATED else Protection.NONE
        encrypted = Protection.ENCRYPTED if self.mode & ENCRYPTED else Protection.NONE
        return authenticated | encrypted

    def __str__(self) -> str:
        kind = "method" if self.is_method else "attribute"
        name = "{}-{}:{}.{}.{}.{}".format(*self.instance)
        return f"{kind} {self.number} of class {self.class_id} at {name}"


async def rights_of(trial: Trial, row: Row) -> tuple[Right, ...]:
    """All that the list of objects of an association says. :class:`Unjudged` if the device does not
    give it, or what it gives is none.
    """
    try:
        async with connection(trial) as line, trial.session(row, line) as (client, session):
            (value,) = await client.hold(session.fetch([(OBJECT_LIST, None)]))
    except ClientError as error:
        raise Unjudged(f"the object list of {row.name} cannot be read: {error}") from None
    if not isinstance(value, Data):
        raise Unjudged(f"the object list of {row.name} cannot be read: {value}")
    return tuple(rights_in(value))


def rights_in(value: Data) -> Iterator[Right]:
    """What has not the shape that it should have says nothing."""
    entries = [
        parts for one in elements_of(value) or () if len(parts := elements_of(one) or ()) > 3
    ]
    version = next((entry[1].value for entry in entries if _is_association(entry)), 0)
    bits = isinstance(version, int) and version >= BITS_FROM
    for entry in entries:
        class_id, name, both = entry[0].value, entry[2].value, elements_of(entry[3]) or ()
        if not isinstance(class_id, int) or not isinstance(name, bytes) or len(both) != 2:
            continue
        for is_method, part, old in ((False, both[0], _OLD_MODES), (True, both[1], _OLD_METHODS)):
            for number, mode in _pairs(part):
                right = mode if bits else old.get(mode, 0)
                yield Right(class_id, name, number, is_method, right)


def _pairs(value: Data) -> Iterator[tuple[int, int]]:
    for item in elements_of(value) or ():
        parts = elements_of(item) or ()
        if len(parts) >= 2 and isinstance(parts[0].value, int) and isinstance(parts[1].value, int):
            yield parts[0].value, int(parts[1].value)


def _is_association(entry: tuple[Data, ...]) -> bool:
    return entry[0].value == ASSOCIATION_LN


# Trying them ------------------------------------------------------------------------------------

_SERVICES = {
    "read": Conformance.GET,
    "write": Conformance.SET,
    "invoke": Conformance.ACTION,
}


def may_list(row: Row) -> bool:
    return is_long(row) and bool(row.conformance & Conformance.GET)


def serves(row: Row, how: str) -> bool:
    return bool(row.conformance & _SERVICES[how])


_BUFFER = 7, 2
"""Of a Profile generic: all of it may be a year."""
_FIRST_ENTRY = SelectiveAccess(
    2,
    structure(double_long_unsigned(1), double_long_unsigned(1), long_unsigned(1), long_unsigned(0)),
)
"""entry_descriptor: the first entry with all its columns (Blue Book 4.3.6)."""


async def read_a_little(probe: Probe, right: Right) -> Seen:
    """Read it, or the first entry of it where it is a buffer and selective access goes."""
    selects = Conformance.SELECTIVE_ACCESS in probe.conformance
    if selects and (right.class_id, right.number) == _BUFFER:
        seen = await probe.get(right.attribute, _FIRST_ENTRY)
        if data_of(seen) is not None:
            return seen
    return await probe.get(right.attribute)


async def tried(probe: Probe, right: Right, how: str, value: Data = NULL, **protect: Any) -> Seen:
    """Read, write or invoke it."""
    if how == "read":
        return await probe.get(right.attribute, None, **protect)
    if how == "write":
        return await probe.set(right.attribute, value, **protect)
    return await probe.act(right.method, value, **protect)
