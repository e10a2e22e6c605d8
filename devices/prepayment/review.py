"""What follows from the amounts of the credits: their states, alerts, the supply.

The states are those of the Blue Book (4.6.3), their order of events as GBCS alerts have it: a low
credit, the emergency credit on offer, activated, exhausted, the supply gone.
"""

from __future__ import annotations

import datetime as dt

from devices import supply
from devices.happenings import Happening, happened
from devices.meter import Meter
from devices.prepayment.account import (
    INVOKED,
    CreditStatus,
    account_of,
    amount,
    available,
    bit,
    credits_of,
    prepays,
    put_status,
    status,
    token_credit,
)
from devices.prepayment.friendly import is_friendly
from devices.profile.model import ObjectRow

LOW = "low credit"
SUSPENDED = "disablement suspended"
"""Figures: 1 while it is so, that it is told once."""

_CONFIRMED = 1
"""Bit of credit_configuration: needs confirmation to be selected."""


def invoke(meter: Meter, row: ObjectRow, now: dt.datetime) -> bool:
    """Select a Credit that is selectable; false if it is not."""
    if status(meter, row) is not CreditStatus.SELECTABLE:
        return False
    put_status(meter, row, CreditStatus.SELECTED)
    happened(meter, Happening.EMERGENCY_CREDIT_ACTIVATED, now, amount(meter, row))
    review(meter, now)
    return True


def review(meter: Meter, now: dt.datetime) -> None:
    """Give every Credit the state that its amount makes, say what is to be said, and open or arm
    the supply.
    """
    if not prepays(meter):
        supply.release(meter, now)
        return
    token = token_credit(meter)
    left = amount(meter, token)
    has_left = left > meter.number(token, 6)
    put_status(meter, token, CreditStatus.IN_USE if has_left else CreditStatus.CONSUMED)
    for row in credits_of(meter):
        if row is not token:
            _review_credit(meter, row, left, has_left, now)
    _review_level(meter, now)
    _review_supply(meter, now)


def _review_credit(
    meter: Meter, row: ObjectRow, left: int, has_left: bool, now: dt.datetime
) -> None:
    """One credit behind the token credit, of which ``left`` is there."""
    before = status(meter, row)
    has_amount = amount(meter, row) > meter.number(row, 6)
    offered = left <= meter.number(row, 10)
    after = before
    if before in INVOKED:
        after = CreditStatus.SELECTED if has_left else CreditStatus.IN_USE
        if not has_amount:
            after = CreditStatus.CONSUMED
            happened(meter, Happening.EMERGENCY_CREDIT_EXHAUSTED, now)
        elif not offered and amount(meter, row) >= meter.number(row, 9):
            after = CreditStatus.ENABLED  # paid back, and not needed
    elif before is CreditStatus.CONSUMED:
        if has_amount:
            after = CreditStatus.ENABLED
    elif not offered:
        after = CreditStatus.ENABLED
    if after is CreditStatus.ENABLED and offered and has_amount:
        after = CreditStatus.SELECTABLE
        happened(meter, Happening.EMERGENCY_CREDIT_AVAILABLE, now, amount(meter, row))
        if not bit(meter, row, 7, _CONFIRMED):
            after = CreditStatus.SELECTED if has_left else CreditStatus.IN_USE
            happened(meter, Happening.EMERGENCY_CREDIT_ACTIVATED, now, amount(meter, row))
    put_status(meter, row, after)


def _review_level(meter: Meter, now: dt.datetime) -> None:
    """Below the low credit threshold: told once."""
    account = account_of(meter)
    figures = meter.state.figures
    if account is None or available(meter) > meter.number(account, 16):
        figures.pop(LOW, None)
    elif not figures.get(LOW):
        figures[LOW] = 1
        happened(meter, Happening.LOW_CREDIT, now, available(meter))


def _review_supply(meter: Meter, now: dt.datetime) -> None:
    """At or below the disablement threshold the supply goes, if it is not the hour for friends."""
    figures = meter.state.figures
    if available(meter) > meter.profile.habits.disablement_threshold:
        figures.pop(SUSPENDED, None)
        supply.release(meter, now)
        return
    if is_friendly(meter, now):
        if not figures.get(SUSPENDED):
            figures[SUSPENDED] = 1
            happened(meter, Happening.DISABLEMENT_SUSPENDED, now, available(meter))
        return
    figures.pop(SUSPENDED, None)
    if supply.is_connected(meter):
        happened(meter, Happening.CREDIT_BELOW_DISABLEMENT_THRESHOLD, now, available(meter))
        supply.withhold(meter, now)
