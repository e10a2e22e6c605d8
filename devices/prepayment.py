"""The prepayment account of a meter: what holds Account, Credits and Token gateway together.

Amounts are in the account's currency unit (attribute 15 of the Account). The token credit is the
meter's balance; it may be negative. Credit is added by :func:`add_credit` and nowhere else.
"""

from __future__ import annotations

from enum import IntEnum

from devices.meter import Meter
from devices.profile.model import ObjectRow
from dlms.axdr.data import double_long
from dlms.cosem import classes

_MIN, _MAX = -(2**31), 2**31 - 1


class AccountStatus(IntEnum):
    NEW = 1
    ACTIVE = 2
    CLOSED = 3


class CreditType(IntEnum):
    TOKEN = 0
    EMERGENCY = 2


class CreditRefused(Exception):
    """Credit was not added: too much at once, more than the account may hold, or it is closed."""


def credits_of(device: Meter) -> list[ObjectRow]:
    """The Credit objects, by their logical names."""
    rows = device.profile.objects.values()
    return sorted(
        (row for row in rows if row.interface_class is classes.CREDIT),
        key=lambda row: row.instance,
    )


def token_credit(device: Meter) -> ObjectRow:
    """The Credit that tokens go to. ``LookupError`` if the meter has none."""
    for row in credits_of(device):
        value = device.value(row, 3)
        if value is not None and value.value == CreditType.TOKEN:
            return row
    raise LookupError("no token credit")


def amount(device: Meter, row: ObjectRow) -> int:
    """current_credit_amount."""
    value = device.value(row, 2)
    return value.value if value is not None and isinstance(value.value, int) else 0


def balance(device: Meter) -> int:
    """What the meter shows as its balance."""
    return amount(device, token_credit(device))


def is_closed(device: Meter) -> bool:
    """Whether the account is closed: it then takes no more credit (KL-PP-05)."""
    for row in device.profile.objects.values():
        value = device.value(row, 2) if row.interface_class is classes.ACCOUNT else None
        if value is not None and isinstance(value.value, tuple):
            status: object = value.value[1].value
            return status == AccountStatus.CLOSED
    return False


def add_credit(device: Meter, row: ObjectRow, value: int) -> None:
    """Add ``value`` to a Credit. :class:`CreditRefused` leaves everything as it was."""
    profile = device.profile
    new = amount(device, row) + value
    if is_closed(device):
        raise CreditRefused("the account is closed")
    if value > profile.max_credit:
        raise CreditRefused("more than may be added at once")
    if new > profile.max_balance:
        raise CreditRefused("more than the account may hold")
    if not _MIN <= new <= _MAX:
        raise CreditRefused("out of the range of double-long")
    device.store(row, 2, double_long(new))


def set_credit(device: Meter, row: ObjectRow, value: int) -> None:
    """Set a Credit to ``value``. :class:`CreditRefused` leaves everything as it was."""
    if is_closed(device):
        raise CreditRefused("the account is closed")
    if value > device.profile.max_balance:
        raise CreditRefused("more than the account may hold")
    device.store(row, 2, double_long(value))
