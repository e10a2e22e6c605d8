"""A client says that it has taken a notification; the server hears it, and says nothing to that."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import NotificationConfirmed, NotificationReceived
from dlms.axdr.data import unsigned
from dlms.errors import LocalProtocolError
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification, DataNotificationConfirm
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.long_invoke import CONFIRMED

PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}
TOLD = Conformance.GET | Conformance.GENERAL_PROTECTION | Conformance.DATA_NOTIFICATION
NEWS = DataNotification(CONFIRMED | 7, unsigned(7))
TAKEN = DataNotificationConfirm(CONFIRMED | 7)
GET = GetRequest(0x41, AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))
MOMENT = bytes.fromhex("07E3031A020C000000000000")


@pytest.fixture
def make(bench: Any) -> Any:
    def make(conformance: Conformance = TOLD, **more: Any) -> Any:
        server = {"conformance": conformance, **more.pop("server", {})}
        return bench(client={"conformance": conformance}, server=server, **more)

    return make


def confirmed(pair: Any, date_time: bytes = b"") -> tuple[bytes, Any]:
    octets: bytes = pair.ask(pair.client.confirm(NEWS, date_time))
    hit = pair.hit(octets)
    assert hit.reply is None
    return octets, hit.event


def refused(pair: Any, octets: bytes) -> str:
    hit = pair.hit(octets)
    assert hit.event is None
    reason: str = hit.error.reason
    return reason


def test_plain(make: Any) -> None:
    pair = make(**PLAIN).connect()
    assert confirmed(pair) == (bytes.fromhex("10 40000007 00"), NotificationConfirmed(TAKEN))
    assert pair.server.carry(None) == ()
    _, event = confirmed(pair, MOMENT)
    assert event.confirmation.date_time == MOMENT


@pytest.mark.parametrize(("dedicated", "tag"), [(False, 0xDB), (True, 0xDC)])
def test_ciphered(make: Any, dedicated: bool, tag: int) -> None:
    pair = make(dedicated=dedicated, server={"policy": Protection.BOTH}).connect()
    octets, event = confirmed(pair)
    assert (octets[0], event) == (tag, NotificationConfirmed(TAKEN))
    assert refused(pair, octets) == "invocation-counter"
    pair.get()


def test_between_a_request_and_its_response(make: Any) -> None:
    pair = make(server={"policy": Protection.BOTH}).connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    octets = pair.serve(pair.server.notify(NEWS))
    assert pair.ask(pair.client.receive(octets)) == NotificationReceived(NEWS)
    assert confirmed(pair)[1] == NotificationConfirmed(TAKEN)
    pair.client._waiting_for = None  # the response is another test's
    pair.get()


def test_in_a_pre_established_association(bench: Any, names: dict[str, Any]) -> None:
    pair = bench(
        mechanism=Mechanism.NONE,
        server={
            "pre_established": True,
            "policy": Protection.BOTH,
            "conformance": TOLD,
            "client_title": names["CLIENT_TITLE"],
        },
        client={
            "pre_established": True,
            "server_title": names["SERVER_TITLE"],
            "conformance": TOLD,
        },
    )
    octets = pair.serve(pair.server.notify(NEWS))
    assert pair.ask(pair.client.receive(octets)) == NotificationReceived(NEWS)
    assert confirmed(pair)[1] == NotificationConfirmed(TAKEN)


def test_an_unprotected_one_is_not_believed(make: Any) -> None:
    pair = make(server={"policy": Protection.BOTH}).connect()
    assert refused(pair, TAKEN.encode()) == "insufficient-protection"
    pair.get()


@pytest.mark.parametrize("octets", ["10", "10400000", "104000000701", "1040000007 00 00"])
def test_a_malformed_one(make: Any, octets: str) -> None:
    pair = make(**PLAIN).connect()
    assert refused(pair, bytes.fromhex(octets)) == "malformed-confirmation"


def test_one_that_was_not_negotiated(make: Any) -> None:
    pair = make(Conformance.GET, **PLAIN).connect()
    assert not pair.client.can_confirm
    with pytest.raises(LocalProtocolError, match="no confirmations"):
        pair.ask(pair.client.confirm(NEWS))
    assert refused(pair, TAKEN.encode()) == "service-not-negotiated"


def test_ciphered_it_needs_general_protection(make: Any) -> None:
    pair = make(Conformance.GET | Conformance.DATA_NOTIFICATION).connect()
    assert not pair.client.can_confirm
    plain = make(Conformance.GET | Conformance.DATA_NOTIFICATION, **PLAIN).connect()
    assert plain.client.can_confirm


def test_nothing_is_confirmed_without_an_association(make: Any) -> None:
    pair = make(**PLAIN)
    assert not pair.client.can_confirm
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.confirm(NEWS))
    assert refused(pair, TAKEN.encode()) == "not-associated"


def test_not_while_authentication_is_pending(make: Any) -> None:
    pair = make(server={"policy": Protection.BOTH})
    pair.begin()
    assert not pair.client.can_confirm
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.confirm(NEWS))
