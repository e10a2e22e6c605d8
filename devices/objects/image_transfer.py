"""Image transfer, class 18 (Blue Book 4.4.6): blocks in, verified, activated.

What can happen in which state is the table of :mod:`devices.objects.image_states`. Blocks come in
any order. Whether an image is good is worked out when its verification begins; how long the meter
takes to say so is a habit of its profile, and until then it answers temporary-failure.
"""

from __future__ import annotations

import datetime as dt

from devices import firmware
from devices.firmware import Flaw
from devices.happenings import Happening, happened
from devices.image import read_image
from devices.meter import Meter
from devices.objects.behaviour import SUCCESS, Behaviour, Call, Outcome, computed
from devices.objects.image_states import TABLE, Input
from devices.profile.model import ObjectRow
from devices.timekeeping import moment_of, stamp
from dlms.axdr.data import (
    Data,
    array,
    bit_string,
    double_long_unsigned,
    enum,
    octet_string,
    structure,
)
from dlms.cosem.fitting import elements_of
from dlms.cosem.image_transfer import Status
from dlms.security.ops import Step
from dlms.xdlms.codes import ActionResult

MAX_IDENTIFIER = 64
"""Octets of an image_identifier: it is kept, and shown."""

BUSY = "image busy until"
"""Figure: when the verification or activation under way is over, as a stamp."""

_FLAW = "image flaw"
"""Figure: what the verification under way will find, 0 for nothing."""

_THEN_ACTIVATE = "image to be activated"
"""Figure: 1 if the image is activated once it is verified."""

_INITIATED = 3
"""What image_transfer_initiate said is kept in the place of attribute 3, which is computed from it
and from the blocks."""

_STATUS, _INFO = 6, 7
_REFUSED = Outcome(ActionResult.OTHER_REASON)
_UNDER_WAY = Outcome(ActionResult.TEMPORARY_FAILURE)


_BUSY = (Status.VERIFYING, Status.ACTIVATING)


def status(meter: Meter, row: ObjectRow) -> Status:
    return Status(meter.number(row, _STATUS))


def block_size(meter: Meter, row: ObjectRow) -> int:
    value = meter.value(row, 2)
    assert value is not None  # the profile has been checked
    assert isinstance(value.value, int)
    return value.value


def _initiated(meter: Meter, row: ObjectRow) -> tuple[bytes, int]:
    """Identifier and size of the image; no octets if none has been announced."""
    value = meter.state.values.get((row.instance, _INITIATED))
    parts = elements_of(value) if value is not None else None
    if not parts:
        return b"", 0
    identifier, size = (part.value for part in parts)
    assert isinstance(identifier, bytes)
    assert isinstance(size, int)
    return identifier, size


def blocks(meter: Meter, row: ObjectRow) -> int:
    """How many blocks the image has."""
    return -(-_initiated(meter, row)[1] // block_size(meter, row))


def _move(meter: Meter, row: ObjectRow, what: Input) -> Status:
    """``KeyError`` if it cannot happen now."""
    after = TABLE[status(meter, row), what]
    meter.store(row, _STATUS, enum(after))
    return after


def _image(meter: Meter) -> bytes:
    return b"".join(octets for _, octets in sorted(meter.state.image.items()))


# Attributes ---------------------------------------------------------------------------------------


def _bits(meter: Meter, row: ObjectRow) -> str:
    """One for each block that is here. What runs needs no copy, but had them all."""
    count = blocks(meter, row)
    if status(meter, row) is Status.ACTIVATED:
        return "1" * count
    return "".join("1" if number in meter.state.image else "0" for number in range(count))


def _first_missing(call: Call) -> Data:
    bits = _bits(call.device, call.row)
    found = bits.find("0")
    return double_long_unsigned(len(bits) if found < 0 else found)


def _enabled(call: Call) -> bool:
    value = call.device.value(call.row, 5)
    return value is not None and bool(value.value)


def _admits(call: Call, what: Input) -> bool:
    return _enabled(call) and (status(call.device, call.row), what) in TABLE


# Methods ------------------------------------------------------------------------------------------


def _initiate(call: Call, parameter: Data) -> Outcome:
    """Whatever was here of an image is dropped, of the same one as well."""
    meter, row = call.device, call.row
    identifier, size = (part.value for part in elements_of(parameter) or ())
    assert isinstance(identifier, bytes)
    assert isinstance(size, int)
    if _enabled(call) and status(meter, row) is Status.ACTIVATING:
        return _UNDER_WAY
    if not _admits(call, Input.INITIATE) or len(identifier) > MAX_IDENTIFIER:
        return _REFUSED
    if not 0 < size <= meter.profile.habits.image_max_size:
        return _REFUSED
    _forget(meter)
    meter.state.image.clear()
    meter.store(row, _INITIATED, structure(octet_string(identifier), double_long_unsigned(size)))
    meter.store(row, _INFO, array())
    _move(meter, row, Input.INITIATE)
    return SUCCESS


def _take_block(call: Call, parameter: Data) -> Outcome:
    """A block that is here already may come again. With other octets it is refused, or takes the
    place of the former: which, the book leaves open.
    """
    meter, row = call.device, call.row
    number, octets = (part.value for part in elements_of(parameter) or ())
    assert isinstance(number, int)
    assert isinstance(octets, bytes)
    if _enabled(call) and status(meter, row) in _BUSY:
        return _UNDER_WAY
    if not _admits(call, Input.BLOCK) or len(octets) != _length_of(meter, row, number):
        return _REFUSED
    former = meter.state.image.get(number, octets)
    if former != octets and not meter.profile.habits.image_replaces_blocks:
        return _REFUSED
    meter.state.image[number] = octets
    _move(meter, row, Input.BLOCK)
    return SUCCESS


def _length_of(meter: Meter, row: ObjectRow, number: int) -> int:
    """Octets of a block: the last one may be short, and what is behind it has none."""
    whole = block_size(meter, row)
    return max(min(whole, _initiated(meter, row)[1] - number * whole), 0) or -1


def _verify(call: Call, parameter: Data) -> Outcome | Step[Outcome]:
    if _enabled(call) and status(call.device, call.row) in _BUSY:
        return _UNDER_WAY
    if not _admits(call, Input.VERIFY):
        return _REFUSED
    return _begin_verification(call, then_activate=False)


def _activate(call: Call, parameter: Data) -> Outcome | Step[Outcome]:
    """An image that has not been verified yet is verified first. Not so from a script, where there
    is nobody to do the cryptography: it is not activated then.
    """
    meter, row = call.device, call.row
    if _enabled(call) and status(meter, row) in _BUSY:
        return _UNDER_WAY
    if _admits(call, Input.ACTIVATE):
        begin_activation(meter, row, call.now)
        return _outcome(status(meter, row))
    if _admits(call, Input.VERIFY):
        return _begin_verification(call, then_activate=True)
    return _REFUSED


def _outcome(reached: Status) -> Outcome:
    if reached in _BUSY:
        return _UNDER_WAY
    return SUCCESS if reached in (Status.VERIFIED, Status.ACTIVATED) else _REFUSED


# What takes its time ------------------------------------------------------------------------------


def _begin_verification(call: Call, *, then_activate: bool) -> Step[Outcome]:
    meter, row, now = call.device, call.row, call.now
    flaw: Flaw | None = Flaw.INCOMPLETE
    if len(meter.state.image) == blocks(meter, row):
        flaw = yield from firmware.judge(meter, _image(meter))
    # Blocks that are missing are seen at once.
    lasts = 0 if flaw is Flaw.INCOMPLETE else meter.profile.habits.image_verification
    figures = meter.state.figures
    figures[_FLAW] = flaw or 0
    figures[_THEN_ACTIVATE] = int(then_activate)
    figures[BUSY] = stamp(now + dt.timedelta(seconds=lasts))
    meter.store(row, _INFO, array())
    _move(meter, row, Input.VERIFY)
    settle(meter, row, now)
    return _outcome(status(meter, row))


def begin_activation(meter: Meter, row: ObjectRow, now: dt.datetime) -> None:
    """Begin to activate a verified image, and finish if that takes no time."""
    lasts = dt.timedelta(seconds=meter.profile.habits.image_activation)
    meter.state.figures[BUSY] = stamp(now + lasts)
    _move(meter, row, Input.ACTIVATE)
    settle(meter, row, now)


def over(meter: Meter) -> dt.datetime | None:
    """When what is under way is over; ``None`` if nothing is."""
    busy = meter.state.figures.get(BUSY)
    return None if busy is None else moment_of(busy)


def settle(meter: Meter, row: ObjectRow, now: dt.datetime) -> None:
    """Bring to its end what is over at the true time ``now``."""
    while (busy := meter.state.figures.get(BUSY)) is not None and busy <= stamp(now):
        if status(meter, row) is Status.VERIFYING:
            _end_verification(meter, row, now)
        else:
            _end_activation(meter, row, now)


def _end_verification(meter: Meter, row: ObjectRow, now: dt.datetime) -> None:
    flaw = meter.state.figures[_FLAW]
    then_activate = meter.state.figures[_THEN_ACTIVATE]
    _forget(meter)
    if flaw:
        _move(meter, row, Input.NOT_VERIFIED)
        happened(meter, Happening.FIRMWARE_VERIFICATION_FAILED, now, flaw)
        return
    octets = _image(meter)
    identifier, size = _initiated(meter, row)
    seal = read_image(octets).seal
    info = structure(double_long_unsigned(size), octet_string(identifier), octet_string(seal))
    meter.store(row, _INFO, array(info))
    firmware.note_verified(meter, octets)
    _move(meter, row, Input.VERIFIED)
    happened(meter, Happening.FIRMWARE_VERIFIED, now)
    if then_activate:
        begin_activation(meter, row, now)


def _end_activation(meter: Meter, row: ObjectRow, now: dt.datetime) -> None:
    """What runs then begins anew: connections and associations are gone."""
    _forget(meter)
    if not firmware.run(meter, _image(meter)):
        _move(meter, row, Input.NOT_ACTIVATED)
        happened(meter, Happening.COMMAND_REFUSED, now, row.interface_class.class_id)
        return
    meter.state.image.clear()
    _move(meter, row, Input.ACTIVATED)
    happened(meter, Happening.COMMAND_DONE, now, row.interface_class.class_id)
    meter.restart_wanted = True


def _forget(meter: Meter) -> None:
    for name in (BUSY, _FLAW, _THEN_ACTIVATE):
        meter.state.figures.pop(name, None)


BEHAVIOUR = Behaviour(
    read={
        3: computed(lambda call: bit_string(_bits(call.device, call.row))),
        4: computed(_first_missing),
    },
    invoke={1: _initiate, 2: _take_block, 3: _verify, 4: _activate},
)
