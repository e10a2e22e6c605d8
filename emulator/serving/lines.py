"""How a meter presents itself on an HDLC line."""

from __future__ import annotations

from devices.device import Device
from dlms.axdr.data import Data
from dlms.framing.hdlc.parameters import MAX_WINDOW, MIN_INFORMATION, Parameters
from dlms.framing.hdlc.station import StationConfig
from dlms.framing.mode_e import Identification

HDLC_SETUP = bytes((0, 0, 22, 0, 0, 255))
"""IEC HDLC setup of the first channel (Blue Book, class 23)."""

DEVICE_ADDRESS = 17
"""Lower address of a meter whose profile has no HDLC setup: the first that is not reserved."""

ADDRESS_OCTETS = frozenset({2, 4})
"""Lengths of address it answers to: one of a single octet says nothing of the physical device, and
others may be on the line (HDLC_ADDRESS_N6)."""

TCP_INTER_OCTET_TIMEOUT = 1.0
"""Seconds; TCP delivers a frame in as many pieces as it likes."""


def station_config(device: Device) -> StationConfig:
    """From the meter's IEC HDLC setup where it has one, else the defaults of the standard."""
    servers = {row.config.server_sap for row in device.profile.associations.values()}
    row = device.profile.objects.get(HDLC_SETUP)

    def number(attribute: int, default: int) -> int:
        value: Data | None = None if row is None else device.value(row, attribute)
        return value.value if value is not None and isinstance(value.value, int) else default

    limits = Parameters(
        max_info_tx=max(number(5, 128), MIN_INFORMATION),
        max_info_rx=max(number(6, 128), MIN_INFORMATION),
        window_tx=min(max(number(3, 1), 1), MAX_WINDOW),
        window_rx=min(max(number(4, 1), 1), MAX_WINDOW),
    )
    return StationConfig(
        logical_devices=servers.__contains__,
        lower=number(9, DEVICE_ADDRESS),
        octets=ADDRESS_OCTETS,
        limits=limits.check(),
        inactivity_timeout=float(number(8, 120)),
        inter_octet_timeout=max(number(7, 25) / 1000, TCP_INTER_OCTET_TIMEOUT),
    )


def identification(device: Device) -> Identification:
    """What the meter says at its optical port: 9600 baud, mode E."""
    profile = device.profile
    name = "".join(filter(str.isalnum, profile.model))[:16]
    return Identification(profile.flag_id, "5", name, True)
