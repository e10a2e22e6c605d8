"""What the client itself does not do, whatever its caller asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys
from dlms.association.events import ResponseReceived
from dlms.association.state import State
from dlms.axdr.data import unsigned
from dlms.errors import LocalProtocolError
from dlms.security.counters import InvocationCounters
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest, GetResponse

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
GET = GetRequest(0x41, CLOCK)


def test_one_confirmed_request_at_a_time(bench: Any) -> None:
    pair = bench().connect()
    pair.hit(pair.ask(pair.client.request(GET)))
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.request(GET))
    reply = pair.serve(pair.server.send(GetResponse(0x41, unsigned(7))))
    assert isinstance(pair.ask(pair.client.receive(reply)), ResponseReceived)
    pair.get()


def test_no_service_beyond_the_negotiated(bench: Any) -> None:
    pair = bench(server={"conformance": Conformance.SET}).connect()
    before = pair.client_digest()
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.request(GET))
    assert pair.client_digest() == before


def test_no_request_above_the_servers_pdu_size(bench: Any) -> None:
    pair = bench(mechanism=Mechanism.NONE, server={"max_pdu_size": 31}).connect()
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.request(GET))
    pair = bench(mechanism=Mechanism.NONE, server={"max_pdu_size": 32}).connect()
    pair.get()


@pytest.mark.parametrize(
    "mechanism", [m for m in Mechanism if m.is_hls and m is not Mechanism.HLS_GMAC]
)
def test_mechanisms_it_has_no_secret_or_key_for(bench: Any, mechanism: Mechanism) -> None:
    pair = bench(context=ApplicationContext.LN, client={"mechanism": mechanism})
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.open())
    assert pair.client.state is State.IDLE


@pytest.mark.parametrize("lacking", ["guek", "title"])
def test_no_association_without_key_or_title(bench: Any, lacking: str) -> None:
    pair = bench()
    keys = AssociationKeys() if lacking == "guek" else pair.keys
    config = (
        pair.client_config if lacking == "guek" else replace(pair.client_config, own_title=None)
    )
    with pytest.raises(LocalProtocolError):
        ClientAssociation(config, keys, InvocationCounters())


def test_lls_without_a_secret(bench: Any) -> None:
    pair = bench(context=ApplicationContext.LN, mechanism=Mechanism.LLS)
    client = ClientAssociation(pair.client_config, AssociationKeys(), InvocationCounters())
    with pytest.raises(LocalProtocolError):
        pair.ask(client.open())
