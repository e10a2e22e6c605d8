"""Charge, class 113 (Blue Book 4.6.4)."""

from __future__ import annotations

from devices.objects.behaviour import SUCCESS, Behaviour, Call, Outcome, number
from devices.prepayment import charges
from devices.prepayment.account import MAX, MIN
from devices.prepayment.charges import ChargeType
from devices.prepayment.review import review
from dlms.axdr.data import Data, double_long, structure
from dlms.cosem.fitting import elements_of
from dlms.xdlms.codes import ActionResult

_REFUSED = Outcome(ActionResult.OTHER_REASON)


def _update(call: Call, parameter: Data) -> Outcome:
    """A new charge_table waits in the passive unit charge."""
    passive = call.device.value(call.row, 6) or call.device.value(call.row, 5)
    parts = None if passive is None else elements_of(passive)
    if parts is None:
        return _REFUSED
    call.device.store(call.row, 6, structure(*parts[:2], parameter))
    return SUCCESS


def _activate(call: Call, parameter: Data) -> Outcome:
    """What has flowed until now is paid for at the former price."""
    if number(call, 3) == ChargeType.CONSUMPTION:
        charges.collect_consumed(call.device, call.row, call.now)
    charges.activate_passive(call.device, call.row)
    review(call.device, call.now)
    return SUCCESS


def _collect(call: Call, parameter: Data) -> Outcome:
    """Once, beside the periods that go on; a payment only can be charged for a payment."""
    kind = number(call, 3)
    if kind == ChargeType.PAYMENT:
        return _REFUSED
    if kind == ChargeType.CONSUMPTION:
        charges.collect_consumed(call.device, call.row, call.now)
    else:
        charges.collect_once(call.device, call.row, call.now)
    review(call.device, call.now)
    return SUCCESS


def _update_remaining(call: Call, parameter: Data) -> Outcome:
    assert isinstance(parameter.value, int)
    return _set(call, number(call, 12) + parameter.value)


def _set_remaining(call: Call, parameter: Data) -> Outcome:
    assert isinstance(parameter.value, int)
    return _set(call, parameter.value)


def _set(call: Call, value: int) -> Outcome:
    if not MIN <= value <= MAX:
        return _REFUSED
    call.device.store(call.row, 12, double_long(value))
    return SUCCESS


BEHAVIOUR = Behaviour(
    invoke={1: _update, 2: _activate, 3: _collect, 4: _update_remaining, 5: _set_remaining}
)
