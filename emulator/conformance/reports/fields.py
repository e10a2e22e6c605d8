"""What octets of a record mean, field by field, as far as it can be told without any key."""

from __future__ import annotations

from emulator.conformance.probing.record import Level
from emulator.decoding.fields import Field, cut_apdu, cut_framed

__all__ = ["Field", "fields_of"]


def fields_of(octets: bytes, level: Level) -> tuple[Field, ...]:
    """In their order, each octet in one of them. ``level`` says what the octets begin with."""
    whole = level in (Level.APDU, Level.PLAIN)
    return (cut_apdu(octets) if whole else cut_framed(octets)).fields
