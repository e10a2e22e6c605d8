"""What Security setup version 1 says: policies as bits, keys by their ids, certificates and how one
is named (Blue Book 4.4.7; GB Ed. 8, Table 34).

Both ends read and write it here. What is read has the shape of the class already, or is checked
against it: :class:`CodecError` then says what it has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple, TypeAlias, TypeVar

from dlms.axdr.data import Data, array, enum, octet_string, structure
from dlms.cosem.fitting import misfit
from dlms.cosem.shape import Shape
from dlms.cosem.tables.security import SECURITY_SETUP_V1
from dlms.errors import CodecError
from dlms.security.asymmetric import CertificatePurpose
from dlms.security.control import Protection

_BITS = (Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.SIGNED)
_REQUEST, _RESPONSE = 2, 5
"""The first bit of requests and of responses; bits 0 and 1 are not used."""

_KEYS, _CERTIFICATES, _NAMED = 3, 6, 7
"""key_agreement, certificates and export_certificate, whose shapes are read here."""

_E = TypeVar("_E", bound=Enum)


class Policy(NamedTuple):
    """The least protection of all requests, and of all responses."""

    request: Protection = Protection.NONE
    response: Protection = Protection.NONE

    @classmethod
    def of_bits(cls, value: int) -> Policy:
        """:class:`CodecError` if a bit is set that is not used."""
        policy = cls(_from_bits(value >> _REQUEST), _from_bits(value >> _RESPONSE))
        if policy.bits != value:
            raise CodecError(f"{value} has bits that are not used", field="security_policy")
        return policy

    @property
    def bits(self) -> int:
        """security_policy of version 1."""
        return _to_bits(self.request) << _REQUEST | _to_bits(self.response) << _RESPONSE

    @property
    def signs(self) -> bool:
        """Whether messages of either kind are to be signed."""
        return bool((self.request | self.response) & Protection.SIGNED)

    def weakens(self, present: Policy) -> bool:
        """Whether anything that ``present`` demands is not demanded any more."""
        return bool(present.request & ~self.request or present.response & ~self.response)


def _from_bits(value: int) -> Protection:
    found = Protection.NONE
    for number, protection in enumerate(_BITS):
        if value >> number & 1:
            found |= protection
    return found


def _to_bits(protection: Protection) -> int:
    return sum(bool(protection & one) << number for number, one in enumerate(_BITS))


def keys_data(rows: Mapping[int, bytes]) -> Data:
    """Parameter of key_transfer, parameter and result of key_agreement: octets by key_id."""
    return array(*(structure(enum(key_id), octet_string(rows[key_id])) for key_id in rows))


def keys_of(data: Data | None) -> dict[int, bytes]:
    """The other way. :class:`CodecError` if a key_id comes twice, or there is no key."""
    method = SECURITY_SETUP_V1.method(_KEYS)
    assert method is not None
    found: dict[int, bytes] = {}
    for row in _elements(data, method.parameter, "keys"):
        key_id, octets = _integer(row[0]), _octets(row[1])
        if key_id in found:
            raise CodecError(f"key_id {key_id} twice", field="keys")
        found[key_id] = octets
    if not found:
        raise CodecError("no keys", field="keys")
    return found


class Entity(Enum):
    """Whose certificate it is: certificate_entity."""

    SERVER = 0
    CLIENT = 1
    AUTHORITY = 2
    OTHER = 3

    __hash__ = object.__hash__


class CertificateEntry(NamedTuple):
    """One element of attribute 6. ``serial`` and the names are DER."""

    entity: Entity
    purpose: CertificatePurpose
    serial: bytes
    issuer: bytes
    subject: bytes
    subject_alt_name: bytes


def entries_data(entries: Iterable[CertificateEntry]) -> Data:
    """Attribute 6, certificates."""
    return array(
        *(
            structure(
                enum(entry.entity.value),
                enum(entry.purpose.value),
                *(octet_string(octets) for octets in entry[2:]),
            )
            for entry in entries
        )
    )


def entries_of(data: Data | None) -> tuple[CertificateEntry, ...]:
    """The other way. :class:`CodecError` if it is no such list."""
    attribute = SECURITY_SETUP_V1.attribute(_CERTIFICATES)
    assert attribute is not None
    rows = _elements(data, attribute.shape, "certificates")
    return tuple(
        CertificateEntry(
            _member(Entity, row[0]),
            _member(CertificatePurpose, row[1]),
            *(_octets(part) for part in row[2:]),
        )
        for row in rows
    )


class ByEntity(NamedTuple):
    """A certificate named by whose and what for it is; an authority has no ``title``."""

    entity: Entity
    purpose: CertificatePurpose
    title: bytes = b""


class BySerial(NamedTuple):
    """A certificate named by its serial number and the name of its issuer, DER."""

    serial: bytes
    issuer: bytes


Identification: TypeAlias = ByEntity | BySerial


def identification_data(named: Identification) -> Data:
    """Parameter of export_certificate and remove_certificate."""
    if isinstance(named, BySerial):
        return structure(enum(1), structure(octet_string(named.serial), octet_string(named.issuer)))
    options = (enum(named.entity.value), enum(named.purpose.value), octet_string(named.title))
    return structure(enum(0), structure(*options))


def identification_of(data: Data) -> Identification:
    """The other way. :class:`CodecError` if the options are not those of the type."""
    method = SECURITY_SETUP_V1.method(_NAMED)
    assert method is not None
    kind, options = _parts(data, method.parameter, "certificate_identification")
    parts = _tuple(options)
    if (_integer(kind), len(parts)) == (0, 3):
        return ByEntity(
            _member(Entity, parts[0]), _member(CertificatePurpose, parts[1]), _octets(parts[2])
        )
    if (_integer(kind), len(parts)) == (1, 2):
        return BySerial(_octets(parts[0]), _octets(parts[1]))
    raise CodecError("options of another type", field="certificate_identification_options")


def _elements(data: Data | None, shape: Shape, field: str) -> list[tuple[Data, ...]]:
    return [_tuple(element) for element in _parts(data, shape, field)]


def _parts(data: Data | None, shape: Shape, field: str) -> tuple[Data, ...]:
    problem = misfit(shape, data)
    if problem is not None or data is None:
        raise CodecError(problem or "a value is needed", field=field)
    return _tuple(data)


def _tuple(data: Data) -> tuple[Data, ...]:
    assert isinstance(data.value, tuple)  # misfit()
    return data.value


def _integer(data: Data) -> int:
    assert isinstance(data.value, int)
    return data.value


def _octets(data: Data) -> bytes:
    assert isinstance(data.value, bytes)
    return data.value


def _member(kind: type[_E], data: Data) -> _E:
    try:
        return kind(data.value)
    except ValueError:
        raise CodecError(f"{_integer(data)} is no {kind.__name__}", field="certificate") from None
