"""The chain: each entry's hash covers the entry and the hash before it (``docs/ledger.md``)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from emulator.ledger.errors import LedgerError
from emulator.ledger.record import FIELDS, Record

ID_LENGTH = 16
"""Octets of a ledger's id, drawn by lot when it is made."""

_GENESIS = b"cosemlab ledger genesis 1\0"
_ENTRY = b"cosemlab ledger entry 1\0"
_numbers = struct.Struct(f">Q{len(FIELDS)}I").pack
"""The number of the entry, then how many octets each field has."""
_HEX_LENGTH = 2 * hashlib.sha256().digest_size


class Head(NamedTuple):
    """Where a ledger ends: who has one notices if what was before it is changed or cut off.

    ``ledger`` and ``hash`` are hexadecimal, in small letters; ``number`` is 0 of an empty one.
    """

    ledger: str
    number: int
    hash: str

    def to_json(self) -> dict[str, Any]:
        return self._asdict()


class Link(NamedTuple):
    """A stored entry. Nothing is known of any part until the chain is verified."""

    number: Any
    record: tuple[Any, ...]
    previous: Any
    hash: Any


def genesis(ledger: str) -> Head:
    """The head of a ledger with nothing in it yet."""
    return Head(ledger, 0, hashlib.sha256(_GENESIS + bytes.fromhex(ledger)).hexdigest())


def chained(head: Head, record: Record) -> Head:
    """The head after ``record`` is added to what ends in ``head``."""
    number = head.number + 1
    # Almost always it is all ASCII: then characters are octets, and are encoded in one go.
    text = "".join(record)
    octets = text.encode()
    lengths = map(len, record if len(octets) == len(text) else map(str.encode, record))
    covered = _ENTRY + bytes.fromhex(head.hash) + _numbers(number, *lengths) + octets
    return Head(head.ledger, number, hashlib.sha256(covered).hexdigest())


def head_from(document: object) -> Head:
    """From JSON. :class:`LedgerError` if it is none."""
    if isinstance(document, Mapping):
        ledger, number, digest = (document.get(name) for name in Head._fields)
        if (
            _is_hex(ledger, 2 * ID_LENGTH)
            and type(number) is int
            and number >= 0
            and _is_hex(digest, _HEX_LENGTH)
        ):
            return Head(str(ledger), number, str(digest))
    raise LedgerError("a head has ledger, number and hash, as 'cosemlab ledger head' prints them")


def _is_hex(text: object, length: int) -> bool:
    return isinstance(text, str) and len(text) == length and set(text) <= set("0123456789abcdef")
