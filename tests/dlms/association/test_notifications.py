"""What a server says unasked: protected as the policy asks, told at any moment."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import NotificationReceived, ResponseReceived
from dlms.association.state import State
from dlms.axdr.data import octet_string, unsigned
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.get import GetRequest, GetResponse

PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}
GET = GetRequest(0x41, AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))


NEWS = DataNotification(1, unsigned(7))
PLAIN_NEWS = bytes.fromhex("0F 00000001 00 1107")
ALARM = EventNotification(GET.attribute, unsigned(7))
PLAIN_ALARM = bytes.fromhex("C2 00 0008 0000010000FF 02 1107")
TOLD = Conformance.GET | Conformance.GENERAL_PROTECTION
TOLD |= Conformance.DATA_NOTIFICATION | Conformance.EVENT_NOTIFICATION


@pytest.fixture
def bench(bench: Any) -> Any:
    """Both ends negotiate notifications."""

    def make(
        client: dict[str, Any] | None = None, server: dict[str, Any] | None = None, **kind: Any
    ) -> Any:
        return bench(
            client={"conformance": TOLD, **(client or {})},
            server={"conformance": TOLD, **(server or {})},
            **kind,
        )

    return make


def told(pair: Any, what: Any) -> bytes:
    octets: bytes = pair.serve(pair.server.notify(what))
    assert pair.ask(pair.client.receive(octets)) == NotificationReceived(what)
    return octets


@pytest.mark.parametrize(
    ("what", "octets"), [(NEWS, PLAIN_NEWS), (ALARM, PLAIN_ALARM)], ids=["data", "event"]
)
def test_plain(bench: Any, what: Any, octets: bytes) -> None:
    assert told(bench(**PLAIN).connect(), what) == octets


@pytest.mark.parametrize("dedicated", [False, True])
@pytest.mark.parametrize(
    ("what", "tags"), [(NEWS, (0xDB, 0xDC)), (ALARM, (0xCA, 0xD2))], ids=["data", "event"]
)
def test_ciphered(bench: Any, what: Any, tags: tuple[int, int], dedicated: bool) -> None:
    """In the service's own form where it has one, under the dedicated key where there is one."""
    pair = bench(dedicated=dedicated, server={"policy": Protection.BOTH}).connect()
    octets = told(pair, what)
    assert octets[0] == tags[dedicated]
    with pytest.raises(RemoteProtocolError, match="below"):
        pair.ask(pair.client.receive(octets))
    pair.get()


def test_as_the_policy_asks_of_responses(bench: Any) -> None:
    server = {"policy": Protection.BOTH, "response_policy": Protection.AUTHENTICATED}
    pair = bench(server=server).connect()
    assert pair.serve(pair.server.notify(ALARM))[2] == 0x10
    pair = bench(server={"policy": Protection.NONE}).connect()
    assert pair.serve(pair.server.notify(ALARM)) == PLAIN_ALARM


def test_between_a_request_and_its_response(bench: Any) -> None:
    """X_CLI_PUSH_MIX."""
    pair = bench(server={"policy": Protection.BOTH}).connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    told(pair, NEWS)
    reply = pair.serve(pair.server.send(GetResponse(0x41, unsigned(7))))
    assert isinstance(pair.ask(pair.client.receive(reply)), ResponseReceived)


def test_while_the_client_releases(bench: Any) -> None:
    pair = bench(server={"policy": Protection.BOTH}).connect()
    octets = pair.serve(pair.server.notify(NEWS))
    rlrq = pair.ask(pair.client.release())
    assert isinstance(pair.ask(pair.client.receive(octets)), NotificationReceived)
    pair.ask(pair.client.receive(pair.hit(rlrq).reply))
    assert pair.client.state is State.IDLE


def test_an_unprotected_one_is_not_believed(bench: Any) -> None:
    pair = bench(server={"policy": Protection.BOTH}).connect()
    with pytest.raises(RemoteProtocolError, match="plain APDU"):
        pair.ask(pair.client.receive(PLAIN_NEWS))
    pair.get()


@pytest.mark.parametrize("pending", [False, True])
def test_nothing_is_told_without_an_association(bench: Any, pending: bool) -> None:
    pair = bench()
    if pending:
        pair.begin()
    with pytest.raises(LocalProtocolError):
        pair.serve(pair.server.notify(NEWS))
    with pytest.raises(RemoteProtocolError):
        pair.ask(pair.client.receive(pair.from_server(PLAIN_NEWS, form=Form.GENERAL)))


def test_a_notification_that_does_not_fit(bench: Any) -> None:
    pair = bench(**PLAIN, client={"max_pdu_size": 12}).connect()
    told(pair, DataNotification(1, octet_string(bytes(4))))
    with pytest.raises(LocalProtocolError, match="too long"):
        pair.serve(pair.server.notify(DataNotification(1, octet_string(bytes(5)))))


def test_a_notification_that_was_not_negotiated(bench: Any) -> None:
    pair = bench(**PLAIN, client={"conformance": Conformance.GET}).connect()
    for what in (NEWS, ALARM):
        with pytest.raises(LocalProtocolError, match="not negotiated"):
            pair.serve(pair.server.notify(what))


def test_in_a_pre_established_association(bench: Any, names: dict[str, Any]) -> None:
    pair = bench(
        mechanism=Mechanism.NONE,
        server={"pre_established": True, "policy": Protection.BOTH},
        client={"pre_established": True, "server_title": names["SERVER_TITLE"]},
    )
    told(pair, NEWS)
    assert pair.client.state is State.PRE_ESTABLISHED
