"""gurux-dlms takes what a meter says unasked off the socket: behind an answer, and without any."""

from __future__ import annotations

from typing import Any

import pytest
from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.enums import Command, Conformance, DataType
from gurux_dlms.objects import GXDLMSData, GXDLMSPushSetup

from devices import metrology
from devices.metrology import Quantity
from devices.outbox import Changed, Pushed
from dlms.axdr.data import double_long_unsigned
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.xdlms import registry
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.information_report import InformationReport
from dlms.xdlms.variable_access import VariableName

SETUP = "0.1.25.9.0.255"
READING = AttributeDescriptor(3, obis.parse("1-0:1.8.0"), 2)
UNASKED = Conformance.DATA_NOTIFICATION | Conformance.EVENT_NOTIFICATION
WHO = [("reader", False), ("dco", False), ("dco", True)]


@pytest.fixture
def told(fresh: Any, gurux: Any) -> Any:
    """``told(who)``: a laboratory meter, and an association of the package that is told things."""

    def make(who: str, general: bool = False) -> tuple[Any, Any]:
        lab = fresh("laboratory", who)
        session = gurux(lab, who, associate=False, general=general)
        session.client.proposedConformance |= UNASKED
        session.associate()
        return lab, session

    return make


def heard(session: Any) -> GXReplyData:
    """What the package makes of the next frame that comes, beside the answers."""
    header = session._receive(8)
    frame = header + session._receive(int.from_bytes(header[6:], "big"))
    answer, notice = GXReplyData(), GXReplyData()
    session.client.getData(GXByteBuffer(frame), answer, notice)
    assert answer.command == Command.NONE
    return notice


def decoded(notice: GXReplyData) -> Any:
    """The APDU that the package has opened, of which it gives the tag apart."""
    return registry.decode(bytes((notice.command,)) + bytes(notice.data.array()))


def energy(lab: Any) -> int:
    return metrology.cumulative(lab.device.seed, Quantity.IMPORT, lab.now)


@pytest.mark.parametrize(("who", "general"), WHO, ids=["plain", "service", "general"])
def test_a_push_behind_its_answer(told: Any, who: str, general: bool) -> None:
    lab, session = told(who, general)
    for _ in range(2):
        session.invoke(GXDLMSPushSetup(SETUP), 1, 0, DataType.INT8)
        notice = heard(session)
        assert notice.command == Command.DATA_NOTIFICATION
        time, value = notice.value
        assert bytes(time) == CosemDateTime.from_datetime(lab.now).to_octets()
        assert value == energy(lab)
        assert notice.time.value.replace(tzinfo=lab.now.tzinfo) == lab.now
    assert bytes(session.read(GXDLMSData("0.0.96.1.9.255"), 2)) == b"\0"
    session.release()


@pytest.mark.parametrize(("who", "general"), WHO, ids=["plain", "service", "general"])
def test_a_push_without_a_request(told: Any, who: str, general: bool) -> None:
    lab, session = told(who, general)
    assert lab.tell(Pushed(obis.parse("0-1:25.9.0.255"))) == 1
    notice = heard(session)
    assert (notice.command, notice.value[1]) == (Command.DATA_NOTIFICATION, energy(lab))


@pytest.mark.parametrize(("who", "general"), WHO, ids=["plain", "service", "general"])
def test_an_event(told: Any, who: str, general: bool) -> None:
    """The package opens it and says what it is; its content it leaves to its user."""
    lab, session = told(who, general)
    assert lab.tell(Changed(READING)) == 1
    notice = heard(session)
    assert notice.command == Command.EVENT_NOTIFICATION
    assert decoded(notice) == EventNotification(
        READING,
        double_long_unsigned(energy(lab)),
        CosemDateTime.from_datetime(lab.now).to_octets(),
    )


def test_a_report_by_short_names(fresh: Any, gurux: Any) -> None:
    lab = fresh("laboratory", "sn")
    session = gurux(lab, "sn", associate=False)
    session.client.useLogicalNameReferencing = False
    session.client.proposedConformance = (
        Conformance.READ | Conformance.INFORMATION_REPORT | Conformance.MULTIPLE_REFERENCES
    )
    session.associate()
    assert lab.tell(Changed(READING)) == 1
    notice = heard(session)
    assert notice.command == Command.INFORMATION_REPORT
    name = VariableName(name=lab.profile.short_names.bases[READING.instance] + 8)
    report = InformationReport((name,), (double_long_unsigned(energy(lab)),))
    assert decoded(notice) == report
