"""The installed dlms_cosem reads what we write: an interop partner, not an oracle."""

from __future__ import annotations

from dlms_cosem import enumerations
from dlms_cosem.protocol import acse

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, ReleaseRequestReason, UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import Rlrq

REQUEST = bytes.fromhex("01000000065F1F0400007E1F04B0")
RESPONSE = bytes.fromhex("0800065F1F040000501F01F40007")
TITLE = bytes.fromhex("4D4D4D0000000001")


def test_aarq_with_hls() -> None:
    octets = Aarq(
        application_context_name=ApplicationContext.LN.oid,
        calling_ap_title=TITLE,
        sender_acse_requirements=True,
        mechanism_name=Mechanism.HLS_GMAC.oid,
        calling_authentication_value=AuthenticationValue(b"K56iVagY"),
        user_information=REQUEST,
    ).encode()
    theirs = acse.ApplicationAssociationRequest.from_bytes(octets)
    assert theirs.system_title == TITLE
    assert theirs.authentication is enumerations.AuthenticationMechanism.HLS_GMAC
    assert theirs.authentication_value == b"K56iVagY"
    assert theirs.ciphered is False
    assert theirs.to_bytes() == octets


def test_aare_with_hls_pending() -> None:
    octets = Aare(
        application_context_name=ApplicationContext.LN_CIPHERED.oid,
        result=AssociationResult.ACCEPTED,
        diagnostic=UserDiagnostic.AUTHENTICATION_REQUIRED,
        responding_ap_title=TITLE,
        responder_acse_requirements=True,
        mechanism_name=Mechanism.HLS_GMAC.oid,
        responding_authentication_value=AuthenticationValue(b"P6wRJ21F"),
        user_information=RESPONSE,
    ).encode()
    theirs = acse.ApplicationAssociationResponse.from_bytes(octets)
    assert theirs.result is enumerations.AssociationResult.ACCEPTED
    assert (
        theirs.result_source_diagnostics
        is enumerations.AcseServiceUserDiagnostics.AUTHENTICATION_REQUIRED
    )
    assert theirs.system_title == TITLE
    assert theirs.authentication_value == b"P6wRJ21F"
    assert theirs.ciphered is True
    assert theirs.to_bytes() == octets


def test_rlrq() -> None:
    octets = Rlrq(reason=ReleaseRequestReason.NORMAL, user_information=REQUEST).encode()
    theirs = acse.ReleaseRequest.from_bytes(octets)
    assert theirs.reason is enumerations.ReleaseRequestReason.NORMAL
    assert theirs.to_bytes() == octets
