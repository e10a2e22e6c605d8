"""What our head end reads, as it prints it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlms.axdr.data import Data
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem.quantity import Quantity
from emulator.client import Association


def where(attribute: Mapping[str, Any]) -> tuple[Any, ...]:
    """An attribute that the material names, as arguments of ``get``."""
    return ((attribute["class_id"], attribute["instance"], attribute["attribute"]),)


async def read_value(a: Association, attribute: Mapping[str, Any]) -> Any:
    """What is there, as JSON has it."""
    return plain(await a.get(*where(attribute), raw=True))


def plain(value: object) -> Any:
    """A value as JSON has it."""
    match value:
        case Data():
            return plain(value.value)
        case bytes():
            return value.hex()
        case CosemDateTime():
            return value.to_datetime().isoformat()
        case Quantity():
            return int(value.value)
        case tuple() | list():
            return [plain(one) for one in value]
    return value
