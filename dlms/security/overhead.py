"""How much longer an APDU gets by being protected (GB Ed. 8, 9.2.7.2.4, Figures 83 to 85)."""

from __future__ import annotations

from functools import lru_cache

from dlms.octets import encode_length
from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.key_choice import KeyChoice
from dlms.security.layers import TRANSACTION_ID_LENGTH
from dlms.security.ops import IV_TITLE_LENGTH, TAG_LENGTH
from dlms.security.protect import Shape
from dlms.security.suites import SUITES, Suite

_SECURITY_HEADER = 1 + 4
"""SC and IC."""
_TITLE = 1 + IV_TITLE_LENGTH


@lru_cache(maxsize=1024)
def overhead(pdu_size: int, shape: Shape, suite: int) -> int:
    """The octets that ``shape`` adds to an APDU that is to have at most ``pdu_size`` with them."""
    length = len(encode_length(pdu_size))  # of whatever is inside, which is no longer
    header = 1 + (len(shape.transaction_id) or TRANSACTION_ID_LENGTH) + 2 * _TITLE + 1 + 1
    added = 0
    if shape.protection & Protection.SIGNED:
        added += 1 + header + length + _signature(SUITES[suite])
    if not shape.protection.octet and shape.form is not Form.CIPHERING:
        return added
    added += 1 + length + _SECURITY_HEADER
    if shape.form is Form.CIPHERING:
        added += header + _key_info(shape, SUITES[suite])
    elif shape.form is Form.GENERAL or shape.protection & Protection.SIGNED:
        added += _TITLE
    if shape.protection & Protection.AUTHENTICATED:
        added += TAG_LENGTH
    return added


def _signature(suite: Suite) -> int:
    octets = 0 if suite.curve is None else 2 * suite.curve.value
    return octets + len(encode_length(octets))


def _key_info(shape: Shape, suite: Suite) -> int:
    """Present, choice, and what goes with the choice."""
    choice = KeyChoice.BROADCAST if shape.family is Family.BROADCAST else shape.choice
    match choice:
        case KeyChoice.NONE:
            return 1
        case KeyChoice.UNICAST | KeyChoice.BROADCAST:
            return 3
        case KeyChoice.WRAPPED:
            return 3 + len(encode_length(suite.wrapped_length)) + suite.wrapped_length
        case KeyChoice.STATIC:
            return 5
        case KeyChoice.ONE_PASS:
            data = 0 if suite.curve is None else 4 * suite.curve.value
            return 4 + len(encode_length(data)) + data
