"""The values and APDUs that all contestants are given."""

from __future__ import annotations

import datetime as dt

from devices.device import Device
from devices.profile import Profile, load
from dlms.axdr.data import (
    Data,
    array,
    double_long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import classes, obis
from dlms.security.drive import run
from dlms.security.ops import CryptoOp
from dlms.xdlms.descriptors import CONFIRMED, HIGH_PRIORITY, AttributeDescriptor
from dlms.xdlms.get import GetRequest, GetResponse

PROFILE = "secure"
SERIAL = 1

INVOKE = HIGH_PRIORITY | CONFIRMED | 1  # what both peers send unasked
REGISTER_NAME = "1.0.1.8.0.255"
REGISTER = AttributeDescriptor(classes.REGISTER.class_id, obis.parse("1-0:1.8.0.255"), 2)
BUFFER_NAME = "0.0.96.1.0.255"
BUFFER = AttributeDescriptor(classes.DATA.class_id, obis.parse("0-0:96.1.0.255"), 2)
OBJECT_LIST = AttributeDescriptor(classes.ASSOCIATION_LN.class_id, obis.parse("0-0:40.0.0.255"), 2)

TITLE = bytes.fromhex("4D4D4D0000000001")
PASSWORD = b"12345678"
CONFORMANCE_BITS = ("GET", "SET", "ACTION", "SELECTIVE_ACCESS")
PDU_SIZE = 0xFFFF

_START = dt.datetime(2020, 6, 1, tzinfo=dt.UTC)
ROWS = 48
COLUMNS = 4


def profile() -> Profile:
    return load(PROFILE)


def profile_rows() -> list[tuple[bytes, int, int, int]]:
    """A day of half-hours: clock, status, import, export."""
    rows = []
    for number in range(ROWS):
        moment = _START + dt.timedelta(minutes=30 * number)
        clock = CosemDateTime.from_datetime(moment).to_octets()
        rows.append((clock, number % 8, 1_000_000 + 137 * number, 5_000 + 11 * number))
    return rows


def profile_buffer() -> Data:
    return array(
        *(
            structure(
                octet_string(clock),
                unsigned(status),
                double_long_unsigned(imported),
                double_long_unsigned(exported),
            )
            for clock, status, imported, exported in profile_rows()
        )
    )


def register_response() -> GetResponse:
    return GetResponse(INVOKE, double_long_unsigned(1_234_567))


def object_list_response() -> bytes:
    """What a meter of ours answers to a GET of its object_list."""
    device = Device(profile(), SERIAL)
    row = device.profile.associations["s1sp"]
    response = run(device.handle(GetRequest(INVOKE, OBJECT_LIST), row, _START), _no_crypto)
    return response.encode()


def _no_crypto(op: CryptoOp) -> None:
    raise AssertionError(f"{type(op).__name__} while reading an attribute")


def saps(association: str) -> tuple[int, int]:
    """The addresses of client and server."""
    config = profile().associations[association].config
    return config.client_sap, config.server_sap
