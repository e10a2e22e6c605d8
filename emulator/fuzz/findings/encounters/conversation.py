"""What passed between a head end and our meter, as findings have it: octets, what they say, and
where the meter did something wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from emulator.conformance.probing.record import Direction, Entry, Level
from emulator.fuzz.findings.deciphering import Deciphering
from emulator.fuzz.head_ends.scene import Ran
from emulator.fuzz.scenario.found import KnownKey

HEAD_END, METER = "head end", "the meter"
"""Who stands where a scenario has its clients: who asks, and who is spoken of."""

_WAYS = {Direction.RECEIVED: "->", Direction.SENT: "<-"}
"""The meter's record, seen from the head end."""

Line = tuple[str, str, str, str]
"""Direction, who, octets in hexadecimal, and what they mean; without octets, what was done."""


def keys_of(ran: Sequence[Ran]) -> tuple[KnownKey, ...]:
    """The meter's of all errands: made for this encounter, and used for no other."""
    named = dict.fromkeys(key for one in ran for key in one.keys)
    return tuple(
        KnownKey(holder=METER, name=name, octets=octets.hex().upper())
        for name, octets in sorted(named)
    )


def words_of(ran: Sequence[Ran]) -> Callable[[bytes], str]:
    """What an APDU of ``ran`` says, and what it says inside."""
    titles = dict.fromkeys(
        title
        for one in ran
        for title in (one.material.own_title, one.material.server_title)
        if title
    )
    return Deciphering(keys_of(ran), titles).words


def lines(entries: Iterable[Entry], words: Callable[[bytes], str]) -> tuple[Line, ...]:
    """In their order; what is beneath TLS, frames and protection is in the APDUs already."""
    found: list[Line] = []
    for one in entries:
        if one.level is Level.NOTE:
            found.append(("--", METER, "", one.text))
        elif one.level is Level.APDU:
            way = _WAYS[one.direction]
            found.append((way, HEAD_END, one.octets.hex().upper(), words(one.octets)))
    return tuple(found)
