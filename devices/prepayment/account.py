"""The account of a meter: its mode and state, and its Credits (Blue Book 4.6.2, 4.6.3).

Amounts are in the account's currency unit (attribute 15 of the Account). The token credit is the
meter's balance; it may be negative.
"""

from __future__ import annotations

from enum import IntEnum

from devices.meter import Meter
from devices.profile.model import ObjectRow
from dlms.axdr.data import Data, double_long, enum
from dlms.cosem import classes

MIN, MAX = -(2**31), 2**31 - 1
_CREDIT_MODE, _PREPAYMENT_MODE = 1, 2


class AccountStatus(IntEnum):
    NEW = 1
    ACTIVE = 2
    CLOSED = 3


class CreditType(IntEnum):
    TOKEN = 0
    EMERGENCY = 2


class CreditStatus(IntEnum):
    ENABLED = 0
    SELECTABLE = 1
    SELECTED = 2
    IN_USE = 3
    CONSUMED = 4


INVOKED = (CreditStatus.SELECTED, CreditStatus.IN_USE)


def account_of(meter: Meter) -> ObjectRow | None:
    """The Account, if the meter has one."""
    return next(iter(meter.profile.of_class(classes.ACCOUNT)), None)


def credits_of(meter: Meter) -> list[ObjectRow]:
    """The Credits that are in use at all (priority above 0), the first to be used first."""
    used = [row for row in meter.profile.of_class(classes.CREDIT) if meter.number(row, 4)]
    return sorted(used, key=lambda row: (meter.number(row, 4), row.instance))


def token_credit(meter: Meter) -> ObjectRow:
    """The Credit that tokens go to. ``LookupError`` if the meter has none."""
    for row in meter.profile.of_class(classes.CREDIT):
        if meter.number(row, 3) == CreditType.TOKEN:
            return row
    raise LookupError("no token credit")


def bit(meter: Meter, row: ObjectRow, attribute: int, place: int) -> bool:
    """One bit of a stored bit-string, counted from 0; false beyond its end."""
    value = meter.value(row, attribute)
    text = value.value if value is not None and isinstance(value.value, str) else ""
    return text[place : place + 1] == "1"


def amount(meter: Meter, row: ObjectRow) -> int:
    """current_credit_amount."""
    return meter.number(row, 2)


def put_amount(meter: Meter, row: ObjectRow, value: int) -> None:
    """What a double-long cannot hold stays at its end: a meter's counter does not go round."""
    meter.store(row, 2, double_long(min(max(value, MIN), MAX)))


def status(meter: Meter, row: ObjectRow) -> CreditStatus:
    return CreditStatus(min(meter.number(row, 8), CreditStatus.CONSUMED))


def put_status(meter: Meter, row: ObjectRow, value: CreditStatus) -> None:
    if status(meter, row) is not value:
        meter.store(row, 8, enum(value))


def balance(meter: Meter) -> int:
    """What the meter shows as its balance: the token credit."""
    return amount(meter, token_credit(meter))


def available(meter: Meter) -> int:
    """available_credit: the token credit, and what other credits have that were invoked."""
    total = balance(meter)
    for row in credits_of(meter):
        if meter.number(row, 3) != CreditType.TOKEN and status(meter, row) in INVOKED:
            total += amount(meter, row)
    return total


def mode_and_status(meter: Meter) -> tuple[int, int]:
    """Payment mode and account status; credit mode and new if the meter has no account."""
    row = account_of(meter)
    return pair(None if row is None else meter.value(row, 2))


def pair(value: Data | None) -> tuple[int, int]:
    if value is None or not isinstance(value.value, tuple):
        return _CREDIT_MODE, AccountStatus.NEW
    mode, account = (part.value for part in value.value)
    assert isinstance(mode, int)
    assert isinstance(account, int)
    return mode, account


def is_closed(meter: Meter) -> bool:
    """Whether the account is closed: it then takes no more credit (KL-PP-05)."""
    return mode_and_status(meter)[1] == AccountStatus.CLOSED


def prepays(meter: Meter) -> bool:
    """Whether credit is used up here: an active account in prepayment mode."""
    return mode_and_status(meter) == (_PREPAYMENT_MODE, AccountStatus.ACTIVE)
