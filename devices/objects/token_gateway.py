"""Token gateway, class 115 (Blue Book 4.6.5): checks in order, credit added exactly once.

The method enter succeeds only if the token was executed; token_status says how far it got.
"""

from __future__ import annotations

import hmac
from enum import IntEnum

from devices import prepayment
from devices.objects.behaviour import SUCCESS, Behaviour, Call, Outcome
from devices.objects.clock import clock_octets
from devices.token import TokenFormatError, read_token, token_mac
from dlms.axdr.data import Data, array, bit_string, enum, octet_string, structure
from dlms.security.keys import KeyKind
from dlms.security.ops import CryptoFailure, Step
from dlms.xdlms.codes import ActionResult

TOKEN_SCOPE = "prepayment"
"""Security scope of the token key: it belongs to the meter's account, not to an association."""

_REMOTE = 0
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


def _enter(call: Call, parameter: Data) -> Step[Outcome]:
    digits = parameter.value
    assert isinstance(digits, bytes)
    status = yield from _judge(call, digits)
    call.device.store(call.row, 2, octet_string(digits[:_MAX_KEPT]))
    call.device.store(call.row, 3, octet_string(clock_octets(call)))
    call.device.store(call.row, 4, array(octet_string(b"credit")))
    call.device.store(call.row, 5, enum(_REMOTE))
    call.device.store(call.row, 6, structure(enum(status), bit_string("")))
    if status is TokenStatus.EXECUTION_OK:
        return SUCCESS
    return Outcome(ActionResult.OTHER_REASON)


def _judge(call: Call, digits: bytes) -> Step[TokenStatus]:
    device = call.device
    try:
        token = read_token(digits)
    except TokenFormatError:
        return TokenStatus.FORMAT_FAILURE
    try:
        mac = yield from token_mac(token, device.key(TOKEN_SCOPE, KeyKind.TOKEN), device.title)
    except CryptoFailure:
        return TokenStatus.AUTHENTICATION_FAILURE
    if not hmac.compare_digest(mac, token.mac):
        return TokenStatus.AUTHENTICATION_FAILURE
    if token.counter in device.state.used_tokens:
        return TokenStatus.VALIDATION_FAILURE
    # Two decimal places of a pound to the account's own unit.
    value = token.pence * 10 ** (-2 - device.profile.currency_scale)
    try:
        prepayment.add_credit(device, prepayment.token_credit(device), value)
    except prepayment.CreditRefused:
        return TokenStatus.VALIDATION_FAILURE
    device.state.used_tokens.add(token.counter)
    return TokenStatus.EXECUTION_OK


BEHAVIOUR = Behaviour(invoke={1: _enter})
