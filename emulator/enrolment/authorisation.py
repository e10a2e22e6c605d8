"""The migration authorisation: a supplier says which of its meters is to be migrated.

Files are named type_SMSO_EUI64_date_time, as in ``MA_cgI_70-B3-D5-1F-30-00-A0-08_20190407_182503``
(DCC, SMETS1 migration updates). What is in them is not public; this is ours.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any, NamedTuple, Self

from devices.firmware import VERSION_ROLE
from devices.profile import Profile
from emulator.enrolment.steps import Kind, NotPossible

_TYPE = "MA"
_NAME = re.compile(r"MA_([a-z0-9-]+)_((?:[0-9A-F]{2}-){7}[0-9A-F]{2})_(\d{8})_(\d{6})")
MAX_OCTETS = 4096


class AuthorisationRefused(NotPossible):
    """It is no authorisation, or none for this meter."""


def device_id(title: bytes) -> str:
    """A Device ID as the DCC writes it. That it is made of the system title is assumed."""
    return "-".join(f"{octet:02X}" for octet in title)


class Authorisation(NamedTuple):
    """``moment`` (aware) is when it was given. ``firmware`` is the version that the supplier says
    runs there.
    """

    supplier: str
    device: str
    kind: Kind
    manufacturer: str
    model: str
    firmware: str
    serial: int
    moment: dt.datetime

    @property
    def name(self) -> str:
        """The name of its file."""
        stamp = self.moment.astimezone(dt.UTC).strftime("%Y%m%d_%H%M%S")
        return f"{_TYPE}_{self.supplier}_{self.device}_{stamp}"

    def to_text(self) -> str:
        fields = self._asdict() | {"kind": self.kind.value, "moment": self.moment.isoformat()}
        return json.dumps({"authorisation": self.name, **fields}, indent=1) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """:class:`AuthorisationRefused` if it cannot be read, or is not what its name says."""
        try:
            if len(text) > MAX_OCTETS:
                raise ValueError("too long")
            fields: dict[str, Any] = json.loads(text)
            name = fields.pop("authorisation")
            kind, moment = Kind(fields.pop("kind")), dt.datetime.fromisoformat(fields.pop("moment"))
            made = cls(**fields, kind=kind, moment=moment)
            if moment.tzinfo is None or type(made.serial) is not int:
                raise ValueError("a moment without zone, or a serial that is no number")
            words = made.supplier, made.device, made.manufacturer, made.model, made.firmware
            if not all(isinstance(word, str) for word in words):
                raise ValueError("a text is expected")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise AuthorisationRefused("migration authorisation: it cannot be read") from None
        if name != made.name or not _NAME.fullmatch(name):
            raise AuthorisationRefused("migration authorisation: its name says something else")
        return made

    def check(self, profile: Profile, serial: int) -> None:
        """That it is for a meter of this model with this number.
        :class:`AuthorisationRefused` if not.
        """
        title = profile.system_title(serial)
        for what, said, right in (
            ("Device ID", self.device, device_id(title)),
            ("manufacturer", self.manufacturer, profile.manufacturer),
            ("model", self.model, profile.model),
            ("serial number", self.serial, serial),
        ):
            if said != right:
                raise AuthorisationRefused(
                    f"migration authorisation: {what} {said}, and the meter's is {right}"
                )


def factory_firmware(profile: Profile) -> str:
    """The firmware version that a meter of the model is made with; empty if none is shown."""
    for row in profile.of_role(VERSION_ROLE):
        value = row.values.get(2)
        if value is not None and isinstance(value.value, bytes):
            return value.value.decode("ascii", "replace")
    return ""
