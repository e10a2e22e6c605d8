"""Credit is added, or set, here and nowhere else."""

from __future__ import annotations

import datetime as dt

from devices.meter import Meter
from devices.prepayment.account import (
    MAX,
    MIN,
    CreditType,
    amount,
    is_closed,
    put_amount,
)
from devices.prepayment.charges import pay
from devices.prepayment.credits import give
from devices.prepayment.review import review
from devices.profile.model import ObjectRow


class CreditRefused(Exception):
    """Credit was not added: too much at once, more than the account may hold, or it is closed."""


class AboveMaximumCredit(CreditRefused):
    """More than may be added at once."""


class AboveMaximumBalance(CreditRefused):
    """More than the account may hold."""


def add_credit(meter: Meter, row: ObjectRow, value: int, now: dt.datetime) -> None:
    """Add ``value`` to a Credit. :class:`CreditRefused` leaves everything as it was.

    What is added to the token credit is a payment and pays back first; less than nothing is taken
    away from the Credit itself.
    """
    new = amount(meter, row) + value
    check(meter, value, new)
    if value > 0 and meter.number(row, 3) == CreditType.TOKEN:
        give(meter, pay(meter, value, now))
    else:
        put_amount(meter, row, new)
    review(meter, now)


def set_credit(meter: Meter, row: ObjectRow, value: int, now: dt.datetime) -> None:
    """Set a Credit to ``value``. :class:`CreditRefused` leaves everything as it was."""
    check(meter, 0, value)
    put_amount(meter, row, value)
    review(meter, now)


def check(meter: Meter, value: int, new: int) -> None:
    """:class:`CreditRefused` if ``value`` may not be added, so that ``new`` is there."""
    if is_closed(meter):
        raise CreditRefused("the account is closed")
    if value > meter.profile.max_credit:
        raise AboveMaximumCredit("more than may be added at once")
    if new > meter.profile.max_balance:
        raise AboveMaximumBalance("more than the account may hold")
    if not MIN <= new <= MAX:
        raise CreditRefused("out of the range of double-long")
