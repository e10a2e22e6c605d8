"""Device Models: what a kind of device is called."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from emulator.products.errors import ProductsError
from emulator.products.texts import text


class DeviceType(Enum):
    """ESME is in the DCC's sample of a Device Pre-notification; the others are the usual names of
    what stands beside it, assumed to be these words here.
    """

    ESME = "ESME"
    GSME = "GSME"
    CHF = "CHF"
    GPF = "GPF"
    PPMID = "PPMID"


class DeviceModel(NamedTuple):
    """The Code's own definition could not be had. These are the fields that are generally known,
    as texts: the later generation has hexadecimal digits there (manufacturer ``AB01``, model and
    hardware version ``010A030B``, firmware version ``0002012F``), and whether SMETS1 entries had
    is not known. Two that differ in one letter or in its case are two Device Models.
    """

    device_type: DeviceType
    manufacturer: str
    model: str
    hardware_version: str
    firmware_version: str

    def __str__(self) -> str:
        kind, *rest = self.texts
        return f"{kind} {', '.join(rest)}"

    @property
    def texts(self) -> tuple[str, str, str, str, str]:
        return (self.device_type.value, *self[1:])


FIELDS = DeviceModel._fields


def device_model(*texts: str) -> DeviceModel:
    """From the texts of :data:`FIELDS`. :class:`ProductsError` names the field that is wrong."""
    kind, *rest = texts
    types = DeviceType.__members__
    if kind.strip().upper() not in types:
        raise ProductsError(f"device type {kind.strip()!r} is none of {', '.join(types)}")
    names = (name.replace("_", " ") for name in FIELDS[1:])
    checked = [text(value, name) for name, value in zip(names, rest, strict=True)]
    return DeviceModel(types[kind.strip().upper()], *checked)
