"""dlms-cosem as the client of the mechanisms it knows: none, low, 2 and GMAC."""

from __future__ import annotations

from typing import Any

import pytest
from dlms_cosem import cosem, enumerations, security
from dlms_cosem.connection import DlmsConnection
from dlms_cosem.protocol import acse, xdlms

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import AssociationOpened, AuthenticationFailed, RequestReceived
from dlms.association.knobs import Knobs
from dlms.security.hls import InnerCounter

NAME = cosem.CosemAttribute(
    enumerations.CosemInterface.DATA, cosem.Obis.from_string("0.0.42.0.0.255"), 2
)
REPLY = cosem.CosemMethod(
    enumerations.CosemInterface.ASSOCIATION_LN, cosem.Obis.from_string("0.0.40.0.0.255"), 1
)


def octet_string(octets: bytes) -> bytes:
    return b"\x09" + bytes((len(octets),)) + octets


def connection(facts: dict[str, Any], authentication: Any, *, ciphered: bool) -> DlmsConnection:
    keys: dict[str, Any] = {}
    if ciphered:
        keys = {
            "global_encryption_key": facts["guek"],
            "global_authentication_key": facts["gak"],
            "client_system_title": facts["client_title"],
            "meter_invocation_counter": -1,
        }
    return DlmsConnection(
        client_system_title=keys.pop("client_system_title", facts["client_title"]),
        authentication=authentication,
        **keys,
    )


def talk(client: DlmsConnection, meter: Any, apdu: Any) -> Any:
    client.receive_data(meter.talk(bytes(client.send(apdu))))
    return client.next_event()


def associate(client: DlmsConnection, meter: Any) -> Any:
    aare = talk(client, meter, client.get_aarq())
    assert isinstance(aare, acse.ApplicationAssociationResponse)
    if not client.authentication.authentication_method >= enumerations.AuthenticationMechanism.HLS:
        return aare
    f = client.authentication.hls_generate_reply_data(client)
    data = b"\x09" + bytes((len(f),)) + f
    request = xdlms.ActionRequestNormal(cosem_method=REPLY, data=data)
    return talk(client, meter, request)


def works(meter: Any, facts: dict[str, Any], authentication: Any, *, ciphered: bool) -> None:
    client = connection(facts, authentication, ciphered=ciphered)
    associate(client, meter)
    assert isinstance(meter.events[-1], AssociationOpened)
    response = talk(client, meter, xdlms.GetRequestNormal(NAME))
    assert response.data == octet_string(facts["value"])


@pytest.mark.parametrize("ciphered", [False, True])
def test_cosem_low(lab: Any, facts: dict[str, Any], ciphered: bool) -> None:
    context = ApplicationContext.LN_CIPHERED if ciphered else ApplicationContext.LN
    meter = lab(Mechanism.LLS, context=context)
    password = security.LowLevelSecurityAuthentication(facts["password"])
    works(meter, facts, password, ciphered=ciphered)


def test_cosem_manufacturer(lab: Any, facts: dict[str, Any]) -> None:
    """Its challenge is the secret, and it takes no other length than that of a block."""
    secret = security.HighLevelSecurityCommonAuthentication(facts["hls_secret"])
    works(lab(Mechanism.HLS), facts, secret, ciphered=False)


def test_cosem_manufacturer_wrong_secret(lab: Any, facts: dict[str, Any]) -> None:
    meter = lab(Mechanism.HLS)
    secret = security.HighLevelSecurityCommonAuthentication(b"sixteen octets!?")
    client = connection(facts, secret, ciphered=False)
    assert isinstance(associate(client, meter), xdlms.ActionResponseNormal)
    assert isinstance(meter.events[-1], AuthenticationFailed)


@pytest.mark.parametrize("inner", list(InnerCounter), ids=lambda knob: knob.name)
def test_cosem_gmac(lab: Any, facts: dict[str, Any], inner: InnerCounter) -> None:
    """The class as installed, at a meter of each position of the knob."""
    meter = lab(
        Mechanism.HLS_GMAC,
        context=ApplicationContext.LN_CIPHERED,
        knobs=Knobs(inner_counter=inner),
    )
    gmac = security.HighLevelSecurityGmacAuthentication()
    if inner is InnerCounter.STRICT:
        associate(connection(facts, gmac, ciphered=True), meter)
        assert isinstance(meter.events[-1], AuthenticationFailed)
    else:
        works(meter, facts, gmac, ciphered=True)


def test_cosem_pre_established(lab: Any, facts: dict[str, Any]) -> None:
    """Neither end has seen an AARQ."""
    meter = lab(Mechanism.NONE, pre_established=True)
    conformance = xdlms.Conformance(get=True)
    client = DlmsConnection.with_pre_established_association(conformance=conformance)
    response = talk(client, meter, xdlms.GetRequestNormal(NAME))
    assert response.data == octet_string(facts["value"])
    assert isinstance(meter.events[-1], RequestReceived)
