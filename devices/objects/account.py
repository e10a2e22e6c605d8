"""Account, Credit and Charge, classes 111 to 113 (Blue Book 4.6.2 to 4.6.4)."""

from __future__ import annotations

from collections.abc import Callable

from devices import prepayment
from devices.meter import Meter
from devices.objects.behaviour import SUCCESS, Behaviour, Call, Invoke, Outcome, computed, number
from devices.prepayment import AccountStatus
from devices.profile.model import ObjectRow
from dlms.axdr.data import (
    Data,
    DataType,
    bit_string,
    double_long,
    enum,
    structure,
    unsigned,
)
from dlms.xdlms.codes import ActionResult, DataAccessResult

_SET_AMOUNT = 2  # method set_amount_to_value of a Credit
_MODES = (1, 2)  # credit, prepayment
_IN_CREDIT, _LOW_CREDIT, _OUT_OF_CREDIT = 0, 1, 6


def _mode_and_status(call: Call) -> tuple[int, int]:
    value = call.device.value(call.row, 2)
    if value is None or not isinstance(value.value, tuple):
        return 1, AccountStatus.NEW
    mode, status = (part.value for part in value.value)
    assert isinstance(mode, int)
    assert isinstance(status, int)
    return mode, status


def _write_mode(call: Call, value: Data) -> DataAccessResult:
    """The payment mode may be changed; the status changes by methods only."""
    parts = value.value
    assert isinstance(parts, tuple)
    if [part.type for part in parts] != [DataType.ENUM, DataType.ENUM]:
        return DataAccessResult.TYPE_UNMATCHED
    mode, status = (part.value for part in parts)
    if mode not in _MODES or status != _mode_and_status(call)[1]:
        return DataAccessResult.OTHER_REASON
    call.device.store(call.row, 2, value)
    return DataAccessResult.SUCCESS


def _status_bits(call: Call) -> Data:
    balance = prepayment.balance(call.device)
    low = balance <= number(call, 16)
    bits = ["0"] * 8
    bits[_IN_CREDIT] = "1" if balance > 0 else "0"
    bits[_LOW_CREDIT] = "1" if balance > 0 and low else "0"
    bits[_OUT_OF_CREDIT] = "1" if balance <= 0 else "0"
    return bit_string("".join(bits))


def _move(allowed: AccountStatus, after: AccountStatus) -> Invoke:
    def move(call: Call, parameter: Data) -> Outcome:
        mode, status = _mode_and_status(call)
        if status != allowed:
            return Outcome(ActionResult.OTHER_REASON)
        call.device.store(call.row, 2, structure(enum(mode), enum(after)))
        return SUCCESS

    return move


ACCOUNT = Behaviour(
    read={
        3: computed(lambda call: unsigned(1)),
        4: computed(_status_bits),
        5: computed(lambda call: double_long(prepayment.balance(call.device))),
        6: computed(lambda call: double_long(max(0, -prepayment.balance(call.device)))),
    },
    write={2: _write_mode},
    invoke={
        1: _move(AccountStatus.NEW, AccountStatus.ACTIVE),
        2: _move(AccountStatus.ACTIVE, AccountStatus.CLOSED),
        3: _move(AccountStatus.CLOSED, AccountStatus.NEW),
    },
)


def _change(
    call: Call, parameter: Data, change: Callable[[Meter, ObjectRow, int], None]
) -> Outcome:
    assert isinstance(parameter.value, int)
    try:
        change(call.device, call.row, parameter.value)
    except prepayment.CreditRefused:
        return Outcome(ActionResult.OTHER_REASON)
    return SUCCESS


def _update_amount(call: Call, parameter: Data) -> Outcome:
    """Taking credit away is no top-up: it takes the right to set the amount, too."""
    assert isinstance(parameter.value, int)
    rights = call.row.rights[call.association.name]
    if parameter.value < 0 and _SET_AMOUNT not in rights.methods:
        return Outcome(ActionResult.READ_WRITE_DENIED)
    return _change(call, parameter, prepayment.add_credit)


def _set_amount(call: Call, parameter: Data) -> Outcome:
    return _change(call, parameter, prepayment.set_credit)


CREDIT = Behaviour(invoke={1: _update_amount, _SET_AMOUNT: _set_amount})

CHARGE = Behaviour()
