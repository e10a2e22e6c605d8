"""Access rights, as profiles write them and as association objects show them.

Written as words: ``r`` ``w`` ``rw`` for all attributes, ``2r`` ``2w`` ``2rw`` ``2-`` for attribute
2 (overriding the former), ``m`` for all methods, ``m1`` for method 1. Nothing written is no access.

Behind a ``+`` stands the protection that goes with the right: ``a`` authenticated, ``e`` encrypted,
``s`` signed; that of the request before a ``/``, that of the response after it. So ``2rw+ae`` wants
requests authenticated and encrypted, ``r+/a`` promises authenticated responses, ``m1+ae/a`` both.
"""

from __future__ import annotations

import re
from enum import IntFlag
from typing import NamedTuple

from dlms.cosem.interface_class import InterfaceClass
from dlms.security.control import Protection

_WORD = re.compile(
    r"(?:(?P<number>\d*)(?P<mode>rw|r|w|-)|m(?P<method>\d*))"
    r"(?:\+(?P<request>[aes]*)(?:/(?P<response>[aes]+))?)?"
)


class Access(IntFlag):
    """What is allowed and under which protection, in the bits of Association LN version 3 (Blue
    Book 4.4.4). Of a method the first bit is the right to invoke it.
    """

    NONE = 0
    READ = 1
    WRITE = 2
    READ_AND_WRITE = 3
    AUTHENTICATED_REQUEST = 4
    ENCRYPTED_REQUEST = 8
    SIGNED_REQUEST = 16
    AUTHENTICATED_RESPONSE = 32
    ENCRYPTED_RESPONSE = 64
    SIGNED_RESPONSE = 128

    @property
    def readable(self) -> bool:
        return bool(int(self) & 1)

    @property
    def writable(self) -> bool:
        return bool(int(self) & 2)

    @property
    def allowed(self) -> int:
        """Reading 1, writing 2, both 3, whatever the protection; 1 for a method."""
        return int(self) & 3

    def satisfied_by(self, protection: Protection) -> bool:
        """Whether a request that came with ``protection`` is protected enough; more than is asked
        for always is (GB Ed. 8, 9.2.7.2.2).
        """
        bits = int(self)
        if not bits & _CONDITIONS:
            return True
        return not ((bits & 0x0C) << 2 | (bits & 0x10) << 4) & ~int(protection)

    @property
    def response(self) -> Protection:
        """The least protection of the response."""
        bits = int(self)
        return Protection((bits & 0x60) >> 1 | (bits & 0x80) << 1)

    @property
    def mode(self) -> int:
        """The code in Association LN versions 0 to 2: 1 to 3, and 4 to 6 for the same with an
        authenticated request. Meant for rights that are :attr:`simple`.
        """
        return self.allowed + 3 if self & Access.AUTHENTICATED_REQUEST else self.allowed

    @property
    def method_mode(self) -> int:
        """The same of a method: 1 access, 2 authenticated access."""
        return self.allowed + 1 if self & Access.AUTHENTICATED_REQUEST else self.allowed

    @property
    def simple(self) -> bool:
        """Whether those versions have a code for it."""
        return not int(self) & ~0x07


_CONDITIONS = 0x1C
_MODES = {"-": Access.NONE, "r": Access.READ, "w": Access.WRITE, "rw": Access.READ_AND_WRITE}
_REQUEST = {
    "a": Access.AUTHENTICATED_REQUEST,
    "e": Access.ENCRYPTED_REQUEST,
    "s": Access.SIGNED_REQUEST,
}
_RESPONSE = {
    "a": Access.AUTHENTICATED_RESPONSE,
    "e": Access.ENCRYPTED_RESPONSE,
    "s": Access.SIGNED_RESPONSE,
}


class Rights(NamedTuple):
    """What one association may do with one object."""

    attributes: dict[int, Access]
    invocable: dict[int, Access]

    @property
    def methods(self) -> frozenset[int]:
        """The methods that may be invoked, whatever protection that takes."""
        return frozenset(self.invocable)

    def attribute(self, number: int) -> Access:
        return self.attributes.get(number, Access.NONE)

    def method(self, number: int) -> Access:
        return self.invocable.get(number, Access.NONE)


def parse_rights(text: str, interface_class: InterfaceClass) -> Rights:
    """Read the words. ``ValueError`` if one is unknown or the class has no such number."""
    numbers = (1, *(row.number for row in interface_class.attributes))
    attributes: dict[int, Access] = {}
    methods: dict[int, Access] = {}
    for word in text.split():
        match = _WORD.fullmatch(word)
        if match is None:
            raise ValueError(f"access right {word!r} is not like r, 2rw, m, m1 or 2rw+ae/a")
        conditions = _conditions(match["request"], match["response"])
        if match["mode"] is None:
            named = _methods(match["method"], interface_class)
            given = dict.fromkeys(named, Access.READ | conditions)
            methods = methods | given if match["method"] else given | methods
            continue
        mode = _MODES[match["mode"]]
        if conditions and not mode:
            raise ValueError(f"access right {word!r} has conditions for nothing")
        if match["number"]:
            number = int(match["number"])
            if number not in numbers:
                raise ValueError(f"{interface_class.name} has no attribute {number}")
            attributes[number] = mode | conditions
        else:
            attributes = dict.fromkeys(numbers, mode | conditions) | attributes
    if any(attributes.values()) or methods:
        # Whoever may do anything with an object may read its name, and never write it.
        attributes[1] = Access.READ
    return Rights(attributes, methods)


def _conditions(request: str | None, response: str | None) -> Access:
    found = Access.NONE
    for letter in request or "":
        found |= _REQUEST[letter]
    for letter in response or "":
        found |= _RESPONSE[letter]
    return found


def _methods(number: str, interface_class: InterfaceClass) -> set[int]:
    if not number:
        return {row.number for row in interface_class.methods}
    if interface_class.method(int(number)) is None:
        raise ValueError(f"{interface_class.name} has no method {number}")
    return {int(number)}
