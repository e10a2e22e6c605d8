"""What a charge takes from the credits, and what a payment gives them.

A charge is taken from the token credit down to its limit, then from credits that were invoked, in
the order of their priorities; the rest makes the token credit negative: it is owed. What is given
pays back first what is owed, then credits that must be paid back, and the rest is the balance.
"""

from __future__ import annotations

from devices.meter import Meter
from devices.prepayment.account import (
    INVOKED,
    amount,
    bit,
    credits_of,
    put_amount,
    status,
    token_credit,
)
from devices.profile.model import ObjectRow

_PAID_BACK = 2
"""Bit of credit_configuration: must be paid back."""


def give(meter: Meter, value: int) -> None:
    """Pay back what is owed, then what was borrowed; the rest is the balance."""
    token = token_credit(meter)
    owed = max(0, meter.number(token, 6) - amount(meter, token))
    put_amount(meter, token, amount(meter, token) + min(value, owed))
    value -= min(value, owed)
    for row in credits_of(meter):
        back = min(value, borrowed(meter, row))
        put_amount(meter, row, amount(meter, row) + back)
        value -= back
    put_amount(meter, token, amount(meter, token) + value)


def borrowed(meter: Meter, row: ObjectRow) -> int:
    """What of a credit must be paid back: whatever is missing of its preset amount, in whichever
    state it is by now.
    """
    if not bit(meter, row, 7, _PAID_BACK):
        return 0
    return max(0, meter.number(row, 9) - amount(meter, row))


def draw(meter: Meter, value: int) -> None:
    """Take ``value``, from whatever is there."""
    token = token_credit(meter)
    for row in credits_of(meter):
        if row is not token and status(meter, row) not in INVOKED:
            continue
        taken = min(value, max(0, amount(meter, row) - meter.number(row, 6)))
        put_amount(meter, row, amount(meter, row) - taken)
        value -= taken
    put_amount(meter, token, amount(meter, token) - value)
