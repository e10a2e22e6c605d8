"""gurux-dlms and ACCESS and notifications: its APDUs and ours.

No meter and no socket: what it makes is decoded here, what is made here it shows or parses.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from gurux_dlms import GXByteBuffer, GXDLMSClient, GXDLMSNotify, GXDLMSTranslator, GXReplyData
from gurux_dlms.enums import AccessServiceCommandType, Authentication, ErrorCode
from gurux_dlms.enums import DataType as TheirType
from gurux_dlms.enums import InterfaceType as Interface
from gurux_dlms.GXDLMSAccessItem import GXDLMSAccessItem
from gurux_dlms.objects import GXDLMSData

from dlms.axdr import CosemDateTime
from dlms.axdr.data import NULL, long_unsigned, octet_string, unsigned
from dlms.errors import CodecError
from dlms.framing import Wpdu, WrapperReceiver
from dlms.xdlms import registry
from dlms.xdlms.access import (
    AccessAction,
    AccessGet,
    AccessRequest,
    AccessResponse,
    AccessResult,
    AccessService,
    AccessSet,
)
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.information_report import InformationReport
from dlms.xdlms.variable_access import (
    VariableName,
)

VECTORS = Path(__file__).parents[3] / "fixtures" / "vectors"
NAME = "0.0.128.0.0.255"
SHORT = 0x2BC0
ATTRIBUTE = AttributeDescriptor(1, bytes((0, 0, 128, 0, 0, 255)), 2)
METHOD = MethodDescriptor(1, bytes((0, 0, 128, 0, 0, 255)), 1)
WHEN = bytes.fromhex("07E8021D04173B3B00003C00")
MOMENT = dt.datetime(2024, 2, 29, 23, 59, 59)


def shown(apdu: bytes) -> ElementTree.Element:
    """What their translator makes of ``apdu``."""
    return ElementTree.fromstring(GXDLMSTranslator().pduToXml(apdu))


def values(element: ElementTree.Element, tag: str | None = None) -> list[str]:
    return [leaf.attrib["Value"] for leaf in element.iter(tag) if "Value" in leaf.attrib]


def apdus(frames: Iterable[Any]) -> list[bytes]:
    found = []
    for frame in frames:
        receiver = WrapperReceiver()
        receiver.receive(bytes(frame))
        wpdu = receiver.next_wpdu()
        assert wpdu is not None
        found.append(wpdu.apdu)
    return found


def client() -> GXDLMSClient:
    return GXDLMSClient(True, 16, 1, Authentication.NONE, None, Interface.WRAPPER)


def notifier(logical: bool = True) -> GXDLMSNotify:
    return GXDLMSNotify(logical, 16, 1, Interface.WRAPPER)


def value(short: int = 0) -> GXDLMSData:
    made = GXDLMSData(NAME, short)
    made.value = 5
    made.setDataType(2, TheirType.UINT16)
    return made


def pushed(octets: bytes, theirs: GXDLMSNotify, when: dt.datetime | None = None) -> list[bytes]:
    body = GXByteBuffer()
    body.set(octets)
    return apdus(theirs.generateDataNotificationMessages(when, body))


def refuses(theirs: Any, *arguments: Any) -> None:
    """Their own errors are of any class."""
    with pytest.raises((ValueError, AttributeError, IndexError, TypeError)):
        theirs(*arguments)


ACCESS_TAGS = {"AccessRequestGet", "AccessRequestSet", "AccessRequestAction"}


# ACCESS -------------------------------------------------------------------------------------------


def test_gurux_makes_an_access_request() -> None:
    theirs = value()
    items = [GXDLMSAccessItem(AccessServiceCommandType.GET, theirs, n) for n in (2, 1)]
    (octets,) = apdus(client().accessRequest(None, items))
    request = registry.decode(octets)
    assert isinstance(request, AccessRequest)
    assert request.specifications == (
        AccessGet(attribute=ATTRIBUTE),
        AccessGet(attribute=ATTRIBUTE._replace(attribute=1)),
    )
    assert request.data == (NULL, NULL)
    assert request.confirmed
    assert request.encode() == octets


def test_gurux_cannot_make_an_access_request_with_set() -> None:
    item = GXDLMSAccessItem(AccessServiceCommandType.SET, value(), 2)
    refuses(client().accessRequest, None, [item])


def test_gurux_shows_access_requests() -> None:
    request = AccessRequest(
        0x40000001,
        (
            AccessGet(attribute=ATTRIBUTE),
            AccessSet(attribute=ATTRIBUTE),
            AccessAction(method=METHOD),
        ),
        (NULL, unsigned(5), octet_string(b"ab")),
        WHEN,
    )
    xml = shown(request.encode())
    kinds = [item.tag for item in xml.iter() if item.tag in ACCESS_TAGS]
    assert kinds == ["AccessRequestGet", "AccessRequestSet", "AccessRequestAction"]
    assert values(xml, "LongInvokeIdAndPriority") == ["40000001"]
    assert values(xml, "DateTime") == [WHEN.hex().upper()]
    assert values(xml, "InstanceId") == [ATTRIBUTE.instance.hex().upper()] * 3
    assert values(xml, "UInt8") == ["05"]
    assert values(xml, "OctetString") == ["6162"]


def test_gurux_refuses_access_with_selection() -> None:
    for entry in json.loads((VECTORS / "services.json").read_text("utf-8")):
        if entry["name"] == "ACCESS.request of each kind, break on error":
            refuses(shown, bytes.fromhex(entry["hex"]))
            return
    raise AssertionError("the vector is gone")


def test_gurux_parses_an_access_response() -> None:
    denied = AccessResult(AccessService.GET, DataAccessResult.READ_WRITE_DENIED)
    good = AccessResult(AccessService.GET, DataAccessResult.SUCCESS)
    response = AccessResponse(0x40000001, (octet_string(b"ab"), NULL), (good, denied))
    theirs, reply = client(), GXReplyData()
    theirs.getData(bytearray(Wpdu(1, 16, response.encode()).encode()), reply)
    items = [GXDLMSAccessItem(AccessServiceCommandType.GET, value(), n) for n in (2, 1)]
    theirs.parseAccessResponse(items, reply.data)
    assert [bytes(items[0].value), items[1].value] == [b"ab", None]
    assert [item.error for item in items] == [ErrorCode.OK, ErrorCode.READ_WRITE_DENIED]


def test_gurux_cannot_show_a_failed_access() -> None:
    failed = AccessResult(AccessService.ACTION, ActionResult.OBJECT_UNDEFINED)
    refuses(shown, AccessResponse(1, (NULL,), (failed,), None, WHEN).encode())


# Notifications ------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", [None, MOMENT])
def test_gurux_makes_data_notifications(when: dt.datetime | None) -> None:
    (octets,) = pushed(bytes.fromhex("0902AABB"), notifier(), when)
    pushed_one = registry.decode(octets)
    assert isinstance(pushed_one, DataNotification)
    assert pushed_one.body == octet_string(b"\xaa\xbb")
    if when is None:
        assert pushed_one.date_time == b""
    else:
        theirs = CosemDateTime.from_octets(pushed_one.date_time)
        assert theirs.to_datetime().replace(tzinfo=None) == when
    assert pushed_one.encode() == octets


@pytest.mark.parametrize("when", [b"", WHEN])
def test_gurux_parses_data_notifications(when: bytes) -> None:
    ours = DataNotification(0x400001DB, octet_string(b"ab"), when)
    reply, frame = GXReplyData(), GXByteBuffer()
    frame.set(Wpdu(16, 1, ours.encode()).encode())
    assert notifier().getData(frame, reply)
    assert bytes(reply.value) == b"ab"
    assert reply.invokeId == 0x400001DB
    assert (reply.time is None) == (when == b"")


def test_gurux_makes_event_notifications() -> None:
    (octets,) = apdus(notifier().generateReport(None, [(value(), 2)]))
    assert registry.decode(octets) == EventNotification(ATTRIBUTE, long_unsigned(5))


def test_gurux_cannot_make_event_notifications_with_time() -> None:
    (octets,) = apdus(notifier().generateReport(MOMENT, [(value(), 2)]))
    with pytest.raises(CodecError):
        registry.decode(octets)


@pytest.mark.parametrize("when", [None, WHEN])
def test_gurux_shows_event_notifications(when: bytes | None) -> None:
    xml = shown(EventNotification(ATTRIBUTE, unsigned(7), when).encode())
    assert values(xml, "ClassId") == ["0001"]
    assert values(xml, "AttributeId") == ["02"]
    assert values(xml, "UInt8") == ["07"]
    assert values(xml, "Time") == ([] if when is None else [when.hex().upper()])


def test_gurux_makes_information_reports() -> None:
    theirs = value(SHORT)
    (octets,) = apdus(notifier(False).generateReport(None, [(theirs, 2), (theirs, 1)]))
    assert registry.decode(octets) == InformationReport(
        (VariableName(name=SHORT + 8), VariableName(name=SHORT)),
        (long_unsigned(5), octet_string(ATTRIBUTE.instance)),
    )


def test_gurux_shows_information_reports() -> None:
    report = InformationReport((VariableName(name=SHORT),), (unsigned(7),))
    assert values(shown(report.encode())) == ["2BC0", "07"]


def test_gurux_refuses_information_reports_with_time() -> None:
    report = InformationReport((VariableName(name=SHORT),), (unsigned(7),), b"20240229235959Z")
    refuses(shown, report.encode())
