"""The kinds of faults: a row for each. To add one, write a function of a fault and a row."""

from __future__ import annotations

from emulator.faults.kind import Kind
from emulator.faults.kinds import (
    answers,
    certificates,
    clocks,
    computing,
    corruption,
    hands,
    inside,
    keys,
    links,
    misconfiguring,
    octets,
    rewriting,
    tls_stack,
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        *octets.KINDS,
        *corruption.KINDS,
        *answers.KINDS,
        *keys.KINDS,
        *links.KINDS,
        *clocks.KINDS,
        *hands.KINDS,
        *certificates.KINDS,
        *rewriting.KINDS,
        *computing.KINDS,
        *misconfiguring.KINDS,
        *tls_stack.KINDS,
        *inside.KINDS,
    )
}
