"""Our own head end with one thing left out: what a head end, not its protocol, gets wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dlms.axdr.data import Data
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem.quantity import Quantity
from dlms.errors import DlmsError
from emulator.client import Association, Keys, Refused
from emulator.conformance.hostile.head_end import Outcome
from emulator.conformance.hostile.material import Material
from emulator.conformance.hostile.own import OwnHeadEnd


class StaysWithTheOld(OwnHeadEnd):
    """A lost answer to a change is taken for a change that was not made."""

    async def _which(self, candidates: Mapping[str, Keys]) -> str:
        return await super()._which({"as before": self._keys})


class Impatient(OwnHeadEnd):
    """What cannot be done now is taken for what cannot be done."""

    async def _image(self, a: Association) -> str:
        what = self._told["image_transfer"]
        await a.images(what).transfer(bytes.fromhex(self._told["image"]))
        await a.invoke(what, "image_verify", class_id=18)
        return "verified"


class WithoutStatus(OwnHeadEnd):
    """A time is a time."""

    async def _clock(self, a: Association) -> dict[str, object]:
        return {"time": (await super()._clock(a))["time"]}


class AnyType(OwnHeadEnd):
    """Whatever comes is the time."""

    async def _clock(self, a: Association) -> dict[str, object]:
        named = self._told["clock"]
        where = named["class_id"], named["instance"], named["attribute"]
        value: Data = await a.get(where, raw=True)
        status = value.value[-1] if isinstance(value.value, bytes) else 0
        return {"time": str(value.value), "status": status}


class ByLocalTime(OwnHeadEnd):
    """Rows are kept by the time of the clock on the wall."""

    async def _profile(self, a: Association) -> list[list[object]]:
        named = self._told["profile"]
        rows = await a.get((named["class_id"], named["instance"], named["attribute"]))
        kept: dict[object, object] = {}
        for row in rows:
            time, energy = row.values()
            assert isinstance(time, CosemDateTime)
            moment = time.to_datetime()
            number = int(energy.value) if isinstance(energy, Quantity) else energy
            kept[moment.replace(tzinfo=None).isoformat()] = number
        return [[time, number] for time, number in kept.items()]


class NullsAreNothing(OwnHeadEnd):
    """Null-data is no value."""

    async def _profile(self, a: Association) -> list[list[object]]:
        named = self._told["profile"]
        where = named["class_id"], named["instance"], named["attribute"]
        buffer: Data = await a.get(where, raw=True)
        rows: Any = buffer.value
        return [[_time(row.value[0]), row.value[1].value] for row in rows]


def _time(cell: Data) -> str | None:
    value = cell.value
    if not isinstance(value, bytes):
        return None
    return CosemDateTime.from_octets(value).to_datetime().isoformat()


KINDS = {
    "lost-answers": StaysWithTheOld,
    "temporary-failures": Impatient,
    "clock-status": WithoutStatus,
    "types": AnyType,
    "summer-time": ByLocalTime,
    "nulls": NullsAreNothing,
}


def own(*careless: str) -> Callable[[str, str, int, Material], Awaitable[Outcome]]:
    """Our head end, with one of these or without."""
    kind = KINDS[careless[0]] if careless else OwnHeadEnd

    async def do(task: str, host: str, port: int, material: Material) -> Outcome:
        try:
            return Outcome(ok=True, value=await kind(material.to_json()).do(task))
        except (DlmsError, OSError, ValueError, Refused) as error:
            return Outcome(ok=False, why=f"{type(error).__name__}: {error}")

    return do
