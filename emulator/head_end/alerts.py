"""A SMETS1 Alert as the head end hands it on, read from the notification of a meter.

The body is what push_object_list of the meter's profile says; what stands for what is found by the
objects in it: the role of the alert code's, that of its argument's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from devices.alert_codes import Happening
from devices.objects.push_plan import PUSH_OBJECT_LIST
from devices.objects.push_selection import element
from devices.profile import Profile
from dlms.axdr.data import Data
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem.fitting import elements_of
from dlms.errors import CodecError, RemoteProtocolError
from dlms.words import word
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.long_invoke import LONG_INVOKE_ID


class Smets1Alert(NamedTuple):
    """``device`` is the system title, ``meter`` what the meter is called here. ``code`` is the
    alert code of GBCS, ``time`` the device's own. ``number`` is the device's for the alert.
    """

    device: bytes
    meter: str
    code: int
    time: CosemDateTime
    argument: int
    number: int

    @property
    def name(self) -> str:
        """What the code is called; empty if it is none of those that are known here."""
        try:
            return word(Happening(self.code))
        except ValueError:
            return ""

    def to_json(self) -> dict[str, Any]:
        return {
            "device": self.device.hex().upper(),
            "meter": self.meter,
            "code": f"{self.code:04X}",
            "name": self.name,
            "time": str(self.time),
            "argument": self.argument,
            "number": self.number,
        }

    def __str__(self) -> str:
        what = f"{self.code:04X} {self.name}".rstrip()
        return f"{self.time}  {self.meter}  {self.device.hex().upper()}  {what}  {self.argument}"


def read_alert(told: DataNotification, device: bytes, meter: str, profile: Profile) -> Smets1Alert:
    """:class:`RemoteProtocolError` if the notification is not what the profile says of alerts."""
    assert profile.alert_push is not None  # or nobody would listen to it
    listed = profile.objects[profile.alert_push.setup].values.get(PUSH_OBJECT_LIST)
    elements = () if listed is None else elements_of(listed) or ()
    parts = elements_of(told.body) or ()
    if len(parts) != len(elements):
        raise _no_alert(f"has {len(parts)} elements, not {len(elements)}")
    by_role: dict[str, Data] = {}
    for one, value in zip(map(element, elements), parts, strict=True):
        row = None if one is None else profile.objects.get(one.instance)
        if row is not None:
            by_role.setdefault(row.role, value)
    code, argument = by_role.get("alert-code"), by_role.get("alert-argument")
    if code is None or not isinstance(code.value, int):
        raise _no_alert("has no alert code")
    if argument is not None and not isinstance(argument.value, int):
        raise _no_alert("has an argument that is no number")
    try:
        time = CosemDateTime.from_octets(told.date_time)
    except CodecError as error:
        raise _no_alert(str(error)) from error
    number = argument.value if argument is not None else 0
    assert isinstance(number, int)
    return Smets1Alert(device, meter, code.value, time, number, told.long_invoke & LONG_INVOKE_ID)


def _no_alert(why: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"the notification {why}", reason="no-alert")
