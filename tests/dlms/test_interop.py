"""What our client sends, read by two other implementations, and sealed octets compared.

They are partners, not oracles: where the standard has a worked example, test_security_vectors.py
has it. Both are used as installed, through their public calls.
"""

from __future__ import annotations

from typing import Any

import pytest
from dlms_cosem import enumerations
from dlms_cosem import security as cosem_security
from dlms_cosem.protocol import acse as cosem_acse
from dlms_cosem.protocol import xdlms as cosem_xdlms
from dlms_cosem.protocol.xdlms.general_global_cipher import GeneralGlobalCipher
from dlms_cosem.security import SecurityControlField
from gurux_dlms import GXByteBuffer, GXCiphering, GXDLMSTranslator
from gurux_dlms.AesGcmParameter import AesGcmParameter
from gurux_dlms.enums import Security
from hypothesis import given
from hypothesis import strategies as st

from dlms.acse import ApplicationContext, Mechanism
from dlms.axdr.data import octet_string, unsigned
from dlms.security.ciphered import Form
from dlms.security.keys import KeyKind
from dlms.security.ops import Mac, Seal, Use, Wrap
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.set import SetRequest

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
GET = GetRequest(0x41, CLOCK)
CONTROL = {0x30: SecurityControlField(security_suite=0, authenticated=True, encrypted=True)}
# dlms_cosem 25.1.0 reads the last two octets of a proposed conformance block only, so the bits of
# the first (general-protection is one) stay out of what it re-encodes.
SHARED: dict[str, Any] = {
    "client": {"conformance": Conformance.GET | Conformance.SET | Conformance.ACTION}
}
PLAIN: dict[str, Any] = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE, **SHARED}


def translated(apdu: bytes, names: dict[str, Any]) -> str:
    """What Gurux' translator shows, deciphered with the keys of the bench."""
    translator = GXDLMSTranslator()
    keys = names["KEY_OCTETS"]
    translator.blockCipherKey = bytearray(keys[names["GUEK"]])
    translator.authenticationKey = bytearray(keys[names["GAK"]])
    translator.systemTitle = bytearray(names["CLIENT_TITLE"])
    translator.serverSystemTitle = bytearray(names["SERVER_TITLE"])
    translator.security = Security.AUTHENTICATION_ENCRYPTION
    translator.comments = True
    text: str = translator.pduToXml(GXByteBuffer(apdu))
    return text


# Our APDUs, read by them


def test_plain_aarq(bench: Any, names: dict[str, Any]) -> None:
    pair = bench(**PLAIN)
    octets = pair.ask(pair.client.open())
    theirs = cosem_acse.ApplicationAssociationRequest.from_bytes(octets)
    assert theirs.ciphered is False
    assert theirs.authentication is None
    initiate = theirs.user_information.content
    assert initiate.proposed_conformance.get is True
    assert initiate.proposed_conformance.action is True
    assert initiate.proposed_conformance.access is False
    assert initiate.client_max_receive_pdu_size == 0xFFFF
    assert theirs.to_bytes() == octets
    text = translated(octets, names)
    assert '<ApplicationContextName Value="LN" />' in text
    assert '<ProposedMaxPduSize Value="FFFF" />' in text


def test_lls_aarq(bench: Any, names: dict[str, Any]) -> None:
    pair = bench(context=ApplicationContext.LN, mechanism=Mechanism.LLS, **SHARED)
    octets = pair.ask(pair.client.open())
    theirs = cosem_acse.ApplicationAssociationRequest.from_bytes(octets)
    assert theirs.authentication is enumerations.AuthenticationMechanism.LLS
    assert theirs.authentication_value == b"12345678"
    assert theirs.to_bytes() == octets
    assert '<CallingAuthentication Value="3132333435363738" />' in translated(octets, names)


def test_ciphered_hls_aarq(bench: Any, names: dict[str, Any]) -> None:
    pair = bench()
    octets = pair.ask(pair.client.open())
    theirs = cosem_acse.ApplicationAssociationRequest.from_bytes(octets)
    assert theirs.ciphered is True
    assert theirs.system_title == names["CLIENT_TITLE"]
    assert theirs.authentication is enumerations.AuthenticationMechanism.HLS_GMAC
    sealed = theirs.user_information.content
    plain = cosem_security.decrypt(
        security_control=sealed.security_control,
        system_title=theirs.system_title,
        invocation_counter=sealed.invocation_counter,
        key=names["KEY_OCTETS"][names["GUEK"]],
        cipher_text=sealed.ciphered_text,
        auth_key=names["KEY_OCTETS"][names["GAK"]],
    )
    initiate = cosem_xdlms.InitiateRequest.from_bytes(plain)
    assert initiate.proposed_conformance.set is True
    assert theirs.to_bytes() == octets
    text = translated(octets, names)
    assert '<MechanismName Value="HighGmac" />' in text
    assert '<ConformanceBit Name="GeneralProtection" />' in text  # it was deciphered


def test_dedicated_key_in_the_aarq(bench: Any, names: dict[str, Any]) -> None:
    pair = bench(dedicated=True)
    octets = pair.ask(pair.client.open())
    key = pair.client_module.keys.get(names["DEDICATED"])
    assert f'<DedicatedKey Value="{key.hex().upper()}" />' in translated(octets, names)


def test_server_answers(bench: Any, names: dict[str, Any]) -> None:
    pair = bench()
    aare = pair.hit(pair.ask(pair.client.open())).reply
    theirs = cosem_acse.ApplicationAssociationResponse.from_bytes(aare)
    assert theirs.system_title == names["SERVER_TITLE"]
    assert theirs.to_bytes() == aare
    pair.ask(pair.client.receive(aare))
    pair.finish()
    pair.hit(pair.ask(pair.client.request(GET)))
    reply = pair.serve(pair.server.send(GetResponse(0x41, unsigned(77))))
    assert '<UInt8 Value="4D" />' in translated(reply, names)


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        (GET, '<InstanceId Value="0000010000FF" />'),
        (SetRequest(0x41, CLOCK, octet_string(b"\xab\xcd")), '<OctetString Value="ABCD" />'),
        (
            ActionRequest(0x41, MethodDescriptor(70, bytes((0, 0, 96, 3, 10, 255)), 1)),
            '<MethodId Value="01" />',
        ),
    ],
    ids=["get", "set", "action"],
)
def test_glo_requests(bench: Any, names: dict[str, Any], request_: Any, shown: str) -> None:
    pair = bench().connect()
    octets = pair.ask(pair.client.request(request_))
    assert shown in translated(octets, names)


def test_general_glo_request(bench: Any, names: dict[str, Any]) -> None:
    pair = bench(client={"form": Form.GENERAL}).connect()
    octets = pair.ask(pair.client.request(GET))
    theirs = GeneralGlobalCipher.from_bytes(octets)
    assert theirs.system_title == names["CLIENT_TITLE"]
    plain = cosem_security.decrypt(
        security_control=theirs.security_control,
        system_title=theirs.system_title,
        invocation_counter=theirs.invocation_counter,
        key=names["KEY_OCTETS"][names["GUEK"]],
        cipher_text=theirs.ciphered_text,
        auth_key=names["KEY_OCTETS"][names["GAK"]],
    )
    assert plain == GET.encode()
    assert theirs.to_bytes() == octets
    request = cosem_xdlms.GetRequestNormal.from_bytes(plain)
    assert request.cosem_attribute.interface == enumerations.CosemInterface.CLOCK
    assert '<AttributeId Value="02" />' in translated(octets, names)


@pytest.mark.parametrize("kind", [PLAIN, SHARED], ids=["plain", "ciphered"])
def test_rlrq(bench: Any, names: dict[str, Any], kind: dict[str, Any]) -> None:
    pair = bench(**kind).connect()
    octets = pair.ask(pair.client.release())
    theirs = cosem_acse.ReleaseRequest.from_bytes(octets)
    assert theirs.reason is enumerations.ReleaseRequestReason.NORMAL
    assert theirs.to_bytes() == octets
    text = translated(octets, names)
    assert '<Reason Value="Normal" />' in text
    assert ("<ProposedMaxPduSize" in text) is (kind is SHARED)


# Sealed octets, theirs and ours

COUNTER = st.integers(0, 0xFFFFFFFE)
TEXT = st.binary(min_size=1, max_size=200)


@given(counter=COUNTER, plaintext=TEXT)
def test_seal(bench: Any, names: dict[str, Any], counter: int, plaintext: bytes) -> None:
    guek, gak, title = names["GUEK"], names["GAK"], names["CLIENT_TITLE"]
    keys = names["KEY_OCTETS"]
    module = bench().client_module
    ours = module.execute(Seal(Use.PROTECT_REQUEST, guek, gak, 0x30, title, counter, plaintext))
    assert ours == cosem_security.encrypt(
        security_control=CONTROL[0x30],
        system_title=title,
        invocation_counter=counter,
        key=keys[guek],
        plain_text=plaintext,
        auth_key=keys[gak],
    )
    for control, security in (
        (0x10, Security.AUTHENTICATION),
        (0x20, Security.ENCRYPTION),
        (0x30, Security.AUTHENTICATION_ENCRYPTION),
    ):
        ak = None if control == 0x20 else gak
        ours = module.execute(
            Seal(Use.PROTECT_REQUEST, guek, ak, control, title, counter, plaintext)
        )
        parameters = AesGcmParameter(
            0xC8, bytearray(title), bytearray(keys[guek]), bytearray(keys[gak])
        )
        parameters.security = security
        parameters.invocationCounter = counter
        theirs = bytes(GXCiphering.encrypt(parameters, bytearray(plaintext)))
        body = plaintext + ours if control == 0x10 else ours
        content = bytes((control,)) + counter.to_bytes(4, "big") + body
        # Gurux gives the APDU: tag, length (its own form of it), content.
        assert theirs[0] == 0xC8
        assert theirs.endswith(content)
        assert len(theirs) - len(content) in (2, 3)


@given(counter=COUNTER, challenge=st.binary(min_size=8, max_size=64))
def test_gmac(bench: Any, names: dict[str, Any], counter: int, challenge: bytes) -> None:
    guek, gak, title = names["GUEK"], names["GAK"], names["CLIENT_TITLE"]
    keys = names["KEY_OCTETS"]
    ours = bench().client_module.execute(
        Mac(Use.ASSOCIATION, guek, gak, 0x10, title, counter, challenge)
    )
    theirs = cosem_security.gmac(
        security_control=SecurityControlField(
            security_suite=0, authenticated=True, encrypted=False
        ),
        system_title=title,
        invocation_counter=counter,
        key=keys[guek],
        auth_key=keys[gak],
        challenge=challenge,
    )
    assert ours == theirs
    ciphering = GXCiphering(bytearray(title))
    ciphering.blockCipherKey = bytearray(keys[guek])
    ciphering.authenticationKey = bytearray(keys[gak])
    ciphering.invocationCounter = counter
    f = bytes(ciphering.generateGmacPassword(bytearray(challenge)))
    assert f == b"\x10" + counter.to_bytes(4, "big") + ours


@given(kek=st.binary(min_size=16, max_size=16), key=st.binary(min_size=16, max_size=16))
def test_wrap(bench: Any, names: dict[str, Any], kek: bytes, key: bytes) -> None:
    master, gak = names["GUEK"]._replace(kind=KeyKind.KEK), names["GAK"]
    module = bench().client_module
    module.keys.keep(master, kek)
    module.keys.keep(gak, key)
    ours = module.execute(Wrap(Use.TRANSFER_KEY, master, gak))
    assert len(ours) == 24
    assert ours == cosem_security.wrap_key(CONTROL[0x30], kek, key)
