"""dlms-cosem and notifications, the one of these services that it has."""

from __future__ import annotations

import datetime as dt

import pytest
from dlms_cosem.connection import XDlmsApduFactory
from dlms_cosem.protocol import xdlms
from dlms_cosem.protocol.xdlms.data_notification import LongInvokeIdAndPriority

from dlms.axdr.data import NULL, octet_string, unsigned
from dlms.axdr.encoding import encode
from dlms.errors import CodecError
from dlms.xdlms import registry
from dlms.xdlms.access import AccessRequest, AccessResponse
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.general_block import GeneralBlock
from dlms.xdlms.read import ReadRequest, ReadResponse
from dlms.xdlms.write import WriteRequest, WriteResponse

WHEN = bytes.fromhex("07E8021D04173B3B0000FF80")
MOMENT = dt.datetime(2024, 2, 29, 23, 59, 59)
CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)


def test_cosem_makes_data_notifications() -> None:
    invoke = LongInvokeIdAndPriority(
        0x123456, prioritized=True, confirmed=True, self_descriptive=True, break_on_error=False
    )
    theirs = xdlms.DataNotification(invoke, None, encode(unsigned(7)))
    assert registry.decode(theirs.to_bytes()) == DataNotification(0xD0123456, unsigned(7))


def test_cosem_cannot_make_data_notifications_with_time() -> None:
    theirs = xdlms.DataNotification(LongInvokeIdAndPriority(1), MOMENT, encode(unsigned(7)))
    with pytest.raises(CodecError):
        registry.decode(theirs.to_bytes())


def test_cosem_parses_data_notifications() -> None:
    for when in (b"", WHEN):
        ours = DataNotification(0x600001DB, octet_string(b"ab"), when)
        theirs = XDlmsApduFactory.apdu_from_bytes(ours.encode())
        assert isinstance(theirs, xdlms.DataNotification)
        invoke = theirs.long_invoke_id_and_priority
        assert (invoke.long_invoke_id, invoke.confirmed) == (0x1DB, True)
        assert (invoke.break_on_error, invoke.prioritized) == (True, False)
        assert theirs.body == encode(octet_string(b"ab"))
        if when:
            assert theirs.date_time is not None
            assert theirs.date_time.replace(tzinfo=None) == MOMENT
        else:
            assert theirs.date_time is None


def test_cosem_refuses_the_other_services() -> None:
    for ours in (
        AccessRequest(1, (), ()),
        AccessResponse(1, (), ()),
        EventNotification(CLOCK, NULL),
        GeneralBlock(True, False, 1, 1, 0, b"ab"),
        ReadRequest(()),
        ReadResponse(()),
        WriteRequest((), ()),
        WriteResponse(()),
    ):
        with pytest.raises(KeyError):
            XDlmsApduFactory.apdu_from_bytes(ours.encode())
