"""dlms-cosem reads: without keys, with a password, and everything there is to read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from dlms_cosem import cosem as peer
from dlms_cosem import utils
from dlms_cosem.client import DataResultError
from dlms_cosem.cosem.association import AccessRight
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import EntryDescriptor, RangeDescriptor
from dlms_cosem.enumerations import CosemInterface
from dlms_cosem.exceptions import DlmsClientException
from dlms_cosem.parsers import AssociationObjectListParser, ProfileGenericBufferParser
from dlms_cosem.security import LowLevelSecurityAuthentication
from dlms_cosem.time import datetime_from_bytes

from devices import metrology
from devices.metrology import Quantity
from dlms.axdr.data import Data, DataType
from dlms.axdr.decoding import decode
from dlms.cosem import obis

CLOCK, IMPORT, PROFILE = "0.0.1.0.0", "1.0.1.8.0", "1.0.99.1.0"
TOKEN_CREDIT = "0.0.19.10.0"
UNKNOWN_TO_PEER = {DataType.BIT_STRING, DataType.UTF8_STRING}


def types_in(data: Data) -> set[DataType]:
    """The type of a value and of all that is inside it."""
    found = {data.type}
    if isinstance(data.value, tuple):
        for part in data.value:
            found |= types_in(part)
    return found


def utc(moment: dt.datetime) -> dt.datetime:
    """The package drops a deviation of 0 and gives a time without a zone."""
    assert moment.tzinfo is None
    return moment.replace(tzinfo=dt.UTC)


def test_public_association(meter: Any, cosem: Any) -> None:
    session = cosem(meter, "public")
    expected = meter.profile.logical_device_name(meter.address.serial)
    assert session.read(CosemInterface.DATA, "0.0.42.0.0", 2) == expected
    saps = session.read(CosemInterface.SAP_ASSIGNMENT, "0.0.41.0.0", 2)
    assert saps == [[meter.profile.server_sap, expected]]
    session.release()


@pytest.mark.parametrize("association", ["public", "reader", "s1sp", "dco"])
def test_object_list(any_meter: Any, cosem: Any, association: str) -> None:
    """The package's parser finds the objects, their versions and our rights."""
    attribute = peer.CosemAttribute(
        CosemInterface.ASSOCIATION_LN, peer.Obis.from_string("0.0.40.0.0"), 2
    )
    raw = cosem(any_meter, association).client.get(attribute)
    got = {
        (item.interface, item.version, item.logical_name.to_bytes()): (
            {n: set(right.access_rights) for n, right in item.attribute_access_rights.items()},
            {n: bool(right.access_rights) for n, right in item.method_access_rights.items()},
        )
        for item in AssociationObjectListParser.parse_bytes(raw)
    }
    expected = {}
    for row in any_meter.profile.objects.values():
        rights = row.rights.get(association)
        if rights is None:
            continue
        cls = row.interface_class
        attributes = {}
        for number in (1, *(attribute.number for attribute in cls.attributes)):
            access = rights.attribute(number)
            words = {
                AccessRight.READ_ACCESS.value: access.readable,
                AccessRight.WRITE_ACCESS.value: access.writable,
            }
            attributes[number] = {word for word, given in words.items() if given}
        methods = {method.number: method.number in rights.methods for method in cls.methods}
        expected[cls.class_id, cls.version, row.instance] = attributes, methods
    assert got == expected


@pytest.mark.parametrize("association", ["public", "reader", "s1sp", "dco"])
def test_every_readable_attribute(any_meter: Any, cosem: Any, association: str) -> None:
    """All can be fetched; all but bit-strings and utf8-strings can be parsed."""
    session = cosem(any_meter, association)
    for wanted in any_meter.readable(association):
        attribute = peer.CosemAttribute(
            CosemInterface(wanted.class_id), peer.Obis.from_bytes(wanted.instance), wanted.attribute
        )
        raw = session.client.get(attribute)
        if types_in(decode(raw)) & UNKNOWN_TO_PEER:
            with pytest.raises(NotImplementedError):
                utils.parse_as_dlms_data(raw)
        else:
            utils.parse_as_dlms_data(raw)


def test_bit_strings_unparsed(aclara: Any, cosem: Any) -> None:
    session = cosem(aclara, "s1sp")
    with pytest.raises(NotImplementedError):
        session.read(CosemInterface.ACCOUNT, "0.0.19.0.0", 4)


def test_registers_with_scaler(meter: Any, cosem: Any) -> None:
    session = cosem(meter, "s1sp")
    seed = meter.device.seed
    energy = metrology.cumulative(seed, Quantity.IMPORT, meter.now)
    assert session.read(CosemInterface.REGISTER, IMPORT, 2) == energy
    assert session.read(CosemInterface.REGISTER, IMPORT, 3) == [0, 30]
    if "1-0:32.7.0.255" in (obis.text(name) for name in meter.profile.objects):
        assert session.read(CosemInterface.REGISTER, "1.0.32.7.0", 3) == [-1, 35]


def test_clock(meter: Any, cosem: Any) -> None:
    session = cosem(meter, "reader")
    octets = session.read(CosemInterface.CLOCK, CLOCK, 2)
    moment, status = datetime_from_bytes(bytes(octets))
    assert utc(moment) == meter.now
    assert not status.invalid


def test_account_and_credit(meter: Any, cosem: Any) -> None:
    session = cosem(meter, "s1sp")
    balance = meter.stored("0.0.19.10.0.255", 2).value
    assert session.read(CosemInterface.ACCOUNT, "0.0.19.0.0", 2) == [2, 2]
    assert session.read(CosemInterface.ACCOUNT, "0.0.19.0.0", 5) == balance
    assert session.read(CosemInterface.CREDIT, TOKEN_CREDIT, 2) == balance
    charge = session.read(CosemInterface.CHARGE, "0.0.19.20.0", 5)
    assert charge[0] == [0, -5]
    peak = [[b"\x03", 30]] if meter.profile.name == "itron" else []
    assert charge[2] == [[b"\x01", 15], [b"\x02", 8], *peak]


def test_profile_buffer(meter: Any, cosem: Any) -> None:
    session = cosem(meter, "reader")
    columns = [
        peer.CosemAttribute(CosemInterface(class_id), peer.Obis.from_bytes(instance), attribute)
        for class_id, instance, attribute, _ in session.read(
            CosemInterface.PROFILE_GENERIC, PROFILE, 3
        )
    ]
    parser = ProfileGenericBufferParser(columns, 30)
    rows = parser.parse_entries(session.read(CosemInterface.PROFILE_GENERIC, PROFILE, 2))
    assert len(rows) == 48
    seed = meter.device.seed
    expected = [metrology.cumulative(seed, Quantity.IMPORT, utc(time.value)) for time, _ in rows]
    assert [value.value for _, value in rows] == expected


def test_profile_by_range(meter: Any, cosem: Any) -> None:
    session = cosem(meter, "s1sp")
    rows = session.read(CosemInterface.PROFILE_GENERIC, PROFILE, 2)
    times = [datetime_from_bytes(bytes(row[0]))[0] for row in rows]
    clock = peer.CosemAttribute(CosemInterface.CLOCK, peer.Obis.from_string(CLOCK), 2)
    selection = RangeDescriptor(CaptureObject(clock), times[5], times[9])
    got = session.read(CosemInterface.PROFILE_GENERIC, PROFILE, 2, selection)
    assert got == rows[5:10]


def test_profile_by_entry(aclara: Any, cosem: Any) -> None:
    """The package has the descriptor and does not encode it."""
    session = cosem(aclara, "s1sp")
    with pytest.raises(NotImplementedError):
        session.read(CosemInterface.PROFILE_GENERIC, PROFILE, 2, EntryDescriptor(1, 3))


def test_with_list(aclara: Any, cosem: Any) -> None:
    """Proposed by the client, not granted; the refusal is understood."""
    session = cosem(aclara, "reader")
    assert not session.client.dlms_connection.conformance.multiple_references
    clock = peer.CosemAttribute(CosemInterface.CLOCK, peer.Obis.from_string(CLOCK), 2)
    with pytest.raises(DlmsClientException, match="SERVICE_NOT_SUPPORTED"):
        session.client.get_many([peer.CosemAttributeWithSelection(clock, None)])


def test_lls(meter: Any, cosem: Any) -> None:
    session = cosem(meter, "reader")
    assert session.read(CosemInterface.DATA, "0.0.42.0.0", 2)
    session.release()


def test_lls_wrong_password(meter: Any, cosem: Any) -> None:
    wrong = LowLevelSecurityAuthentication(b"wrong---")
    with pytest.raises(DlmsClientException, match="AUTHENTICATION_FAILED"):
        cosem(meter, "reader", authentication=wrong)


def test_access_errors(aclara: Any, cosem: Any) -> None:
    """A refusal is an answer: the association goes on."""
    session = cosem(aclara, "reader")
    with pytest.raises(DataResultError, match="OBJECT_UNDEFINED"):
        session.read(CosemInterface.ACCOUNT, "0.0.19.0.0", 5)
    with pytest.raises(DataResultError, match="READ_WRITE_DENIED"):
        session.read(CosemInterface.ASSOCIATION_LN, "0.0.40.0.0", 7)
    assert session.read(CosemInterface.DATA, "0.0.42.0.0", 2)
