"""How each section of a meter's state is written down: a row for each of its keys.

A key is a number, a text or octets, so that SQLite puts the rows of a section in the order of their
keys. A value is octets: A-XDR for COSEM data, JSON in UTF-8 for what has parts, else as it is; key
octets are wrapped. Each section has a version, which is in every row of it: whoever changes how one
is written raises it, and reads the former ones or refuses them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from devices.certificates import GeneratedPair, StoredCertificate
from devices.history import Alert, Segment
from devices.timekeeping import MICROSECOND, moment_of, stamp
from dlms.axdr.decoding import decode
from dlms.axdr.encoding import encode
from dlms.cosem.security_setup import Entity, Policy
from dlms.errors import DlmsError
from dlms.security.asymmetric import CertificateFacts, CertificatePurpose, Curve
from dlms.security.control import Protection
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef

T = TypeVar("T")

UNREADABLE = (ValueError, TypeError, LookupError, struct.error, DlmsError, InvalidUnwrap)
"""What ``read`` of a codec raises where a row is not what was written."""

MADE = "made"
"""Section of what a meter was made as; where it is, there is a meter."""
INSTALLER = "installer"
"""In it, who has installed the meter, if that was a supplier."""
KEYS, DESTROYED_KEYS = "keys", "destroyed_keys"
"""Sections of the key ring."""

_RUNNING = struct.Struct(">Q")


class Codec(NamedTuple, Generic[T]):
    """``read`` is the inverse of ``write``."""

    write: Callable[[T], Any]
    read: Callable[[Any], T]


class Section(NamedTuple):
    """How a section is written, and since which version so."""

    key: Codec[Any]
    value: Codec[Any]
    version: int = 1


def _exactly(kind: type[T]) -> Codec[T]:
    """As it is, and of no other type."""

    def read(stored: object) -> T:
        if type(stored) is not kind:
            raise TypeError(f"{type(stored).__name__} is no {kind.__name__}")
        return stored

    return Codec(read, read)


def _json(parts_of: Callable[[T], object], made_of: Callable[[Any], T]) -> Codec[T]:
    def write(value: T) -> bytes:
        return json.dumps(parts_of(value), separators=(",", ":")).encode()

    def read(stored: bytes) -> T:
        return made_of(json.loads(_OCTETS.read(stored)))

    return Codec(write, read)


def _named(parts_of: Callable[[T], object], made_of: Callable[[Any], T]) -> Codec[T]:
    """The same for keys, which are texts."""
    inner = _json(parts_of, made_of)
    return Codec(
        lambda key: inner.write(key).decode(),
        lambda stored: inner.read(_TEXT.read(stored).encode()),
    )


def _certificate_parts(one: StoredCertificate) -> object:
    facts = one.facts
    return {
        "entity": one.entity.name,
        "certificate": one.certificate.hex(),
        "facts": facts._asdict()
        | {name: octets.hex() for name, octets in facts._asdict().items() if type(octets) is bytes}
        | {"curve": facts.curve.name, "purpose": facts.purpose.name},
    }


def _certificate(parts: Any) -> StoredCertificate:
    facts = dict(parts["facts"])
    curve, purpose = Curve[facts.pop("curve")], CertificatePurpose[facts.pop("purpose")]
    octets = {name: bytes.fromhex(digits) for name, digits in facts.items()}
    return StoredCertificate(
        Entity[parts["entity"]],
        bytes.fromhex(parts["certificate"]),
        CertificateFacts(curve=curve, purpose=purpose, **octets),
    )


def _wrapped(wrapping_key: bytes) -> Codec[bytes]:
    """Under RFC 5649: secrets have any length."""
    return Codec(
        lambda key: aes_key_wrap_with_padding(wrapping_key, key),
        lambda stored: aes_key_unwrap_with_padding(wrapping_key, _OCTETS.read(stored)),
    )


_OCTETS, _NUMBER, _TEXT = _exactly(bytes), _exactly(int), _exactly(str)
_INT = _json(_NUMBER.write, _NUMBER.read)
_MEMBER: Codec[None] = Codec(lambda _: b"", lambda _: None)
_PLACES: Codec[tuple[bytes, int]] = Codec(
    lambda key: key[0] + _RUNNING.pack(key[1]),
    lambda stored: (stored[: -_RUNNING.size], *_RUNNING.unpack(stored[-_RUNNING.size :])),
)
_SLOT: Codec[tuple[str, KeyKind]] = _named(
    lambda slot: (slot[0], slot[1].name), lambda parts: (parts[0], KeyKind[parts[1]])
)
_KEY_REF: Codec[KeyRef] = _named(
    lambda ref: (ref.holder.hex(), ref.scope, ref.kind.name, ref.lifetime.name, ref.version),
    lambda parts: KeyRef(
        bytes.fromhex(parts[0]), parts[1], KeyKind[parts[2]], KeyLifetime[parts[3]], parts[4]
    ),
)
_DATA = Codec(encode, decode)

_SECTIONS: dict[str, Section] = {
    MADE: Section(_TEXT, Codec(str.encode, bytes.decode)),
    "values": Section(_PLACES, _DATA),
    "key_versions": Section(_SLOT, _INT),
    "policies": Section(
        _TEXT,
        _json(
            lambda policy: (policy.request.value, policy.response.value),
            lambda parts: Policy(*map(Protection, parts)),
        ),
    ),
    "users": Section(_TEXT, _json(lambda users: [*users.items()], lambda rows: dict(rows))),
    "numbers": Section(_TEXT, _INT),
    "used_tokens": Section(_NUMBER, _MEMBER),
    "certificates": Section(
        _TEXT,
        _json(
            lambda store: [_certificate_parts(one) for one in store],
            lambda rows: tuple(map(_certificate, rows)),
        ),
    ),
    "generated": Section(
        _SLOT,
        _json(
            lambda pair: (pair.version, pair.public.hex()),
            lambda parts: GeneratedPair(parts[0], bytes.fromhex(parts[1])),
        ),
    ),
    "destroyed": Section(_SLOT, _MEMBER),
    "doomed": Section(_KEY_REF, _MEMBER),
    "history": Section(
        _NUMBER,
        _json(
            lambda s: (stamp(s.since), s.flowing, s.calendar, s.offset // MICROSECOND),
            lambda p: Segment(moment_of(p[0]), p[1], p[2], p[3] * MICROSECOND),
        ),
    ),
    "rows": Section(_PLACES, _DATA),
    "alerts": Section(
        _NUMBER,
        _json(
            lambda alert: (int(alert.code), stamp(alert.moment), alert.argument),
            lambda parts: Alert(parts[0], moment_of(parts[1]), parts[2]),
        ),
    ),
    "figures": Section(_TEXT, _INT),
    "image": Section(_NUMBER, Codec(bytes, _OCTETS.read)),
    DESTROYED_KEYS: Section(_KEY_REF, _MEMBER),
}


def sections(wrapping_key: bytes) -> Mapping[str, Section]:
    """All sections by name, for a meter whose keys are wrapped under ``wrapping_key``."""
    return {**_SECTIONS, KEYS: Section(_KEY_REF, _wrapped(wrapping_key))}
