"""Reading what may not be there: a value with where it is from, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from dlms.axdr.data import Data, DataType
from dlms.cosem import obis
from dlms.errors import CodecError
from emulator.client.association import Association
from emulator.client.errors import Refused, UnknownObject

T = TypeVar("T")


class Finding(NamedTuple, Generic[T]):
    """``value`` is ``None`` if it could not be had, and ``why`` says so."""

    value: T | None
    where: str
    why: str = ""

    @property
    def remark(self) -> str:
        """The comment that goes with it."""
        if self.value is None:
            return f"fill in: could not be read from {self.where} ({self.why})"
        return f"read from {self.where}"


class Look:
    """At one meter, through one association."""

    def __init__(self, association: Association) -> None:
        self._association = association

    async def at(
        self, class_id: int, instance: bytes, attribute: int, read: Callable[[Data], T | None]
    ) -> Finding[T]:
        """``read`` gives ``None`` or raises ``ValueError`` for what it cannot make sense of. A
        refusal is a finding; everything else that goes wrong is raised.
        """
        where = f"{obis.text(instance)} attribute {attribute}"
        try:
            data: Data = await self._association.get((class_id, instance, attribute), raw=True)
        except (Refused, UnknownObject) as error:
            return Finding(None, where, _short(error))
        try:
            value = read(data)
        except (ValueError, CodecError) as error:
            return Finding(None, where, str(error))
        return Finding(value, where, "" if value is not None else f"it says {_shown(data)}")


def _short(error: Exception) -> str:
    """The reason without the name of what was read, which stands beside it."""
    result = getattr(error, "result", None)
    if result is not None:
        return str(result.name).lower().replace("_", "-")
    return str(error)


def _shown(data: Data) -> str:
    text = repr(data.value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def number(data: Data) -> int | None:
    """A whole number, also an enum."""
    value: Any = data.value
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def octets(data: Data) -> bytes | None:
    """An octet-string, or a visible-string as some meters have for names; not an empty one."""
    value: Any = data.value
    if isinstance(value, str):
        value = value.encode("ascii", "replace")
    return value if isinstance(value, bytes) and value else None


def parts(data: Data, least: int) -> tuple[Data, ...]:
    """The elements of a structure or array. ``ValueError`` if there are fewer than ``least``."""
    value: Any = data.value
    if data.type not in (DataType.STRUCTURE, DataType.ARRAY) or len(value) < least:
        raise ValueError(f"it says {_shown(data)}")
    return tuple(value)
