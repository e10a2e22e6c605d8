"""AAREs that the client does not put up with (reference X_CLI_*, R-HLS-3, KL-HL-01)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import (
    AssociationRefused,
    AuthenticationPending,
)
from dlms.association.knobs import STRICT
from dlms.association.state import State
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.errors import ConfirmedServiceError
from dlms.xdlms.initiate import InitiateResponse

SERVER_TITLE = b"MTR\0\0\0\0\1"
OTHER_TITLE = b"MTR\0\0\0\0\2"
CLIENT_TITLE = b"S1S\0\0\0\0\1"


def abandon(pair: Any) -> None:
    """What the caller does after a RemoteProtocolError; then all works again."""
    pair.ask(pair.client.close())
    assert pair.client.state is State.IDLE
    pair.works()


def refused(pair: Any, octets: bytes, state: State) -> RemoteProtocolError:
    before = pair.client_digest()
    with pytest.raises(RemoteProtocolError) as caught:
        pair.ask(pair.client.receive(octets))
    assert pair.client.state is state
    assert pair.client_digest() == before
    return caught.value


def good_aare(pair: Any, **initiate: Any) -> Aare:
    """What the server answers, taken apart, its InitiateResponse changed by ``initiate``."""
    aare = Aare.decode(pair.hit(pair.ask(pair.client.open())).reply)
    if initiate:
        response = InitiateResponse(
            conformance=pair.client_config.conformance, server_max_receive_pdu_size=1024
        )
        user = response._replace(**initiate).encode()
        if pair.client_config.context.ciphered:
            user = pair.from_server(user)
        aare = aare._replace(user_information=user)
    return aare


AARE_CHANGES: dict[str, dict[str, Any]] = {
    "plain context": {"application_context_name": ApplicationContext.LN.oid},
    "SN context": {"application_context_name": ApplicationContext.SN_CIPHERED.oid},
    "unknown context": {"application_context_name": bytes.fromhex("2A0304")},
    "no title": {"responding_ap_title": None},
    "our own title": {"responding_ap_title": CLIENT_TITLE},
    "title of 7 octets": {"responding_ap_title": SERVER_TITLE[:7]},
    "title of 9 octets": {"responding_ap_title": SERVER_TITLE + b"\0"},
    "empty title": {"responding_ap_title": b""},
    "another title": {"responding_ap_title": OTHER_TITLE},
    "no user-information": {"user_information": None},
    "plain user-information": {
        "user_information": InitiateResponse(
            conformance=Conformance.GET, server_max_receive_pdu_size=0
        ).encode()
    },
    "garbage": {"user_information": b"\x28\x01\x30"},
}
MECHANISM_CHANGES: dict[str, dict[str, Any]] = {
    "authentication skipped": {"diagnostic": UserDiagnostic.NULL},
    "no mechanism": {"mechanism_name": None},
    "lowest mechanism": {"mechanism_name": Mechanism.NONE.oid},
    "low mechanism": {"mechanism_name": Mechanism.LLS.oid},
    "weaker HLS": {"mechanism_name": Mechanism.HLS_MD5.oid},
    "no challenge": {"responding_authentication_value": None},
    "challenge of 0": {"responding_authentication_value": AuthenticationValue(b"")},
    "challenge of 7": {"responding_authentication_value": AuthenticationValue(bytes(7))},
    "challenge of 65": {"responding_authentication_value": AuthenticationValue(bytes(65))},
}


@pytest.mark.parametrize("changes", AARE_CHANGES.values(), ids=list(AARE_CHANGES))
def test_aare(bench: Any, changes: dict[str, Any]) -> None:
    """X_CLI_CTX, X_CLI_TITLE. The server's title is not known beforehand here."""
    pair = bench()
    aare = good_aare(pair)._replace(**changes)
    refused(pair, aare.encode(), State.ASSOCIATING)
    abandon(pair)


@pytest.mark.parametrize(
    "changes",
    [
        changes
        for name, changes in AARE_CHANGES.items()
        if "title" in name and "another" not in name
    ],
)
def test_title_in_a_plain_context(bench: Any, changes: dict[str, Any]) -> None:
    """HLS with GMAC needs it there too, and no tag of the AARE stands for it."""
    pair = bench(context=ApplicationContext.LN)
    refused(pair, good_aare(pair)._replace(**changes).encode(), State.ASSOCIATING)
    abandon(pair)


@pytest.mark.parametrize("changes", MECHANISM_CHANGES.values(), ids=list(MECHANISM_CHANGES))
@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
def test_mechanism_in_the_aare(
    bench: Any, context: ApplicationContext, changes: dict[str, Any]
) -> None:
    """X_CLI_MECH: the InitiateResponse is genuine, so its counter is spent; no more than that."""
    pair = bench(context=context)
    aare = good_aare(pair)._replace(**changes)
    with pytest.raises(RemoteProtocolError):
        pair.ask(pair.client.receive(aare.encode()))
    assert pair.client.state is State.ASSOCIATING
    abandon(pair)


def test_title_other_than_the_known_one(bench: Any) -> None:
    """A meter with right keys, but not the one we mean."""
    pair = bench(client={"server_title": OTHER_TITLE})
    refused(pair, good_aare(pair).encode(), State.ASSOCIATING)


def test_title_that_is_absent(bench: Any) -> None:
    """X_CLI_TITLE: it is due where there is ciphering, also if it is known."""
    pair = bench(client={"server_title": SERVER_TITLE})
    aare = good_aare(pair)._replace(responding_ap_title=None)
    refused(pair, aare.encode(), State.ASSOCIATING)


def test_title_may_be_absent_by_a_knob_if_it_is_known(bench: Any) -> None:
    knobs = replace(STRICT, absent_title_accepted=True)
    pair = bench(client={"server_title": SERVER_TITLE, "knobs": knobs})
    aare = good_aare(pair)._replace(responding_ap_title=None)
    assert isinstance(pair.ask(pair.client.receive(aare.encode())), AuthenticationPending)


@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
def test_stoc_equals_ctos(bench: Any, context: ApplicationContext) -> None:
    """X_CLI_STOC_EQ, KL-HL-01."""
    pair = bench(context=context)
    aare = good_aare(pair)._replace(
        responding_authentication_value=AuthenticationValue(pair.client._proposed.challenge),
    )
    with pytest.raises(RemoteProtocolError) as caught:
        pair.ask(pair.client.receive(aare.encode()))
    assert caught.value.reason == "stoc-equals-ctos"
    with pytest.raises(LocalProtocolError):
        pair.ask(pair.client.authenticate())
    abandon(pair)


@pytest.mark.parametrize(
    "extra",
    [
        Conformance.ACCESS,
        Conformance.ACTION | Conformance.READ,
        Conformance(0x800000),
        Conformance.DELTA_VALUE_ENCODING,
        Conformance(0x010000),
    ],
    ids=["access", "action and read", "reserved bit 0", "bit 6", "reserved bit 7"],
)
@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
def test_conformance_that_was_not_proposed(
    bench: Any, context: ApplicationContext, extra: Conformance
) -> None:
    """X_CLI_CONF_SUPERSET, named bits and nameless ones."""
    pair = bench(context=context, mechanism=Mechanism.NONE, client={"conformance": Conformance.GET})
    aare = good_aare(pair, conformance=Conformance.GET | extra)
    with pytest.raises(RemoteProtocolError):
        pair.ask(pair.client.receive(aare.encode()))
    assert pair.client.state is State.ASSOCIATING
    assert not pair.client.conformance
    abandon(pair)


@pytest.mark.parametrize("control", [0x10, 0x20])
def test_initiate_response_protected_less(bench: Any, control: int) -> None:
    """Also where services ask for less; and without moving the floor."""
    pair = bench(client={"protection": Protection.NONE + Protection.AUTHENTICATED})
    aare = good_aare(pair)
    response = InitiateResponse(conformance=Conformance.GET, server_max_receive_pdu_size=0)
    user = pair.from_server(response.encode(), control=control)
    refused(pair, aare._replace(user_information=user).encode(), State.ASSOCIATING)


def test_replayed_aare(bench: Any) -> None:
    pair = bench()
    old = pair.hit(pair.ask(pair.client.open())).reply
    pair.ask(pair.client.receive(old))
    pair.ask(pair.client.open())
    refused(pair, old, State.ASSOCIATING)
    abandon(pair)


def test_refusal_is_reported_with_its_codes(bench: Any) -> None:
    pair = bench()
    octets = pair.ask(pair.client.open())
    error = ConfirmedServiceError.decode(bytes.fromhex("0E010006"))
    aare = Aare(
        application_context_name=ApplicationContext.LN_CIPHERED.oid,
        result=AssociationResult.REJECTED_TRANSIENT,
        diagnostic=UserDiagnostic.NO_REASON_GIVEN,
        user_information=error.encode(),
    )
    assert octets
    event = pair.ask(pair.client.receive(aare.encode()))
    assert isinstance(event, AssociationRefused)
    assert event.result is AssociationResult.REJECTED_TRANSIENT
    assert event.diagnostic is UserDiagnostic.NO_REASON_GIVEN
    assert event.error == error
    assert pair.client.state is State.IDLE
    pair.works()


def test_refusal_with_unreadable_reason(bench: Any) -> None:
    pair = bench()
    pair.ask(pair.client.open())
    octets = bytes.fromhex("611FA109060760857405080103A203020101A305A103020101BE060404FFFFFFFF")
    event = pair.ask(pair.client.receive(octets))
    assert isinstance(event, AssociationRefused)
    assert event.error is None
