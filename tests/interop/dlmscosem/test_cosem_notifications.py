"""dlms-cosem takes what a meter pushes off the socket: behind an answer, and without any."""

from __future__ import annotations

from typing import Any

import pytest
from dlms_cosem import utils
from dlms_cosem.enumerations import CosemInterface
from dlms_cosem.protocol import xdlms

from devices import metrology
from devices.metrology import Quantity
from devices.outbox import Pushed
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis

PUSH = b"\x0f\0"
"""Integer 0, the parameter of method push."""


@pytest.fixture
def told(fresh: Any, cosem: Any) -> Any:
    """``told(who)``: a laboratory meter, and an association of the package that takes pushes."""

    def make(who: str) -> tuple[Any, Any]:
        lab = fresh("laboratory", who)
        session = cosem(lab, who, associate=False)
        session.client.dlms_connection.conformance.data_notification = True
        session.client.associate()
        return lab, session

    return make


def heard(lab: Any, session: Any) -> int:
    """The long invoke id of the next thing that comes, which is what the meter pushes."""
    connection = session.client.dlms_connection
    connection.receive_data(session.client.transport.recv_response())
    notice = connection.next_event()
    assert isinstance(notice, xdlms.DataNotification)
    assert notice.date_time.replace(tzinfo=lab.now.tzinfo) == lab.now
    time, energy = utils.parse_as_dlms_data(notice.body)
    assert bytes(time) == CosemDateTime.from_datetime(lab.now).to_octets()
    assert energy == metrology.cumulative(lab.device.seed, Quantity.IMPORT, lab.now)
    number: int = notice.long_invoke_id_and_priority.long_invoke_id
    return number


@pytest.mark.parametrize("who", ["reader", "dco"], ids=["plain", "general"])
def test_a_push_behind_its_answer(told: Any, who: str) -> None:
    lab, session = told(who)
    for number in (1, 2):
        session.invoke(CosemInterface.PUSH, "0.1.25.9.0", 1, PUSH)
        assert heard(lab, session) == number
    assert session.read(CosemInterface.DATA, "0.0.96.1.9", 2) == b"\0"
    session.release()


@pytest.mark.parametrize("who", ["reader", "dco"], ids=["plain", "general"])
def test_a_push_without_a_request(told: Any, who: str) -> None:
    lab, session = told(who)
    assert lab.tell(Pushed(obis.parse("0-1:25.9.0.255"))) == 1
    assert heard(lab, session) == 1
    assert session.read(CosemInterface.DATA, "0.0.96.1.9", 2) == b"\0"
