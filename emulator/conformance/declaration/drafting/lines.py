"""``[hdlc]`` and the port, from the objects that set them up (Blue Book 4.7.2, 4.9.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from dlms.framing.hdlc.frame import MAX_INFORMATION
from dlms.framing.hdlc.parameters import MAX_WINDOW, MIN_INFORMATION
from emulator.client.objects import ObjectEntry, ObjectList
from emulator.conformance.declaration.drafting.findings import Look, number
from emulator.conformance.declaration.model import DeclaredHdlc

_HDLC_SETUP, _TCP_UDP_SETUP = 23, 41
_WHOLE = {
    "window_transmit": (3, 1, MAX_WINDOW),
    "window_receive": (4, 1, MAX_WINDOW),
    "transmit": (5, MIN_INFORMATION, MAX_INFORMATION),
    "receive": (6, MIN_INFORMATION, MAX_INFORMATION),
}
"""Entries by attribute, and what they may be."""


class FoundHdlc(NamedTuple):
    hdlc: DeclaredHdlc
    remarks: dict[str, str]


async def hdlc_of(look: Look, objects: ObjectList, used: DeclaredHdlc) -> FoundHdlc:
    """``used`` are the parameters that the link was made with: its address is right."""
    remarks = {"address": "as it was called", "physical": "as it was called"}
    entry = _first(objects, _HDLC_SETUP)
    if entry is None:
        missing = "fill in: there is no IEC HDLC setup in the object list"
        return FoundHdlc(used, remarks | dict.fromkeys((*_WHOLE, "inactivity"), missing))
    found: dict[str, int | float] = {}
    for key, (attribute, low, high) in _WHOLE.items():
        seen = await look.at(_HDLC_SETUP, entry.instance, attribute, number)
        remarks[key] = seen.remark
        if seen.value is None:
            continue
        if low <= seen.value <= high:
            found[key] = seen.value
        else:
            remarks[key] = f"fill in: {seen.where} says {seen.value}, which is not in {low}..{high}"
    between = await look.at(_HDLC_SETUP, entry.instance, 7, number)
    remarks["inter_octet"] = between.remark
    if between.value is not None:
        found["inter_octet"] = between.value / 1000
    inactivity = await look.at(_HDLC_SETUP, entry.instance, 8, number)
    remarks["inactivity"] = inactivity.remark
    if inactivity.value is not None:
        found["inactivity"] = float(inactivity.value)
    return FoundHdlc(replace(used, **found), remarks)  # type: ignore[arg-type]


async def port_remark(look: Look, objects: ObjectList) -> str:
    """What is known of the port that was called: it may be that of a gateway."""
    entry = _first(objects, _TCP_UDP_SETUP)
    if entry is None:
        return "as it was called; there is no TCP-UDP setup in the object list"
    seen = await look.at(_TCP_UDP_SETUP, entry.instance, 2, number)
    if seen.value is None:
        return f"as it was called; {seen.where} could not be read ({seen.why})"
    return f"as it was called; {seen.where} says {seen.value}"


def _first(objects: ObjectList, class_id: int) -> ObjectEntry | None:
    return next((one for one in objects if one.class_id == class_id), None)
