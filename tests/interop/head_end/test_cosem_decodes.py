"""dlms-cosem decodes what our head end sends: every APDU of a visit, with the keys."""

from __future__ import annotations

from typing import Any

import pytest
from dlms_cosem import security
from dlms_cosem.connection import XDlmsApduFactory
from dlms_cosem.enumerations import AuthenticationMechanism, ReleaseRequestReason
from dlms_cosem.exceptions import DecryptionError
from dlms_cosem.protocol import xdlms

from dlms.xdlms import registry
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.initiate import InitiateRequest

BOTH = 0x30


def control_of(octet: int) -> security.SecurityControlField:
    return security.SecurityControlField.from_bytes(bytes((octet,)))


def decrypt(sealed: Any, ciphered_text: bytes) -> bytes:
    plain: bytes = security.decrypt(
        control_of(sealed.control),
        system_title=sealed.title,
        invocation_counter=sealed.counter,
        key=sealed.ek,
        cipher_text=ciphered_text,
        auth_key=sealed.ak,
    )
    return plain


def text_of(apdu: bytes) -> bytes:
    """Ciphertext and tag of a service-specific APDU: tag, length and security header before it."""
    assert apdu[1] < 0x80
    return apdu[2 + 5 :]


def check_service(plain: bytes) -> None:
    """The package reads what our codec reads, and would write the same octets."""
    request = registry.REQUESTS[plain[0]].decode(plain)
    theirs = XDlmsApduFactory.apdu_from_bytes(plain)
    if isinstance(request, ActionRequest):
        target, number = request.method, request.method.method
        got = theirs.cosem_method
        assert got.method == number
    else:
        target, number = request.attribute, request.attribute.attribute
        got = theirs.cosem_attribute
        assert got.attribute == number
    assert (got.interface, got.instance.to_bytes()) == (target.class_id, target.instance)
    assert theirs.invoke_id_and_priority.to_bytes() == bytes((request.invoke,))
    assert theirs.to_bytes() == plain


def test_cosem_decodes_services(visit: Any) -> None:
    """Deciphered with its functions; the service-specific tags themselves it does not know."""
    checked = 0
    for sealed in visit.services:
        if sealed.control == BOTH:
            assert decrypt(sealed, text_of(sealed.apdu)) == sealed.plain
            checked += 1
        check_service(sealed.plain)
    assert checked


def test_cosem_encryption_alone(visits: Any) -> None:
    """The package always looks for a tag: what is encrypted only it cannot decipher."""
    encrypted_only = [s for s in visits("itron").services if s.control == 0x20]
    assert encrypted_only
    for sealed in encrypted_only:
        with pytest.raises(DecryptionError):
            decrypt(sealed._replace(ak=bytes(16)), text_of(sealed.apdu))


def test_cosem_decodes_plain_services(visit: Any) -> None:
    for plain in visit.plain_services:
        check_service(plain)


def test_cosem_decodes_aarq(visit: Any) -> None:
    for aarq, sealed in visit.aarqs:
        theirs = XDlmsApduFactory.apdu_from_bytes(aarq)
        content = theirs.user_information.content
        if sealed is None:
            assert not theirs.ciphered
            assert content.proposed_conformance.get
            continue
        assert theirs.ciphered
        assert theirs.system_title == sealed.title
        assert theirs.authentication is AuthenticationMechanism.HLS_GMAC
        assert len(theirs.authentication_value) == 16
        assert isinstance(content, xdlms.GlobalCipherInitiateRequest)
        assert content.invocation_counter == sealed.counter
        plain = decrypt(sealed, content.ciphered_text)
        assert plain == sealed.plain
        initiate = xdlms.InitiateRequest.from_bytes(plain)
        ours = InitiateRequest.decode(plain)
        assert initiate.dedicated_key == ours.dedicated_key
        assert initiate.client_max_receive_pdu_size == ours.client_max_receive_pdu_size
        # Of the conformance block the package's decoder reads the last two octets right.
        services = initiate.proposed_conformance
        assert services.get
        assert services.set
        assert services.action


def test_cosem_decodes_rlrq(visit: Any) -> None:
    for rlrq, sealed in visit.rlrqs:
        theirs = XDlmsApduFactory.apdu_from_bytes(rlrq)
        assert theirs.reason is ReleaseRequestReason.NORMAL
        if sealed is not None:
            assert decrypt(sealed, theirs.user_information.content.ciphered_text) == sealed.plain


def test_cosem_computes_gmac(visit: Any) -> None:
    """The package's own GMAC over each challenge is ours."""
    assert visit.challenged
    for made in visit.challenged:
        tag = security.gmac(
            control_of(made.control),
            made.title,
            made.counter,
            made.ek,
            made.ak,
            made.challenge,
        )
        assert tag == made.tag
