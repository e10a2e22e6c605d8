"""Ciphered and signed APDUs (GB Ed. 8, 9.2.7.2.4 and 9.5).

What :func:`~emulator.scapy_layers.keys.use_keys` opens is a layer beneath. Built the other way, a
layer beneath is sealed, unless ``content`` is given.
"""

from __future__ import annotations

from typing import Any

from scapy.error import Scapy_Exception
from scapy.fields import (
    BitEnumField,
    BitField,
    ConditionalField,
    IntField,
    PacketField,
    PacketLenField,
)
from scapy.packet import NoPayload, Packet

from dlms.security.ciphered import GENERAL_DED, GENERAL_GLO, TAGS, Family, Form, encode_ciphered
from dlms.security.general_ciphering import GENERAL_CIPHERING
from dlms.security.general_signing import GENERAL_SIGNING
from dlms.security.ops import TAG_LENGTH
from dlms.xdlms import registry
from emulator.decoding.keys import Message
from emulator.decoding.opening import Closed, Opened
from emulator.scapy_layers import keys
from emulator.scapy_layers.apdu import Apdu, Service, apdu, apdu_in
from emulator.scapy_layers.parts import (
    CodeField,
    FixedOctetsField,
    LengthField,
    OctetsField,
    Part,
    TagField,
    chosen,
    optional,
    string,
)

_HEADER = 5
"""Octets of security control and invocation counter."""


def _tail(pkt: Packet) -> int:
    return TAG_LENGTH if pkt.authenticated else 0


class ContentLengthField(LengthField):
    """The length of security header, content and authentication tag."""

    def _right(self, pkt: Packet) -> int:
        return _HEADER + super()._right(pkt) + _tail(pkt)


def _content() -> list[Any]:
    return [
        ContentLengthField("length", "content"),
        BitField("compression", 0, 1),
        BitEnumField("key_set", 0, 1, {0: "unicast", 1: "broadcast"}),
        BitField("encrypted", 1, 1),
        BitField("authenticated", 1, 1),
        BitField("security_suite", 0, 4),
        IntField("invocation_counter", 0),
        OctetsField(
            "content", None, length_from=lambda pkt: max(pkt.length - _HEADER - _tail(pkt), 0)
        ),
        ConditionalField(
            FixedOctetsField("authentication_tag", b"", TAG_LENGTH), lambda pkt: pkt.authenticated
        ),
    ]


def _header() -> list[Any]:
    return [
        *string("transaction_id"),
        *string("originator_system_title"),
        *string("recipient_system_title"),
        *string("date_time"),
        *string("other_information"),
    ]


class Ciphered(Service):
    """What all ciphered forms share."""

    name = "ciphered APDU"
    _dedicated = False

    @property
    def security_control(self) -> int:
        found = self.compression << 7 | self.key_set << 6 | self.encrypted << 5
        return int(found | self.authenticated << 4 | self.security_suite)

    def opened(self) -> Opened | Closed | None:
        """By which key it opens, and whether it verifies; ``None`` without keys."""
        return keys.opening(self.self_build())

    def post_dissect(self, s: bytes) -> bytes:
        found = keys.opening(self.raw_packet_cache or b"")
        if isinstance(found, Opened) and found.plaintext:
            self.add_payload(apdu_in(found.plaintext))
        return s

    def do_build(self) -> bytes:
        made = self if self.explicit else next(iter(self))
        if made.content is None and not isinstance(made.payload, NoPayload):
            made = made.copy()
            made._seal(bytes(made.payload))
        return bytes(made.self_build())

    def _seal(self, plaintext: bytes) -> None:
        message = Message(
            self.security_control, self.invocation_counter, plaintext, self._authenticated_too()
        )
        sealed = keys.sealed(
            message, self._title(), dedicated=self._is_dedicated(), broadcast=self._is_broadcast()
        )
        if sealed is None:
            raise Scapy_Exception(f"{self.name}: no key, or no system title, to seal it with")
        split = len(sealed) - _tail(self)
        self.content = sealed[:split]
        if self.authenticated:
            self.authentication_tag = sealed[split:]

    def _title(self) -> bytes:
        return b""

    def _authenticated_too(self) -> bytes:
        return b""

    def _is_dedicated(self) -> bool:
        return self._dedicated

    def _is_broadcast(self) -> bool:
        return bool(self.key_set)


def _specific() -> dict[int, str]:
    return {
        tag: f"{family.value}-{registry.BY_TAG[plain].name}"
        for tag, (family, plain) in TAGS.items()
    }


class SpecificTagField(CodeField):
    """The tag of a service-specific form; by default that of glo-, for the layer beneath."""

    def i2m(self, pkt: Any, x: Any) -> Any:
        if x is not None:
            return x
        inner = bytes(pkt.payload)[:1] or b"\xc0"
        form = encode_ciphered(inner[0], Family.GLOBAL, Form.SERVICE, 0, 0, b"", b"")
        return form[0]


class ServiceCiphered(Ciphered):
    """glo- and ded-, with a tag for each service."""

    name = "service-specific ciphering"
    fields_desc = [SpecificTagField("tag", None, _specific()), *_content()]

    def _is_dedicated(self) -> bool:
        found = TAGS.get(self.tag)
        return found is not None and found[0] is Family.DEDICATED


for _tag in TAGS:
    apdu(_tag)(ServiceCiphered)


@apdu(GENERAL_GLO)
class GeneralGloCiphering(Ciphered):
    name = "general-glo-ciphering"
    fields_desc = [TagField("tag", GENERAL_GLO, name), *string("system_title"), *_content()]

    def _title(self) -> bytes:
        return bytes(self.system_title or b"")


@apdu(GENERAL_DED)
class GeneralDedCiphering(GeneralGloCiphering):
    name = "general-ded-ciphering"
    _dedicated = True
    fields_desc = [TagField("tag", GENERAL_DED, name), *string("system_title"), *_content()]


class KeyInfo(Part):
    """Which key was used, or what the recipient needs to get it."""

    name = "Key-Info"
    fields_desc = [
        CodeField("choice", 0, {0: "identified-key", 1: "wrapped-key", 2: "agreed-key"}),
        *chosen(
            "choice",
            {
                0: CodeField(
                    "key_id", 0, {0: "global-unicast-encryption", 1: "global-broadcast-encryption"}
                ),
                1: CodeField("kek_id", 0, {0: "master-key"}),
                2: string("key_parameters", b"\x01"),
                (1, 2): string("key_ciphered_data"),
            },
        ),
    ]


@apdu(GENERAL_CIPHERING)
class GeneralCiphering(Ciphered):
    """Sealed it can be under a global key alone: others are made for one message."""

    name = "general-ciphering"
    fields_desc = [
        TagField("tag", GENERAL_CIPHERING, name),
        *_header(),
        *optional("key_info", PacketField("key_info", KeyInfo(), KeyInfo)),
        *_content(),
    ]

    def _title(self) -> bytes:
        return bytes(self.originator_system_title)

    def _is_broadcast(self) -> bool:
        return self.key_info is not None and self.key_info.key_id == 1

    def _authenticated_too(self) -> bytes:
        out = b""
        for field in self.fields_desc[1:11]:
            out = field.addfield(self, out, self.getfieldval(field.name))
        return out


@apdu(GENERAL_SIGNING)
class GeneralSigning(Service):
    name = "general-signing"
    fields_desc = [
        TagField("tag", GENERAL_SIGNING, name),
        *_header(),
        LengthField("content_length", "content"),
        PacketLenField("content", None, Apdu, length_from=lambda pkt: pkt.content_length),
        *string("signature"),
    ]
