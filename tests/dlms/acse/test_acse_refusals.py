"""What ACSE decoders accept of BER's freedom, and what they refuse (X_AARQ_ORDER, X_AARQ_TRUNC)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from dlms.acse import ber
from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, ReleaseRequestReason
from dlms.acse.codes import UserDiagnostic as User
from dlms.acse.fields import AuthenticationValue, ValueChoice
from dlms.acse.release import Rlre, Rlrq
from dlms.errors import CodecError

CONTEXT = "A109060760857405080101"
VALUES = {
    "protocol-version": "80020780",
    "application-context-name": CONTEXT,
    "called-AP-title": "A20A04084D4D4D0000BC614E",
    "called-AE-qualifier": "A303040151",
    "called-AP-invocation-id": "A403020101",
    "called-AE-invocation-id": "A503020102",
    "calling-AP-title": "A60A04084D4D4D0000000001",
    "calling-AE-qualifier": "A703040152",
    "calling-AP-invocation-id": "A803020103",
    "calling-AE-invocation-id": "A903020104",
    "sender-acse-requirements": "8A020780",
    "mechanism-name": "8B0760857405080205",
    "calling-authentication-value": "AC0A80084B35366956616759",
    "implementation-information": "9D026869",
    "user-information": "BE0404020801",
}
AARE_VALUES = {
    "protocol-version": "80020780",
    "application-context-name": CONTEXT,
    "result": "A203020100",
    "result-source-diagnostic": "A305A10302010E",
    "responding-AP-title": "A40A04084D4D4D0000BC614E",
    "responding-AE-qualifier": "A503040151",
    "responding-AP-invocation-id": "A603020101",
    "responding-AE-invocation-id": "A703020102",
    "responder-acse-requirements": "88020780",
    "mechanism-name": "890760857405080205",
    "responding-authentication-value": "AA0A80085036775253323146",
    "implementation-information": "9D026869",
    "user-information": "BE0404020801",
}
ACCEPTED = CONTEXT + AARE_VALUES["result"] + AARE_VALUES["result-source-diagnostic"]


def apdu(tag: int, *elements: str) -> bytes:
    return ber.tlv(tag, bytes.fromhex("".join(elements)))


def aarq(*elements: str) -> Aarq:
    return Aarq.decode(apdu(0x60, *elements))


def aare(*elements: str) -> Aare:
    return Aare.decode(apdu(0x61, *elements))


def refuse(decode: Any, octets: bytes) -> CodecError:
    with pytest.raises(CodecError) as caught:
        decode(octets)
    return caught.value


def test_all_fields_of_an_aarq() -> None:
    octets = apdu(0x60, *VALUES.values())
    value = Aarq(
        protocol_version="1",
        application_context_name=bytes.fromhex("60857405080101"),
        called_ap_title=bytes.fromhex("4D4D4D0000BC614E"),
        called_ae_qualifier=b"\x51",
        called_ap_invocation_id=1,
        called_ae_invocation_id=2,
        calling_ap_title=bytes.fromhex("4D4D4D0000000001"),
        calling_ae_qualifier=b"\x52",
        calling_ap_invocation_id=3,
        calling_ae_invocation_id=4,
        sender_acse_requirements=True,
        mechanism_name=bytes.fromhex("60857405080205"),
        calling_authentication_value=AuthenticationValue(b"K56iVagY"),
        implementation_information=b"hi",
        user_information=b"\x08\x01",
    )
    assert Aarq.decode(octets) == value
    assert value.encode() == octets


def test_all_fields_of_an_aare() -> None:
    octets = apdu(0x61, *AARE_VALUES.values())
    value = Aare(
        protocol_version="1",
        application_context_name=bytes.fromhex("60857405080101"),
        result=AssociationResult.ACCEPTED,
        diagnostic=User.AUTHENTICATION_REQUIRED,
        responding_ap_title=bytes.fromhex("4D4D4D0000BC614E"),
        responding_ae_qualifier=b"\x51",
        responding_ap_invocation_id=1,
        responding_ae_invocation_id=2,
        responder_acse_requirements=True,
        mechanism_name=bytes.fromhex("60857405080205"),
        responding_authentication_value=AuthenticationValue(b"P6wRS21F"),
        implementation_information=b"hi",
        user_information=b"\x08\x01",
    )
    assert Aare.decode(octets) == value
    assert value.encode() == octets


@pytest.mark.parametrize("name", VALUES)
def test_a_repeated_field_of_an_aarq_is_refused(name: str) -> None:
    elements = [value * (2 if key == name else 1) for key, value in VALUES.items()]
    refuse(Aarq.decode, apdu(0x60, *elements))


@pytest.mark.parametrize("name", AARE_VALUES)
def test_a_repeated_field_of_an_aare_is_refused(name: str) -> None:
    elements = [value * (2 if key == name else 1) for key, value in AARE_VALUES.items()]
    refuse(Aare.decode, apdu(0x61, *elements))


@pytest.mark.parametrize(("first", "second"), list(pairwise(VALUES)))
def test_exchanged_fields_of_an_aarq_are_refused(first: str, second: str) -> None:
    elements = VALUES | {first: VALUES[second], second: VALUES[first]}
    refuse(Aarq.decode, apdu(0x60, *elements.values()))


@pytest.mark.parametrize(("first", "second"), list(pairwise(AARE_VALUES)))
def test_exchanged_fields_of_an_aare_are_refused(first: str, second: str) -> None:
    elements = AARE_VALUES | {first: AARE_VALUES[second], second: AARE_VALUES[first]}
    refuse(Aare.decode, apdu(0x61, *elements.values()))


def test_exchanged_fields_of_a_release_are_refused() -> None:
    refuse(Rlrq.decode, apdu(0x62, "BE0404020801", "800100"))
    refuse(Rlre.decode, apdu(0x63, "800100", "800100"))


def test_two_tags_of_one_number_count_as_repeated() -> None:
    refuse(Aarq.decode, apdu(0x60, CONTEXT, "9D0141", "BD0142"))


def test_implementation_information_under_the_constructed_tag() -> None:
    assert aarq(CONTEXT, "BD026869").implementation_information == b"hi"
    assert aare(ACCEPTED, "BD026869").implementation_information == b"hi"


def test_an_aarq_without_its_mandatory_field_is_refused() -> None:
    rest = (v for k, v in VALUES.items() if k != "application-context-name")
    refuse(Aarq.decode, apdu(0x60, *rest))


@pytest.mark.parametrize("name", ["application-context-name", "result", "result-source-diagnostic"])
def test_an_aare_without_a_mandatory_field_is_refused(name: str) -> None:
    refuse(Aare.decode, apdu(0x61, *(v for k, v in AARE_VALUES.items() if k != name)))


@pytest.mark.parametrize(
    "element",
    [
        "8D0100",  # number 13, which the AARQ does not have
        "BF1F0100",  # tag of more than one octet
        "040100",  # universal
        "6D0100",  # application
        "ED0100",  # private
        "AB0760857405080205",  # mechanism-name, constructed though it is IMPLICIT
        "AA020780",  # acse-requirements likewise
        "8C0A80084B35366956616759",  # authentication value, primitive though EXPLICIT
    ],
)
def test_an_unknown_element_is_refused_where_it_stands(element: str) -> None:
    octets = apdu(0x60, CONTEXT, element)
    error = refuse(Aarq.decode, octets)
    assert error.offset is not None
    assert 13 <= error.offset <= len(octets)


class TestLengths:
    @pytest.mark.parametrize("length", ["0B", "810B", "82000B", "8300000B", "840000000B"])
    def test_long_and_non_minimal_lengths_outside(self, length: str) -> None:
        value = Aarq.decode(bytes.fromhex("60" + length + CONTEXT))
        assert value == aarq(CONTEXT)
        assert value.encode() == apdu(0x60, CONTEXT)

    @pytest.mark.parametrize("outer", ["{:02X}", "81{:02X}", "8200{:02X}"])
    @pytest.mark.parametrize("inner", ["07", "8107", "820007", "8400000007"])
    def test_long_and_non_minimal_lengths_inside(self, outer: str, inner: str) -> None:
        name = "06" + inner + "60857405080103"
        value = aarq("A1" + outer.format(len(name) // 2) + name)
        assert value.application_context_name.hex() == "60857405080103"

    def test_long_values(self) -> None:
        # Around 128 octets of an APDU, an element and a value: 81 80 is no short form of 129.
        for size in (*range(100, 140), 255, 256, 65535, 65536):
            value = Aarq(
                application_context_name=bytes.fromhex("60857405080101"),
                user_information=bytes(size),
            )
            assert Aarq.decode(value.encode()) == value

    @pytest.mark.parametrize(
        "octets",
        [
            "6080" + CONTEXT + "0000",  # indefinite, outside
            "600DA180060760857405080101" + "0000",  # indefinite, in a field
            "60850000000B" + CONTEXT,  # five octets of length
            "60FF" + CONTEXT,  # reserved
            "600C" + CONTEXT,  # one more than there is
            "600A" + CONTEXT,  # one less
            "6084FFFFFFFF" + CONTEXT,
            "600BA10A060760857405080101",  # field beyond the APDU
            "600BA108060760857405080101",  # field shorter than what is in it
            "600BA109060860857405080101",  # value beyond its field
            "600BA109060660857405080101",  # octets left over in a field
            "60",
            "6000",
            "",
        ],
    )
    def test_lying_lengths(self, octets: str) -> None:
        refuse(Aarq.decode, bytes.fromhex(octets))


class TestNames:
    @pytest.mark.parametrize("oid", ["60857405080109", "6085740508020A", "2A", "2A864886F70D"])
    def test_unknown_names_survive(self, oid: str) -> None:
        octets = bytes.fromhex(oid)
        value = Aarq(application_context_name=octets, mechanism_name=octets)
        assert Aarq.decode(value.encode()) == value

    @pytest.mark.parametrize("oid", ["", "80", "6085F4", "60800101", "808001"])
    def test_octets_that_are_no_name_are_refused(self, oid: str) -> None:
        octets = bytes.fromhex(oid)
        refuse(Aarq.decode, ber.tlv(0x60, ber.wrapped(0xA1, 0x06, octets)))
        refuse(Aarq.decode, apdu(0x60, CONTEXT, ber.tlv(0x8B, octets).hex()))
        refuse(Aare.decode, apdu(0x61, ACCEPTED, ber.tlv(0x89, octets).hex()))
        with pytest.raises(CodecError):
            Aarq(application_context_name=octets).encode()

    def test_80_within_a_subidentifier_is_fine(self) -> None:
        assert aarq("A1050603818001").application_context_name.hex() == "818001"


class TestIntegers:
    @pytest.mark.parametrize(
        ("content", "value"),
        [
            ("00", 0),
            ("7F", 127),
            ("0080", 128),
            ("FF", -1),
            ("80", -128),
            ("FF7F", -129),
            ("00FFFFFFFF", 2**32 - 1),
            ("80000000", -(2**31)),
        ],
    )
    def test_both_ways(self, content: str, value: int) -> None:
        octets = apdu(0x60, CONTEXT, ber.wrapped(0xA9, 0x02, bytes.fromhex(content)).hex())
        decoded = Aarq.decode(octets)
        assert decoded.calling_ae_invocation_id == value
        assert decoded.encode() == octets

    def test_non_minimal(self) -> None:
        assert aarq(CONTEXT, "A90402020001").calling_ae_invocation_id == 1
        assert aarq(CONTEXT, "A90702050000000001").calling_ae_invocation_id == 1

    @pytest.mark.parametrize("content", ["", "0100000000", "7FFFFFFFFF", "000000000001"])
    def test_refused(self, content: str) -> None:
        element = ber.wrapped(0xA9, 0x02, bytes.fromhex(content)).hex()
        refuse(Aarq.decode, apdu(0x60, CONTEXT, element))

    @pytest.mark.parametrize("value", [2**32, -(2**31) - 1, 2**100])
    def test_not_encoded(self, value: int) -> None:
        with pytest.raises(CodecError):
            Aarq(application_context_name=b"\x2a", calling_ae_invocation_id=value).encode()


class TestBits:
    @pytest.mark.parametrize(
        ("element", "supported"),
        [
            ("", True),
            ("80020780", True),
            ("80020700", False),
            ("80020640", False),
            ("800206C0", True),
            ("800100", False),
        ],
    )
    def test_protocol_version(self, element: str, supported: bool) -> None:
        assert aarq(element, CONTEXT).supports_version1 is supported

    @pytest.mark.parametrize(
        ("element", "asked"),
        [("8A020780", True), ("8A020700", False), ("8A0206C0", True), ("8A0207FF", True)],
    )
    def test_acse_requirements(self, element: str, asked: bool) -> None:
        assert aarq(CONTEXT, element).sender_acse_requirements is asked

    @pytest.mark.parametrize("content", ["", "0880", "07", "FF80"])
    def test_malformed(self, content: str) -> None:
        octets = bytes.fromhex(content)
        refuse(Aarq.decode, apdu(0x60, ber.tlv(0x80, octets).hex(), CONTEXT))
        refuse(Aarq.decode, apdu(0x60, CONTEXT, ber.tlv(0x8A, octets).hex()))
        refuse(Aare.decode, apdu(0x61, ACCEPTED, ber.tlv(0x88, octets).hex()))

    def test_not_bits(self) -> None:
        with pytest.raises(CodecError):
            Aarq(application_context_name=b"\x2a", protocol_version="12").encode()


class TestAuthenticationValue:
    def test_bitstring_is_remembered(self) -> None:
        octets = apdu(0x60, CONTEXT, "AC05810300ABCD")
        value = Aarq.decode(octets)
        assert value.calling_authentication_value == AuthenticationValue(
            b"\xab\xcd", ValueChoice.BITSTRING
        )
        assert value.encode() == octets

    @pytest.mark.parametrize(
        "element",
        [
            "AC00",
            "AC028100",  # BIT STRING without its first octet
            "AC04810204B0",  # not whole octets
            "AC04A2020100",  # external
            "AC04A3020100",  # other
            "AC04A0020100",  # charstring, constructed
            "AC0404024142",  # universal
            "AC058002414200",  # left over
        ],
    )
    def test_refused(self, element: str) -> None:
        refuse(Aarq.decode, apdu(0x60, CONTEXT, element))
        refuse(Aare.decode, apdu(0x61, ACCEPTED, "AA" + element[2:]))

    @pytest.mark.parametrize("secret", [b"", b"x", b"secret78", bytes(300)])
    def test_any_length_both_ways(self, secret: bytes) -> None:
        value = Aarq(
            application_context_name=b"\x2a",
            calling_authentication_value=AuthenticationValue(secret),
        )
        assert Aarq.decode(value.encode()) == value

    def test_no_secret_in_any_repr_or_error(self) -> None:
        secret = "TopSecret"
        user = "01011044656469636174656421" + "21" * 6
        value = aarq(
            CONTEXT,
            ber.tlv(0xAC, ber.tlv(0x80, secret.encode())).hex(),
            ber.wrapped(0xBE, 0x04, bytes.fromhex(user)).hex(),
        )
        assert value.calling_authentication_value is not None
        assert secret not in repr(value) + repr(value.calling_authentication_value)
        assert "Dedicated" not in repr(value)
        assert "Dedicated" not in repr(Rlrq(user_information=value.user_information))
        bad = ber.tlv(0xAC, ber.tlv(0x84, secret.encode())).hex()
        assert secret not in str(refuse(Aarq.decode, apdu(0x60, CONTEXT, bad)))


class TestTitles:
    @pytest.mark.parametrize("size", [0, 7, 8, 9, 200])
    def test_any_length_is_left_to_the_association(self, size: int) -> None:
        value = Aarq(application_context_name=b"\x2a", calling_ap_title=bytes(size))
        assert Aarq.decode(value.encode()) == value

    @pytest.mark.parametrize("element", ["A600", "A6084D4D4D0000000001", "A603060100", "A60124"])
    def test_other_forms_are_refused(self, element: str) -> None:
        refuse(Aarq.decode, apdu(0x60, CONTEXT, element))


class TestCodes:
    @pytest.mark.parametrize("code", list(User))
    def test_user_diagnostics(self, code: User) -> None:
        value = aare(CONTEXT, "A203020101", f"A305A1030201{code.value:02X}")
        assert value.diagnostic is code
        assert value.encode() == apdu(0x61, CONTEXT, "A203020101", f"A305A1030201{code.value:02X}")

    @pytest.mark.parametrize("code", list(ProviderDiagnostic))
    def test_provider_diagnostics(self, code: ProviderDiagnostic) -> None:
        value = aare(CONTEXT, "A203020102", f"A305A2030201{code.value:02X}")
        assert value.diagnostic is code
        assert value.result is AssociationResult.REJECTED_TRANSIENT
        assert value.encode() == apdu(0x61, CONTEXT, "A203020102", f"A305A2030201{code.value:02X}")

    def test_the_two_choices_are_never_equal(self) -> None:
        ours = aare(CONTEXT, "A203020101", "A305A103020101")
        theirs = aare(CONTEXT, "A203020101", "A305A203020101")
        assert ours != theirs
        assert User.NULL != ProviderDiagnostic.NULL
        assert User.NULL == 0
        assert ProviderDiagnostic.NULL == 0
        assert len({User.NULL, ProviderDiagnostic.NULL}) == 2

    @pytest.mark.parametrize(
        "elements",
        [
            "A203020103A305A103020100",  # result
            "A2030201FFA305A103020100",
            "A203020100A305A10302010F",  # acse-service-user
            "A203020100A305A203020103",  # acse-service-provider
            "A203020100A305A303020100",  # choice
            "A203020100A300",
            "A203020100A303020100",
            "A203020100A305A103040100",
            "A203040100A305A103020100",
            "A203020100A306A10302010000",
        ],
    )
    def test_unknown_codes_are_refused(self, elements: str) -> None:
        refuse(Aare.decode, apdu(0x61, CONTEXT, elements))

    @pytest.mark.parametrize(("reason", "octets"), [(0, "00"), (1, "01"), (30, "1E")])
    def test_release_reasons(self, reason: int, octets: str) -> None:
        request = Rlrq.decode(bytes.fromhex("62038001" + octets))
        response = Rlre.decode(bytes.fromhex("63038001" + octets))
        assert (request.reason, response.reason) == (reason, reason)
        assert isinstance(request.reason, ReleaseRequestReason)
        assert request.encode().hex().upper() == "62038001" + octets
        assert response.encode().hex().upper() == "63038001" + octets

    @pytest.mark.parametrize("content", ["800102", "80011D", "8001FF", "8000", "8106000000000000"])
    def test_other_release_reasons_are_refused(self, content: str) -> None:
        refuse(Rlrq.decode, apdu(0x62, content))
        refuse(Rlre.decode, apdu(0x63, content))

    def test_empty_releases(self) -> None:
        assert Rlrq.decode(b"\x62\x00") == Rlrq()
        assert Rlre().encode() == b"\x63\x00"
