"""The documents of a Service Request on its way, each around the one before (docs/requests.md).

A User's request; that with the User's signature; that with the DCC's countersignature (a
Countersigned Service Request); and, for the DCO, the S1SP's authorisation of exactly that one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from emulator.requests.canonical import DocumentError, decode, encode, exactly, octets_of

EUI_LENGTH = 8
"""Octets of an EUI-64, and of a Device ID, which is here the meter's system title."""

SIGNATURE_LENGTH = 64
"""Octets of ``R || S`` on P-256."""

DIGEST_LENGTH = 32
MAX_COUNTER = 2**63 - 1
"""The counters are kept in a database, as signed 64-bit numbers."""

Value: TypeAlias = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRequest:
    """What a User wants: ``originator`` (EUI-64), target ``device`` (Device ID), execution
    ``counter``, the number of the Service Reference Variant, and its arguments as they are written.
    """

    originator: bytes
    device: bytes
    counter: int
    variant: str
    arguments: Mapping[str, Value]

    @property
    def id(self) -> str:
        """Request ID: originator, target and counter."""
        return f"{self.originator.hex().upper()}:{self.device.hex().upper()}:{self.counter}"

    def to_json(self) -> dict[str, Any]:
        return {
            "arguments": dict(self.arguments),
            "counter": self.counter,
            "device": self.device.hex().upper(),
            "originator": self.originator.hex().upper(),
            "variant": self.variant,
        }

    @classmethod
    def from_json(cls, document: object) -> Self:
        parts = exactly(
            document, arguments=dict, counter=int, device=str, originator=str, variant=str
        )
        if not 0 < parts["counter"] <= MAX_COUNTER:
            raise DocumentError(f"counter is not in 1..{MAX_COUNTER}")
        for name, value in parts["arguments"].items():
            if type(value) not in (str, int):
                raise DocumentError(f"argument {name} is neither text nor a whole number")
        return cls(
            originator=octets_of(parts["originator"], "originator", EUI_LENGTH),
            device=octets_of(parts["device"], "device", EUI_LENGTH),
            counter=parts["counter"],
            variant=parts["variant"],
            arguments=parts["arguments"],
        )

    def message(self) -> bytes:
        """What the User signs."""
        return b"SMETS1 Service Request\0" + encode(self.to_json())


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A request with its User's signature (ECDSA on P-256 with SHA-256, ``R || S``)."""

    request: ServiceRequest
    signature: bytes

    def to_json(self) -> dict[str, Any]:
        return {"request": self.request.to_json(), "signature": self.signature.hex().upper()}

    @classmethod
    def from_json(cls, document: object) -> Self:
        parts = exactly(document, request=dict, signature=str)
        return cls(
            request=ServiceRequest.from_json(parts["request"]),
            signature=octets_of(parts["signature"], "signature", SIGNATURE_LENGTH),
        )

    def to_octets(self) -> bytes:
        return encode(self.to_json())

    @classmethod
    def from_octets(cls, octets: bytes) -> Self:
        """:class:`~emulator.requests.canonical.DocumentError` if they are none."""
        return cls.from_json(decode(octets))

    def message(self) -> bytes:
        """What the DCC countersigns."""
        return b"SMETS1 Countersigned Service Request\0" + self.to_octets()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountersignedRequest:
    """A Countersigned Service Request: what the DCC sends to the S1SP."""

    signed: SignedRequest
    countersignature: bytes

    @property
    def request(self) -> ServiceRequest:
        return self.signed.request

    def to_octets(self) -> bytes:
        return encode(
            {
                "countersignature": self.countersignature.hex().upper(),
                "signed": self.signed.to_json(),
            }
        )

    @classmethod
    def from_octets(cls, octets: bytes) -> Self:
        """:class:`~emulator.requests.canonical.DocumentError` if they are none."""
        parts = exactly(decode(octets), countersignature=str, signed=dict)
        countersignature = octets_of(parts["countersignature"], "countersignature", 64)
        signed = SignedRequest.from_json(parts["signed"])
        return cls(signed=signed, countersignature=countersignature)

    def digest(self) -> bytes:
        """SHA-256: what an authorisation is an authorisation of."""
        return hashlib.sha256(self.to_octets()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """The S1SP has checked the Countersigned Service Request of this digest, and carries the
    DCO's communication with the device for it, and for no other.
    """

    digest: bytes
    device: bytes
    signature: bytes = b""

    def message(self) -> bytes:
        """What the S1SP signs."""
        document = {"device": self.device.hex().upper(), "digest": self.digest.hex().upper()}
        return b"SMETS1 S1SP Authorisation\0" + encode(document)

    def to_octets(self) -> bytes:
        return encode(
            {
                "device": self.device.hex().upper(),
                "digest": self.digest.hex().upper(),
                "signature": self.signature.hex().upper(),
            }
        )

    @classmethod
    def from_octets(cls, octets: bytes) -> Self:
        """:class:`~emulator.requests.canonical.DocumentError` if they are none."""
        parts = exactly(decode(octets), device=str, digest=str, signature=str)
        return cls(
            digest=octets_of(parts["digest"], "digest", DIGEST_LENGTH),
            device=octets_of(parts["device"], "device", EUI_LENGTH),
            signature=octets_of(parts["signature"], "signature", SIGNATURE_LENGTH),
        )
