"""The form of a behaviour: functions by attribute and method number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from devices.meter import Meter
from devices.profile.model import AssociationRow, ObjectRow
from dlms.axdr.data import Data
from dlms.security.control import Protection
from dlms.security.ops import Step
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess


class Outcome(NamedTuple):
    """What a method gives back."""

    result: ActionResult
    returned: Data | None = None


SUCCESS = Outcome(ActionResult.SUCCESS)


class Call(NamedTuple):
    """Who asks for what object of which meter, and when. ``now`` is true time, aware; ``user`` is
    who is behind the client, where users are identified, ``protection`` what the request came with.
    """

    device: Meter
    row: ObjectRow
    association: AssociationRow
    now: dt.datetime
    user: int | None = None
    protection: Protection = Protection.NONE


Read: TypeAlias = Callable[[Call, SelectiveAccess | None], Data | DataAccessResult]
Write: TypeAlias = Callable[[Call, Data], DataAccessResult]
Invoke: TypeAlias = Callable[[Call, Data], Outcome | Step[Outcome]]


_NONE: Mapping[int, Any] = MappingProxyType({})


class Behaviour(NamedTuple):
    """Attributes and methods that need more than the stored value.

    A write or a method changes the meter in its last lines or not at all.
    """

    read: Mapping[int, Read] = _NONE
    write: Mapping[int, Write] = _NONE
    invoke: Mapping[int, Invoke] = _NONE


def computed(give: Callable[[Call], Data]) -> Read:
    """A read without selective access."""

    def read(call: Call, selection: SelectiveAccess | None) -> Data | DataAccessResult:
        if selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        return give(call)

    return read


def number(call: Call, attribute: int) -> int:
    """A stored integer of the object; 0 if none is stored."""
    return call.device.number(call.row, attribute)
