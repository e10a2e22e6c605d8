"""DataNotification, EventNotification, InformationReport: what is refused, and what they need."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.axdr.data import NULL
from dlms.errors import CodecError
from dlms.xdlms import registry
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification, DataNotificationConfirm
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.information_report import InformationReport
from dlms.xdlms.variable_access import ParameterizedAccess, VariableName

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
NAME = VariableName(name=0x2BC0)
TIME = bytes(12)


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize(
    ("notification", "needs"),
    [
        (DataNotification(0, NULL), Conformance.DATA_NOTIFICATION),
        (EventNotification(CLOCK, NULL), Conformance.EVENT_NOTIFICATION),
        (InformationReport((NAME,), (NULL,)), Conformance.INFORMATION_REPORT),
        (
            InformationReport((NAME, NAME), (NULL, NULL)),
            Conformance.INFORMATION_REPORT | Conformance.MULTIPLE_REFERENCES,
        ),
    ],
)
def test_needs(notification: registry.Notification, needs: Conformance) -> None:
    assert notification.needs == needs
    assert registry.NOTIFICATIONS[notification.encode()[0]].needs & needs


def test_confirmed() -> None:
    assert DataNotification(0x40000000, NULL).confirmed
    assert not DataNotification(0xBFFFFFFF, NULL).confirmed


REFUSED = {
    # A meter of some countries writes its date-time as Data, with the tag.
    "date-time as Data": ("0F 40000000 090C 07E1090C0217122AFF800000 0201 0600000528", 5),
    "no body": ("0F 40000000 00", 6),
    "body left over": ("0F 40000000 00 00 00", 7),
    "long date-time": ("0F 40000000 8110" + "00" * 16 + "00", 5),
    "confirm with a body": ("10 40000000 00 00", 6),
    "event, flag 2": ("C2 02 0008 0000010000FF 02 00", 1),
    "event, time of 0": ("C2 01 00 0008 0000010000FF 02 00", 2),
    "event, time of 5": ("C2 01 05 07E8021D04 0008 0000010000FF 02 00", 2),
    "event, time without flag": ("C2 0C" + "00" * 12 + "0008 0000010000FF 02 00", 1),
    "event, left over": ("C2 00 0008 0000010000FF 02 00 00", 12),
    "report, long time": ("18 01 21" + "30" * 33 + "00 00", 2),
    "report, parameterized": ("18 00 01 04 2BC0 01 00 01 00", 3),
    "report, one value less": ("18 00 02 022BC0 022BC8 01 00", 9),
    "report, one value more": ("18 00 01 022BC0 02 00 00", 6),
    "report, left over": ("18 00 00 00 00", 4),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_refused(case: str) -> None:
    text, offset = REFUSED[case]
    with pytest.raises(CodecError) as caught:
        registry.decode(octets(text))
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    "apdu",
    [
        DataNotification(1 << 32, NULL),
        DataNotification(0, NULL, bytes(4)),
        DataNotificationConfirm(0, bytes(4)),
        EventNotification(CLOCK, NULL, b""),
        EventNotification(CLOCK, NULL, bytes(13)),
        InformationReport((NAME,), ()),
        InformationReport((), (NULL,)),
        InformationReport((), (), bytes(33)),
        InformationReport((ParameterizedAccess(name=1, selector=0, parameter=NULL),), (NULL,)),
        InformationReport((VariableName(name=0x10000),), (NULL,)),
    ],
    ids=repr,
)
def test_what_cannot_be_encoded(apdu: Any) -> None:
    with pytest.raises(CodecError):
        apdu.encode()


def test_times() -> None:
    """Absent, and there, and there without any character, are three things."""
    for apdu in (
        EventNotification(CLOCK, NULL, TIME),
        EventNotification(CLOCK, NULL),
        InformationReport((), (), bytes(32)),
        InformationReport((), (), b""),
        InformationReport((), ()),
    ):
        assert registry.decode(apdu.encode()) == apdu
