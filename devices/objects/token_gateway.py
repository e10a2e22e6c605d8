"""Token gateway, class 115 (Blue Book 4.6.5): checks in order, credit added exactly once.

The method enter succeeds only if the token was executed; token_status says how far it got.
"""

from __future__ import annotations

import datetime as dt
import hmac
from enum import IntEnum

from devices.happenings import Happening, happened
from devices.meter import Meter
from devices.objects.behaviour import SUCCESS, Behaviour, Call, Outcome
from devices.prepayment import lockout
from devices.prepayment.account import token_credit
from devices.prepayment.top_up import (
    AboveMaximumBalance,
    AboveMaximumCredit,
    CreditRefused,
    add_credit,
)
from devices.profile.model import ObjectRow
from devices.timekeeping import clock_octets
from devices.token import TokenFormatError, read_token, token_mac
from dlms.axdr.data import Data, array, bit_string, enum, octet_string, structure
from dlms.security.keys import KeyKind
from dlms.security.ops import CryptoFailure, Step
from dlms.xdlms.codes import ActionResult

TOKEN_SCOPE = "prepayment"
"""Security scope of the token key: it belongs to the meter's account, not to an association."""

_MAX_KEPT = 64
"""Octets of a refused token that are kept for display: no meter shows more."""


class TokenStatus(IntEnum):
    FORMAT_OK = 0
    AUTHENTICATION_OK = 1
    VALIDATION_OK = 2
    EXECUTION_OK = 3
    FORMAT_FAILURE = 4
    AUTHENTICATION_FAILURE = 5
    VALIDATION_FAILURE = 6
    EXECUTION_FAILURE = 7
    RECEIVED = 8


class Delivery(IntEnum):
    """token_delivery_method."""

    REMOTE = 0
    LOCAL = 1
    MANUAL = 2


_TOLD = {
    TokenStatus.FORMAT_FAILURE: Happening.TOKEN_NOT_AUTHENTIC,
    TokenStatus.AUTHENTICATION_FAILURE: Happening.TOKEN_NOT_AUTHENTIC,
}
_REFUSALS = {
    AboveMaximumCredit: Happening.TOKEN_EXCEEDS_CREDIT_THRESHOLD,
    AboveMaximumBalance: Happening.CREDIT_WOULD_EXCEED_BALANCE,
}


def _enter(call: Call, parameter: Data) -> Step[Outcome]:
    digits = parameter.value
    assert isinstance(digits, bytes)
    status = yield from enter(call.device, call.row, digits, call.now, Delivery.REMOTE)
    if status is TokenStatus.EXECUTION_OK:
        return SUCCESS
    return Outcome(ActionResult.OTHER_REASON)


def enter(
    meter: Meter, row: ObjectRow, digits: bytes, now: dt.datetime, delivery: Delivery
) -> Step[TokenStatus]:
    """Take a token, whichever way it came."""
    if lockout.is_locked(meter, now):
        happened(meter, Happening.TOKEN_REFUSED_LOCKED_OUT, now)
        status = TokenStatus.EXECUTION_FAILURE
    else:
        status = yield from _judge(meter, digits, now)
        if status is TokenStatus.EXECUTION_OK:
            lockout.succeeded(meter)
            if delivery is not Delivery.REMOTE:
                happened(meter, Happening.CREDIT_ADDED_LOCALLY, now)
        elif lockout.failed(meter, now):
            happened(meter, Happening.TOKEN_ENTRY_SUSPENDED, now)
    meter.store(row, 2, octet_string(digits[:_MAX_KEPT]))
    meter.store(row, 3, octet_string(clock_octets(meter, now)))
    meter.store(row, 4, array(octet_string(b"credit")))
    meter.store(row, 5, enum(delivery))
    meter.store(row, 6, structure(enum(status), bit_string("")))
    return status


def _judge(meter: Meter, digits: bytes, now: dt.datetime) -> Step[TokenStatus]:
    """Judge a token and, if it is good, carry it out."""
    status, told = yield from _execute(meter, digits, now)
    told = _TOLD.get(status, told)
    if told is not None:
        happened(meter, told, now)
    return status


def _execute(
    meter: Meter, digits: bytes, now: dt.datetime
) -> Step[tuple[TokenStatus, Happening | None]]:
    try:
        token = read_token(digits)
    except TokenFormatError:
        return TokenStatus.FORMAT_FAILURE, None
    try:
        mac = yield from token_mac(token, meter.key(TOKEN_SCOPE, KeyKind.TOKEN), meter.title)
    except CryptoFailure:
        return TokenStatus.AUTHENTICATION_FAILURE, None
    if not hmac.compare_digest(mac, token.mac):
        return TokenStatus.AUTHENTICATION_FAILURE, None
    if token.counter in meter.state.used_tokens:
        return TokenStatus.VALIDATION_FAILURE, Happening.DUPLICATE_TOKEN
    # Two decimal places of a pound to the account's own unit.
    value = token.pence * 10 ** (-2 - meter.profile.currency_scale)
    try:
        add_credit(meter, token_credit(meter), value, now)
    except CreditRefused as refusal:
        return TokenStatus.VALIDATION_FAILURE, _REFUSALS.get(type(refusal))
    meter.state.used_tokens.add(token.counter)
    return TokenStatus.EXECUTION_OK, None


BEHAVIOUR = Behaviour(invoke={1: _enter})
