"""gurux-dlms with keys: HLS-GMAC, every dialect of ciphering, and what the meter must refuse."""

from __future__ import annotations

from typing import Any

import pytest
from gurux_dlms.enums import ExceptionServiceError, Security, SourceDiagnostic
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.GXDLMSExceptionResponse import GXDLMSExceptionResponse
from gurux_dlms.GXReplyData import GXReplyData
from gurux_dlms.objects import GXDLMSAccount, GXDLMSClock, GXDLMSData

from dlms.security.control import Protection

APDU_TAG = 8
GLO_GET, GLO_ACTION, GENERAL_GLO = 0xC8, 0xCB, 0xDB
DED_GET, GENERAL_DED = 0xD0, 0xDC
DEDICATED_KEY = bytearray(range(0x40, 0x50))


def read_clock(session: Any) -> Any:
    return session.read(GXDLMSClock("0.0.1.0.0.255"), 2)


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("association", ["s1sp", "dco"])
def test_hls_service_specific(meter: Any, gurux: Any, association: str, tls: bool) -> None:
    session = gurux(meter, association, tls=tls)
    assert read_clock(session).value is not None
    assert session.sent[-1][APDU_TAG] == GLO_GET
    session.release()


@pytest.mark.parametrize("association", ["s1sp", "dco"])
def test_hls_general(meter: Any, gurux: Any, association: str) -> None:
    """General protection negotiated; pass 3 still goes in the service's own form."""
    session = gurux(meter, association, general=True)
    assert session.sent[-1][APDU_TAG] == GLO_ACTION
    assert read_clock(session).value is not None
    assert session.sent[-1][APDU_TAG] == GENERAL_GLO
    session.release()


def test_hls_encrypted_only(site: Any, gurux: Any) -> None:
    """The one profile whose policy is encryption alone."""
    session = gurux(site.meters["itron"], "s1sp", security=Security.ENCRYPTION)
    assert session.read(GXDLMSAccount(), 15).name == "GBP"
    session.release()


def test_hls_authenticated_only(fresh: Any, gurux: Any) -> None:
    """No profile admits it: a meter of its own does."""
    session = gurux(
        fresh("aclara", policy=Protection.AUTHENTICATED),
        "s1sp",
        security=Security.AUTHENTICATION,
    )
    assert session.read(GXDLMSAccount(), 15).name == "GBP"
    session.release()


@pytest.mark.parametrize("security", [Security.AUTHENTICATION, Security.ENCRYPTION])
def test_less_than_the_policy(meter: Any, gurux: Any, security: Security) -> None:
    session = gurux(meter, "dco", associate=False, security=security)
    with pytest.raises(GXDLMSException) as caught:
        session.associate()
    assert caught.value.diagnostic == SourceDiagnostic.NO_REASON_GIVEN


@pytest.mark.parametrize("general", [False, True], ids=["ded", "general-ded"])
def test_dedicated_key(meter: Any, gurux: Any, general: bool) -> None:
    session = gurux(meter, "s1sp", dedicatedKey=DEDICATED_KEY, general=general)
    assert session.read(GXDLMSAccount(), 15).name == "GBP"
    assert session.sent[-1][APDU_TAG] == (GENERAL_DED if general else DED_GET)
    session.release()


def test_counter_object(meter: Any, gurux: Any) -> None:
    """Readable without a key, and it is the very lowest counter that works."""
    session = gurux(meter, "dco")
    floor = session.client.ciphering.invocationCounter
    public = gurux(meter, "public")
    assert public.read(GXDLMSData(meter.access("dco").counter_object), 2) == floor
    session.client.ciphering.invocationCounter = floor - 1
    with pytest.raises(GXDLMSExceptionResponse):
        read_clock(session)


def test_replayed_request(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "dco")
    read_clock(session)
    next_counter = session.client.ciphering.invocationCounter
    replay = session.raw(session.sent[-1])
    with pytest.raises(GXDLMSExceptionResponse) as caught:
        session.client.getData(bytearray(replay), GXReplyData())
    assert caught.value.exceptionServiceError == ExceptionServiceError.INVOCATION_COUNTER_ERROR
    assert caught.value.serviceErrorValue == next_counter
    # The association outlives it.
    assert read_clock(session).value is not None


def test_lower_counter(meter: Any, gurux: Any) -> None:
    """The refusal names the counter to go on with, and that one works; but for a meter that does
    not say."""
    session = gurux(meter, "s1sp")
    session.client.ciphering.invocationCounter = 0
    with pytest.raises(GXDLMSExceptionResponse) as caught:
        read_clock(session)
    if meter.profile.name == "honeywell_elster":  # which says no more than that
        assert caught.value.exceptionServiceError == ExceptionServiceError.DECIPHERING_ERROR
        return
    assert caught.value.exceptionServiceError == ExceptionServiceError.INVOCATION_COUNTER_ERROR
    session.client.ciphering.invocationCounter = caught.value.serviceErrorValue
    assert read_clock(session).value is not None


def test_lower_counter_in_aarq(fresh: Any, gurux: Any) -> None:
    meter = fresh()
    gurux(meter, "s1sp").release()
    session = gurux(meter, "s1sp", associate=False, counter=0)
    with pytest.raises(GXDLMSException) as caught:
        session.associate()
    assert caught.value.diagnostic == SourceDiagnostic.NO_REASON_GIVEN
    assert "invocation counter 0" in meter.said("association-refused")[-1]


@pytest.mark.parametrize("key", ["blockCipherKey", "authenticationKey"])
def test_wrong_key(meter: Any, gurux: Any, key: str) -> None:
    session = gurux(meter, "s1sp", associate=False, **{key: bytearray(16)})
    with pytest.raises(GXDLMSException) as caught:
        session.associate()
    assert caught.value.diagnostic == SourceDiagnostic.NO_REASON_GIVEN
    assert "tag does not verify" in meter.said("association-refused")[-1]


def test_wrong_key_in_association(aclara: Any, gurux: Any) -> None:
    session = gurux(aclara, "s1sp")
    session.client.ciphering.blockCipherKey = bytearray(16)
    with pytest.raises(GXDLMSExceptionResponse) as caught:
        read_clock(session)
    assert caught.value.exceptionServiceError == ExceptionServiceError.DECIPHERING_ERROR


def test_unregistered_title(aclara: Any, gurux: Any) -> None:
    session = gurux(aclara, "s1sp", associate=False, systemTitle=bytearray(b"XYZ00001"))
    with pytest.raises(GXDLMSException) as caught:
        session.associate()
    assert caught.value.diagnostic == SourceDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED


def test_request_without_association(aclara: Any, gurux: Any) -> None:
    session = gurux(aclara, "reader", associate=False)
    with pytest.raises(GXDLMSExceptionResponse) as caught:
        read_clock(session)
    assert caught.value.exceptionServiceError == ExceptionServiceError.SERVICE_NOT_SUPPORTED


def test_protected_release(meter: Any, gurux: Any) -> None:
    """RLRQ with the InitiateRequest again, ciphered; without it every other test releases."""
    session = gurux(meter, "s1sp")
    session.client.useProtectedRelease = True
    session.release()
    assert len(session.sent[-1]) > 30
    assert session.raw(session.sent[-1])[APDU_TAG] == 0xD8  # released: nobody is there any more


def test_second_association_on_a_connection(aclara: Any, gurux: Any) -> None:
    session = gurux(aclara, "s1sp")
    session.release()
    session.associate()
    assert read_clock(session).value is not None
