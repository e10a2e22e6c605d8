"""``[way]``, ``[hdlc]`` and ``[timing]``: how a device is reached.

[way]
kind = "tls"                # tcp, tls, udp, hdlc (over TCP), serial or optical
host = "192.0.2.7"          # of a serial line: the path of the tty
port = 4059
ca = "ca.pem"               # TLS: whom to believe
certificate = "tester.pem"  # and who the tester is
key = "tester.key"
"""

from __future__ import annotations

from pathlib import Path

from devices.profile.place import Place
from devices.profile.table import Table, maybe, need, one_of, only
from dlms.framing.hdlc.frame import MAX_INFORMATION
from dlms.framing.hdlc.parameters import MAX_WINDOW, MIN_INFORMATION
from emulator.conformance.declaration.fields import number, path, seconds
from emulator.conformance.declaration.model import DeclaredHdlc, DeclaredWay, Timing, WayKind
from emulator.meter_address import LOOPBACK

HDLC_KINDS = frozenset((WayKind.HDLC, WayKind.SERIAL, WayKind.OPTICAL))
LINE_KINDS = frozenset((WayKind.SERIAL, WayKind.OPTICAL))
TLS_FILES = ("ca", "certificate", "key")

_WAY = {"kind", "host", "port", "baud", *TLS_FILES}
_HDLC = {
    "address", "physical", "transmit", "receive", "window_transmit", "window_receive",
    "inactivity", "inter_octet",
}  # fmt: skip
_INFORMATION = MIN_INFORMATION, MAX_INFORMATION
_TIMING = {"answer", "silence", "patience"}
_MAX_LOWER = 0x3FFF
"""Of the lower part of a server address, in 14 bits (IEC 62056-46, 6.4.2)."""
_BAUDS = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


def way(row: Table, folder: Path, place: Place, *, calls: bool = False) -> DeclaredWay:
    """:class:`~devices.profile.ProfileError` if its entries do not go together.

    A device that ``calls`` us is a head end: host and port are where our meter waits for it, on
    loopback and any free port if they are left out.
    """
    only(row, _WAY, place)
    if calls:
        row = {"host": LOOPBACK, **row}
    kinds = tuple(one.value for one in WayKind)
    kind = WayKind(one_of(need(row, "kind", str, place), kinds, place.at("kind")))
    host = need(row, "host", str, place)
    if not host:
        raise place.at("host").error("must say where the device is")
    line = kind in LINE_KINDS
    if line and "port" in row:
        raise place.at("port").error(f"{kind.value} is a tty: it has no port")
    if "baud" in row and kind is not WayKind.SERIAL:
        raise place.at("baud").error("is that of kind 'serial' only")
    if not line and "port" not in row and not calls:
        raise place.at("port").error(f"a whole number is needed for {kind.value}, and missing")
    if kind is WayKind.TLS:
        for key in TLS_FILES:
            need(row, key, str, place)
    for key in TLS_FILES:
        if key in row and kind is not WayKind.TLS:
            raise place.at(key).error(f"goes with kind 'tls', not {kind.value!r}")
    baud = one_of(maybe(row, "baud", int, 9600, place), _BAUDS, place.at("baud"))
    return DeclaredWay(
        kind=kind,
        host=host,
        port=number(row, "port", 0 if calls else 1, 0xFFFF, place),
        baud=baud,
        **{key: path(row, key, folder, place) for key in TLS_FILES},
    )


def hdlc(row: Table, kind: WayKind, place: Place) -> DeclaredHdlc:
    """:class:`~devices.profile.ProfileError` also where there is no HDLC."""
    only(row, _HDLC, place)
    if row and kind not in HDLC_KINDS:
        raise place.error(f"goes with HDLC, and the way is {kind.value!r}")
    plain = DeclaredHdlc()
    address = one_of(maybe(row, "address", int, 1, place), (1, 2, 4), place.at("address"))
    most = 0 if address == 1 else 0x7F if address == 2 else _MAX_LOWER
    physical = number(row, "physical", 0, _MAX_LOWER, place)
    if physical > most:
        raise place.at("physical").error(f"{physical} does not fit an address of {address} octets")
    if address > 1 and not physical:
        raise place.at("physical").error(f"an address of {address} octets has a lower part")
    return DeclaredHdlc(
        address=address,
        physical=physical,
        transmit=number(row, "transmit", *_INFORMATION, place, plain.transmit),
        receive=number(row, "receive", *_INFORMATION, place, plain.receive),
        window_transmit=number(row, "window_transmit", 1, MAX_WINDOW, place, 1),
        window_receive=number(row, "window_receive", 1, MAX_WINDOW, place, 1),
        inactivity=seconds(row, "inactivity", plain.inactivity, place),
        inter_octet=seconds(row, "inter_octet", plain.inter_octet, place),
    )


def timing(row: Table, place: Place) -> Timing:
    only(row, _TIMING, place)
    plain = Timing()
    found = {key: seconds(row, key, getattr(plain, key), place) for key in sorted(_TIMING)}
    for key in ("answer", "silence"):
        if not found[key]:
            raise place.at(key).error("takes more than no time")
    return Timing(**found)
