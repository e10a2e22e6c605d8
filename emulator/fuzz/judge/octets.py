"""What an APDU says of itself without a key, read by nobody's decoder but this one's.

GB Ed. 8, 9.2.7.2: tag, length, security control, invocation counter. Nothing that is not as it
should be is an error here: then there is nothing to be said of it.
"""

from __future__ import annotations

from typing import NamedTuple

_GLOBAL = frozenset((*range(0xC8, 0xD0), 0x25, 0x26, 0x2C, 0x2D, 0x36, 0x38))
_DEDICATED = frozenset((*range(0xD0, 0xD8), 0x45, 0x46, 0x4C, 0x4D, 0x56, 0x58))
"""With those of short names: read, write, their responses, unconfirmed write, information report
(GB Ed. 8, 9.5).
"""
_GENERAL_GLOBAL = 0xDB
_CONTROL_AND_COUNTER = 5


class Header(NamedTuple):
    """``control`` is the security control octet."""

    is_dedicated: bool
    control: int
    counter: int

    @property
    def is_broadcast(self) -> bool:
        return bool(self.control & 0x40)

    @property
    def is_authenticated(self) -> bool:
        return bool(self.control & 0x10)


def header(apdu: bytes) -> Header | None:
    """Of a ciphered APDU; ``None`` of any other."""
    tag, at = apdu[0] if apdu else 0, 1
    if tag == _GENERAL_GLOBAL:
        at += 1 + (apdu[1] if len(apdu) > 1 else 0)
    elif tag not in _GLOBAL and tag not in _DEDICATED:
        return None
    length = apdu[at] if at < len(apdu) else 0
    at += 1 + (length & 0x7F if length & 0x80 else 0)
    found = apdu[at : at + _CONTROL_AND_COUNTER]
    if len(found) < _CONTROL_AND_COUNTER:
        return None
    return Header(tag in _DEDICATED, found[0], int.from_bytes(found[1:], "big"))


def is_ciphered(apdu: bytes) -> bool:
    """Whether it is ciphered as a whole: with a service of its own, or in a general form."""
    tag = apdu[0] if apdu else 0
    return tag in _GLOBAL or tag in _DEDICATED or tag in (0xDB, 0xDC, 0xDD)
