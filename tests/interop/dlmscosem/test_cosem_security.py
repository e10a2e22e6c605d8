"""dlms-cosem with keys: HLS-GMAC under general-glo-ciphering, and what both sides refuse."""

from __future__ import annotations

from typing import Any

import pytest
from dlms_cosem import cosem as peer
from dlms_cosem.client import ActionError, HLSError
from dlms_cosem.connection import ProtectionError, XDlmsApduFactory
from dlms_cosem.enumerations import CosemInterface, ReleaseResponseReason, ServiceException
from dlms_cosem.exceptions import DlmsClientException, LocalDlmsProtocolError
from dlms_cosem.protocol import xdlms
from dlms_cosem.security import HighLevelSecurityGmacAuthentication

from dlms.association.knobs import Knobs
from dlms.security.hls import InnerCounter

CLOCK = peer.CosemAttribute(CosemInterface.CLOCK, peer.Obis.from_string("0.0.1.0.0"), 2)
GENERAL_GLO, GLO_GET_RESPONSE = 0xDB, 0xCC
DECIPHERING_ERROR = 6


def read_clock(session: Any) -> Any:
    return session.read(CosemInterface.CLOCK, "0.0.1.0.0", 2)


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("association", ["s1sp", "dco"])
def test_hls_general(meter: Any, cosem: Any, association: str, tls: bool) -> None:
    session = cosem(meter, association, tls=tls)
    assert session.client.dlms_connection.conformance.general_protection
    assert len(read_clock(session)) == 12
    released = session.release()
    assert released.reason is ReleaseResponseReason.NORMAL
    # The InitiateResponse comes back in the RLRE, and the package has deciphered it.
    assert isinstance(released.user_information.content, xdlms.InitiateResponse)


def test_hls_stock_counter(fresh: Any, cosem: Any) -> None:
    """The stock class uses one counter, so one initialization vector, for two messages."""
    meter = fresh(knobs=Knobs(inner_counter=InnerCounter.STRICT))
    with pytest.raises(HLSError) as caught:
        cosem(meter, "s1sp", authentication=HighLevelSecurityGmacAuthentication())
    assert isinstance(caught.value.__cause__, ActionError)
    assert "READ_WRITE_DENIED" in str(caught.value.__cause__)
    assert "counter of the APDU that carries it" in meter.said("association-refused")[-1]


def test_first_counter_of_a_key(fresh: Any, cosem: Any) -> None:
    """By default the client takes 0 for a counter already seen; a new key's first is 0."""
    with pytest.raises(LocalDlmsProtocolError, match="not larger than the previous"):
        cosem(fresh(), "s1sp", meter_counter=0)


def test_counters_of_a_used_key(meter: Any, cosem: Any) -> None:
    """After some traffic the client's own default will do."""
    cosem(meter, "s1sp").release()
    assert len(read_clock(cosem(meter, "s1sp", meter_counter=0))) == 12


def test_service_specific_ciphering(aclara: Any, cosem: Any) -> None:
    """The package knows no tag of the service-specific kind but the InitiateRequest's."""
    session = cosem(aclara, "s1sp")
    response = bytes((GLO_GET_RESPONSE,)) + bytes(20)
    with pytest.raises(KeyError, match="204"):
        XDlmsApduFactory.apdu_from_bytes(response)
    request = session.client.dlms_connection.send(xdlms.GetRequestNormal(CLOCK))
    assert request[0] == GENERAL_GLO


def test_dedicated_key(aclara: Any, cosem: Any) -> None:
    """The option is there, and nothing comes of it: no key is proposed or used."""
    session = cosem(aclara, "s1sp", dedicated_ciphering=True)
    assert session.client.dlms_connection.global_dedicated_key is None
    assert len(read_clock(session)) == 12


def test_single_protection(aclara: Any, cosem: Any) -> None:
    """Encryption alone, or authentication alone: the package always wants both keys."""
    with pytest.raises(ProtectionError):
        cosem(aclara, "s1sp", authentication_key=None)
    with pytest.raises(ProtectionError):
        cosem(aclara, "s1sp", encryption_key=None)


def test_empty_title_in_general_ciphering(aclara: Any, cosem: Any) -> None:
    """A dialect the package has for some meters; ours take it, the title being known."""
    session = cosem(aclara, "s1sp")
    session.client.dlms_connection.settings.empty_system_title_in_general_glo_ciphering = True
    try:
        assert len(read_clock(session)) == 12
    finally:
        session.client.dlms_connection.settings.empty_system_title_in_general_glo_ciphering = False


def test_counter_object(meter: Any, cosem: Any) -> None:
    """Readable without a key, and it is what the next message must at least carry."""
    session = cosem(meter, "dco")
    public = cosem(meter, "public")
    floor = public.read(CosemInterface.DATA, meter.access("dco").counter_object, 2)
    assert floor == session.client.client_invocation_counter
    assert len(read_clock(session)) == 12


def test_lower_counter(meter: Any, cosem: Any) -> None:
    """The ExceptionResponse is decoded, counter and all; the counter it names works."""
    session = cosem(meter, "s1sp")
    floor = session.client.client_invocation_counter
    session.client.client_invocation_counter = floor - 1
    session.client.send(xdlms.GetRequestNormal(CLOCK))
    refusal = session.client.next_event()
    assert isinstance(refusal, xdlms.ExceptionResponse)
    if meter.profile.name == "honeywell_elster":  # which says no more than that
        assert refusal.service_error is ServiceException.DECIPHERING_ERROR
        return
    assert refusal.service_error is ServiceException.INVOCATION_COUNTER_ERROR
    assert refusal.invocation_counter_data == floor
    session.client.client_invocation_counter = refusal.invocation_counter_data
    assert len(read_clock(session)) == 12


def test_replayed_request(meter: Any, cosem: Any) -> None:
    session = cosem(meter, "dco")
    connection = session.client.dlms_connection
    request = connection.send(xdlms.GetRequestNormal(CLOCK))
    answer = session.client.transport.send_request(request)
    connection.receive_data(answer)
    connection.next_event()
    refusal = XDlmsApduFactory.apdu_from_bytes(session.client.transport.send_request(request))
    assert refusal.service_error is ServiceException.INVOCATION_COUNTER_ERROR
    assert refusal.invocation_counter_data == connection.client_invocation_counter


def test_exception_in_get(aclara: Any, cosem: Any) -> None:
    """``get`` waits for nothing else than data: it does not notice an ExceptionResponse."""
    session = cosem(aclara, "s1sp")
    session.client.client_invocation_counter = 0
    with pytest.raises(IndexError):
        read_clock(session)


def test_exception_in_set_and_action(aclara: Any, cosem: Any) -> None:
    """The state table has no ExceptionResponse after a SET or an ACTION."""
    session = cosem(aclara, "dco")
    session.client.client_invocation_counter = 0
    with pytest.raises(LocalDlmsProtocolError, match="ExceptionResponse"):
        session.write(CosemInterface.CLOCK, "0.0.1.0.0", 2, b"\x09\x00")
    session = cosem(aclara, "dco")
    session.client.client_invocation_counter = 0
    with pytest.raises(LocalDlmsProtocolError, match="ExceptionResponse"):
        session.invoke(CosemInterface.CLOCK, "0.0.1.0.0", 3, b"\x0f\x00")


def test_lower_counter_in_aarq(fresh: Any, cosem: Any) -> None:
    meter = fresh()
    cosem(meter, "s1sp").release()
    with pytest.raises(DlmsClientException, match=f"extra info: {DECIPHERING_ERROR}"):
        cosem(meter, "s1sp", counter=0)
    assert "invocation counter 0" in meter.said("association-refused")[-1]


@pytest.mark.parametrize("key", ["encryption_key", "authentication_key"])
def test_wrong_key(meter: Any, cosem: Any, key: str) -> None:
    with pytest.raises(DlmsClientException, match=f"extra info: {DECIPHERING_ERROR}"):
        cosem(meter, "s1sp", **{key: bytes(16)})
    assert "tag does not verify" in meter.said("association-refused")[-1]


def test_unregistered_title(aclara: Any, cosem: Any) -> None:
    with pytest.raises(DlmsClientException, match="CALLING_AP_TITLE_NOT_RECOGNIZED"):
        cosem(aclara, "s1sp", client_system_title=b"XYZ00001")


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
def test_hls_stock_counter_tolerated(fresh: Any, cosem: Any, tls: bool) -> None:
    """A meter that tolerates it serves the class as installed."""
    session = cosem(
        fresh(knobs=Knobs(inner_counter=InnerCounter.LENIENT)),
        "s1sp",
        tls=tls,
        authentication=HighLevelSecurityGmacAuthentication(),
    )
    assert len(read_clock(session)) == 12
    session.release()
