"""gurux-dlms as a client with short names, over TCP against a meter of the laboratory.

The second association has the rights of the management client, and for this package a password in
place of HLS: with short names it writes what is to be read (fixtures/interop/matrix.toml).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from gurux_dlms import GXReplyData
from gurux_dlms.enums import Authentication, Conformance, DataType, InterfaceType, Unit
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.GXWriteItem import GXWriteItem
from gurux_dlms.objects import (
    GXDLMSClock,
    GXDLMSData,
    GXDLMSDisconnectControl,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)
from gurux_dlms.secure import GXDLMSSecureClient

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.axdr.data import DataType as OurType
from dlms.axdr.data import octet_string
from dlms.framing import Wpdu, WrapperReceiver
from dlms.security.control import Protection
from dlms.xdlms import registry
from dlms.xdlms.read import ReadRequest, ReadResponse
from dlms.xdlms.variable_access import BlockNumberAccess, ShortBlock, WriteDataBlockAccess
from dlms.xdlms.write import WriteRequest

TIMEOUT = 60.0
UNLIMITED, SMALL = 0xFFFF, 128
NAME = GXDLMSData("0.0.42.0.0.255", 0xFD00)
PAD = "0.0.96.1.9.255", 0x0100
READ_WRITE_DENIED, OBJECT_UNDEFINED, TYPE_UNMATCHED, LONG_SET_ABORTED = 3, 4, 12, 17


class Session:
    """The package's client on one connection; the loop is ours."""

    def __init__(self, meter: Any, association: str, pdu: int) -> None:
        access = meter.access(association)
        self.meter = meter
        self.client = GXDLMSSecureClient(
            False,
            access.client_sap,
            access.server_sap,
            Authentication.LOW,
            access.password,
            InterfaceType.WRAPPER,
        )
        self.client.maxReceivePDUSize = pdu
        self.client.proposedConformance |= (
            Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
            | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
        )
        self.socket = meter.connect()
        self.socket.settimeout(TIMEOUT)
        self.sent: list[Any] = []
        """The requests, decoded here."""
        self._frames = WrapperReceiver()
        self.client.parseAareResponse(self.exchange(self.client.aarqRequest()).data)

    def raw(self, frame: bytes) -> bytes:
        """Send a frame; the APDU that answers it."""
        if frame[8] in registry.REQUESTS:
            self.sent.append(registry.decode(frame[8:]))
        self.socket.sendall(frame)
        while (wpdu := self._frames.next_wpdu()) is None:
            octets = self.socket.recv(4096)
            assert octets, "the meter has hung up"
            self._frames.receive(octets)
        return wpdu.apdu

    def exchange(self, frames: Any) -> GXReplyData:
        reply = GXReplyData()
        for frame in [frames] if isinstance(frames, (bytes, bytearray)) else frames:
            reply.clear()
            self._give(self.raw(bytes(frame)), reply)
            while reply.isMoreData():
                self._give(self.raw(bytes(self.client.receiverReady(reply))), reply)
            if reply.error:
                raise GXDLMSException(reply.error)
        return reply

    def _give(self, apdu: bytes, reply: GXReplyData) -> None:
        frame = Wpdu(self.client.serverAddress, self.client.clientAddress, apdu).encode()
        assert self.client.getData(bytearray(frame), reply)

    def read(self, target: Any, attribute: int) -> Any:
        reply = self.exchange(self.client.read(target, attribute)[0])
        return self.client.updateValue(target, attribute, reply.value)

    def write(self, target: Any) -> None:
        self.exchange(self.client.write(target, 2))

    def base(self, code: str) -> int:
        bases: dict[bytes, int] = self.meter.profile.short_names.bases
        return bases[bytes(int(part) for part in code.split("."))]

    def made(self, kind: type, code: str) -> Any:
        return kind(code, self.base(code))


@pytest.fixture
def open_session(fresh: Any) -> Iterator[Any]:
    """``open_session(pdu=..., writes=...)``: associated, and whether it may write."""
    with ExitStack() as stack:

        def make(pdu: int = UNLIMITED, writes: bool = False) -> Session:
            if writes:
                name = "sn_ciphered"
                plain: dict[str, Any] = {
                    "context": ApplicationContext.SN,
                    "mechanism": Mechanism.LLS,
                    "policy": Protection.NONE,
                }
            else:
                name, plain = "sn", {}
            session = Session(fresh("laboratory", name, **plain), name, pdu)
            stack.callback(session.socket.close)
            return session

        yield make


def pad(value: bytes) -> GXDLMSData:
    made = GXDLMSData(*PAD)
    made.value = bytearray(value)
    made.setDataType(2, DataType.OCTET_STRING)
    return made


def test_gurux_object_list_by_short_name(open_session: Any) -> None:
    session = open_session()
    reply = session.exchange(session.client.getObjectsRequest())
    found = session.client.parseObjects(reply.data, onlyKnownObjects=False)
    names = session.meter.profile.short_names
    assert {(item.logicalName, item.shortName) for item in found} == {
        (".".join(map(str, instance)), names.bases[instance])
        for instance, row in names.objects.items()
        if "sn" in row.rights
    }


def test_gurux_values_by_short_name(open_session: Any) -> None:
    session = open_session()
    meter = session.meter
    expected = meter.profile.logical_device_name(meter.address.serial)
    assert bytes(session.read(NAME, 2)) == expected
    assert session.read(session.made(GXDLMSClock, "0.0.1.0.0.255"), 2).value == meter.now
    register = session.made(GXDLMSRegister, "1.0.1.8.0.255")
    session.read(register, 3)
    session.read(register, 2)
    assert (register.scaler, register.unit) == (1, Unit.ACTIVE_ENERGY)
    row = meter.profile.objects[bytes((1, 0, 1, 8, 0, 255))]
    association = meter.profile.associations["sn"]
    assert register.value == meter.device.attribute(row, 2, association, meter.now).value
    with pytest.raises(GXDLMSException) as caught:
        session.read(GXDLMSData("0.0.42.0.0.255", 8), 2)
    assert caught.value.errorCode == OBJECT_UNDEFINED
    session.exchange(session.client.releaseRequest())


def test_gurux_lists_by_short_name(open_session: Any) -> None:
    session = open_session()
    data = GXDLMSData(*PAD)
    items = [(NAME, 2), (data, 2), (NAME, 1)]
    frames = [frame for group in session.client.readList(items) for frame in group]
    reply = session.exchange(frames)
    session.client.updateValues(items, reply.value)
    assert len(session.sent) == 1
    assert bytes(NAME.value).startswith(b"LAB")
    assert bytes(data.value) == b"\0"


def test_gurux_profile_by_short_name(open_session: Any) -> None:
    """Parameterized access, by entry and by range."""
    session = open_session()
    profile = session.made(GXDLMSProfileGeneric, "1.0.99.1.0.255")
    session.read(profile, 3)
    assert [column.logicalName for column, _ in profile.captureObjects] == [
        "0.0.1.0.0.255",
        "1.0.1.8.0.255",
    ]
    session.read(profile, 2)
    everything = [row[1] for row in profile.buffer]
    assert len(everything) == 48

    def selected(frames: Any) -> list[int]:
        reply = session.exchange(frames)
        profile.buffer.clear()
        session.client.updateValue(profile, 2, reply.value)
        return [row[1] for row in profile.buffer]

    assert selected(session.client.readRowsByEntry(profile, 1, 2)) == everything[:2]
    now = session.meter.now.replace(minute=0, second=0, microsecond=0)
    since, until = now.replace(hour=10), now.replace(hour=12)
    # From 10:00 to 12:00, and the last of all is of 12:30.
    rows = selected(session.client.readRowsByRange(profile, since, until))
    assert rows == everything[-6:-1]


def test_gurux_writes_to_a_meter_by_short_name(open_session: Any) -> None:
    session = open_session(writes=True)
    session.write(pad(b"abc"))
    assert session.meter.stored(PAD[0], 2).value == b"abc"
    word = GXDLMSData("0.0.96.1.8.255", 0x0200)
    word.value = 9
    word.setDataType(2, DataType.UINT8)
    with pytest.raises(GXDLMSException) as caught:
        session.write(word)
    assert caught.value.errorCode == TYPE_UNMATCHED
    word.setDataType(2, DataType.UINT16)
    session.write(word)
    assert session.meter.stored("0.0.96.1.8.255", 2).value == 9
    session = open_session()
    with pytest.raises(GXDLMSException) as caught:
        session.write(pad(b"abc"))
    assert caught.value.errorCode == READ_WRITE_DENIED


def test_gurux_disconnects_by_short_name(open_session: Any) -> None:
    session = open_session(writes=True)
    control = session.made(GXDLMSDisconnectControl, "0.0.96.3.10.255")
    session.exchange(session.client.method(control, 1, 0, DataType.INT8))
    (request,) = session.sent
    assert isinstance(request, WriteRequest)
    assert session.meter.stored("0.0.96.3.10.255", 3).value == 0


def test_gurux_refuses_other_methods_by_short_name(open_session: Any) -> None:
    session = open_session(writes=True)
    register = session.made(GXDLMSRegister, "0.0.96.1.7.255")
    with pytest.raises(ValueError, match="methodIndex"):
        session.client.method(register, 1, 0, DataType.INT8)
    clock = session.made(GXDLMSClock, "0.0.1.0.0.255")
    with pytest.raises(GXDLMSException):
        session.exchange(session.client.method(clock, 1, 0, DataType.INT8))
    (request,) = session.sent
    assert request.specifications[0].name == session.base("0.0.1.0.0.255") + 8 * 7  # attribute 8


def test_gurux_refuses_long_reading_by_short_name(open_session: Any) -> None:
    """It asks for blocks rightly and stops inside the first; the meter has it in some hundred."""
    session = open_session(pdu=SMALL)
    with pytest.raises(AttributeError, match="setTotalCount"):
        session.exchange(session.client.getObjectsRequest())
    octets = session.raw(bytes(session.client.getObjectsRequest()))
    blocks: list[ShortBlock] = []
    while not blocks or not blocks[-1].last:
        response = registry.decode(octets)
        assert isinstance(response, ReadResponse)
        (block,) = response.results
        assert isinstance(block, ShortBlock)
        assert len(octets) <= SMALL
        blocks.append(block)
        after = ReadRequest((BlockNumberAccess(number=block.number),)).encode()
        octets = session.raw(
            Wpdu(session.client.clientAddress, session.client.serverAddress, after).encode()
        )
    whole = registry.decode(b"\x0c" + b"".join(block.raw for block in blocks))
    assert isinstance(whole, ReadResponse)
    (value,) = whole.results
    assert value.type is OurType.ARRAY  # type: ignore[union-attr]
    assert len(blocks) > 10


def test_gurux_refuses_long_writing_by_short_name(open_session: Any) -> None:
    """One block, which says that it is the last, or none."""
    session = open_session(writes=True)
    with pytest.raises(GXDLMSException) as caught:
        session.write(pad(bytes(600)))
    assert caught.value.errorCode == LONG_SET_ABORTED
    (request,) = session.sent
    assert request.specifications == (WriteDataBlockAccess(last=True, number=1),)
    assert request.data == (octet_string(bytes.fromhex("09820258")),)
    with pytest.raises(ValueError, match="position"):
        session.write(pad(bytes(1250)))
    assert len(session.sent) == 1
    assert session.meter.stored(PAD[0], 2).value == b"\0"


def test_gurux_refuses_lists_of_writing_by_short_name(open_session: Any) -> None:
    session = open_session(writes=True)
    item = GXWriteItem()
    item.target, item.index, item.data = pad(b"abc"), 2, bytearray(b"abc")
    with pytest.raises(AttributeError):
        session.client.writeList([item, item])
