"""Which mutation an input gets: of fields, of elements, of lines, or of octets."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeAlias

from emulator.fuzz.octets import lines, tlv, values
from emulator.fuzz.octets.harness import Harness

Mutate: TypeAlias = Callable[[bytes, int], bytes]
"""The fuzzer's own mutation of octets, up to a length."""

_STRUCTURED = 0.5
_THEN_OCTETS = 0.1
_TRIES = 4
"""Until a change comes to something: many a field has few values that can be encoded."""


def mutation(
    harness: Harness, words: Sequence[bytes], octets: Mutate
) -> Callable[[bytes, int, int], bytes]:
    """A mutation by seed: the same input, length and seed give the same, as far as ``octets``
    does.
    """

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        lot = random.Random(seed)
        if lot.random() >= _STRUCTURED:
            return octets(data, most)
        found = structured(harness, data, words, lot)
        if found is None or len(found) > most:
            return octets(data, most)
        return octets(found, most) if lot.random() < _THEN_OCTETS else found

    return mutate


def structured(
    harness: Harness, data: bytes, words: Sequence[bytes], lot: random.Random
) -> bytes | None:
    """A mutation that knows what the octets are; ``None`` if they are not that."""
    ways: list[Callable[[], bytes]] = []
    structure = harness.structure
    if structure is not None:
        ways.append(lambda: structure.write(values.changed(structure.read(data), lot)))
    if harness.is_ber:
        ways.append(lambda: tlv.mutated(data, lot))
    if harness.is_text:
        ways.append(lambda: lines.mutated(data, words, lot))
    for _ in range(_TRIES if ways else 0):
        try:
            found = lot.choice(ways)()
        except Exception:  # whatever a codec says of a value that nobody has made before
            continue
        if found != data:
            return found
    return None
