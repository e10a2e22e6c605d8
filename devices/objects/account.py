"""Account and Credit, classes 111 and 112 (Blue Book 4.6.2, 4.6.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from devices.agenda import END_OF_BILLING
from devices.happenings import Happening, happened
from devices.meter import Meter
from devices.objects.behaviour import SUCCESS, Behaviour, Call, Invoke, Outcome, computed, number
from devices.prepayment import account
from devices.prepayment.account import AccountStatus, CreditStatus, CreditType
from devices.prepayment.charges import charges_of, close_books
from devices.prepayment.credits import borrowed
from devices.prepayment.review import invoke, review
from devices.prepayment.top_up import (
    AboveMaximumBalance,
    AboveMaximumCredit,
    CreditRefused,
    add_credit,
    set_credit,
)
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

_REFUSALS = {
    AboveMaximumCredit: Happening.TOKEN_EXCEEDS_CREDIT_THRESHOLD,
    AboveMaximumBalance: Happening.CREDIT_WOULD_EXCEED_BALANCE,
}


def _write_mode(call: Call, value: Data) -> DataAccessResult:
    """The payment mode may be changed; the status changes by methods only. A change ends a billing
    period and never interrupts the supply.
    """
    parts = value.value
    assert isinstance(parts, tuple)
    if [part.type for part in parts] != [DataType.ENUM, DataType.ENUM]:
        return DataAccessResult.TYPE_UNMATCHED
    mode, status = (part.value for part in parts)
    before = account.pair(call.device.value(call.row, 2))
    if mode not in _MODES or status != before[1]:
        return DataAccessResult.OTHER_REASON
    close_books(call.device, call.now)
    call.device.store(call.row, 2, value)
    if mode != before[0]:
        call.device.agenda.call_for(END_OF_BILLING, 1)
        review(call.device, call.now)
    return DataAccessResult.SUCCESS


# current_credit_status ----------------------------------------------------------------------------


def _status_bits(call: Call) -> Data:
    meter = call.device
    available = account.available(meter)
    others = [
        account.status(meter, row)
        for row in account.credits_of(meter)
        if meter.number(row, 3) != CreditType.TOKEN
    ]
    return bit_string(
        "".join(
            "1" if bit else "0"
            for bit in (
                available > 0,
                0 < available <= number(call, 16),
                CreditStatus.ENABLED in others,
                CreditStatus.SELECTABLE in others,
                CreditStatus.SELECTED in others,
                CreditStatus.IN_USE in others,
                available <= 0,
                False,
            )
        )
    )


def _in_use(call: Call) -> Data:
    """The place in credit_reference_list, from 1, of the credit that charges are taken from."""
    value = call.device.value(call.row, 9)
    listed = value.value if value is not None and isinstance(value.value, tuple) else ()
    for row in account.credits_of(call.device):
        if account.status(call.device, row) is CreditStatus.IN_USE:
            for place, reference in enumerate(listed, 1):
                if reference.value == row.instance:
                    return unsigned(place)
    return unsigned(0)


def _to_clear(call: Call) -> Data:
    """What has to be paid before there is a balance again: what is owed, what was borrowed."""
    meter = call.device
    owed = max(0, -account.balance(meter))
    owed += sum(borrowed(meter, row) for row in account.credits_of(meter))
    return double_long(min(owed + number(call, 7) if owed else 0, account.MAX))


def _debt(call: Call) -> Data:
    """aggregated_debt: what the charges are still to collect."""
    remaining = (call.device.number(row, 12) for row in charges_of(call.device))
    return double_long(min(sum(remaining), account.MAX))


def _move(allowed: AccountStatus, after: AccountStatus) -> Invoke:
    def move(call: Call, parameter: Data) -> Outcome:
        mode, status = account.pair(call.device.value(call.row, 2))
        if status != allowed:
            return Outcome(ActionResult.OTHER_REASON)
        close_books(call.device, call.now)
        call.device.store(call.row, 2, structure(enum(mode), enum(after)))
        review(call.device, call.now)
        return SUCCESS

    return move


ACCOUNT = Behaviour(
    read={
        3: computed(_in_use),
        4: computed(_status_bits),
        5: computed(lambda call: double_long(account.available(call.device))),
        6: computed(_to_clear),
        8: computed(_debt),
    },
    write={2: _write_mode},
    invoke={
        1: _move(AccountStatus.NEW, AccountStatus.ACTIVE),
        2: _move(AccountStatus.ACTIVE, AccountStatus.CLOSED),
        3: _move(AccountStatus.CLOSED, AccountStatus.NEW),
    },
)


# Credits ------------------------------------------------------------------------------------------


def _change(
    call: Call, parameter: Data, change: Callable[[Meter, ObjectRow, int, dt.datetime], None]
) -> Outcome:
    assert isinstance(parameter.value, int)
    try:
        change(call.device, call.row, parameter.value, call.now)
    except CreditRefused as refusal:
        told = _REFUSALS.get(type(refusal))
        if told is not None:
            happened(call.device, told, call.now, parameter.value)
        return Outcome(ActionResult.OTHER_REASON)
    return SUCCESS


def _update_amount(call: Call, parameter: Data) -> Outcome:
    """Taking credit away is no top-up: it takes the right to set the amount, too."""
    assert isinstance(parameter.value, int)
    rights = call.row.rights[call.association.name]
    if parameter.value < 0 and _SET_AMOUNT not in rights.methods:
        return Outcome(ActionResult.READ_WRITE_DENIED)
    return _change(call, parameter, add_credit)


def _set_amount(call: Call, parameter: Data) -> Outcome:
    return _change(call, parameter, set_credit)


def _invoke(call: Call, parameter: Data) -> Outcome:
    done = invoke(call.device, call.row, call.now)
    return SUCCESS if done else Outcome(ActionResult.OTHER_REASON)


CREDIT = Behaviour(invoke={1: _update_amount, _SET_AMOUNT: _set_amount, 3: _invoke})
