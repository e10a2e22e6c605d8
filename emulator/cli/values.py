"""Values of the client as JSON and people have them."""

from __future__ import annotations

import json
import math
from typing import Any

from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem.quantity import Quantity
from dlms.cosem.typed import Named


def readable(value: Any) -> Any:
    """Numbers, strings and sequences as they are; quantities with their unit, enums by name.

    Octets are shown as text if they are all printable, and in hexadecimal otherwise.
    """
    if isinstance(value, dict):
        return {name: readable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [readable(part) for part in value]
    if isinstance(value, Quantity | CosemDateTime):
        return str(value)
    if isinstance(value, Named):
        return value.label or int(value)
    if isinstance(value, bytes):
        return _octets(value)
    return value


def _octets(octets: bytes) -> str:
    if octets and octets.isascii() and octets.decode("ascii").isprintable():
        return octets.decode("ascii")
    return octets.hex().upper()


def plain_value(text: str) -> object:
    """A number, true or false as JSON writes them; anything else is text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_number else text
