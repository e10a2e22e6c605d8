"""Mutations of files that people write: lines and words, not octets."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

_WORDS = re.compile(rb"[A-Za-z0-9_.:-]+|\s+|.", re.DOTALL)


def mutated(octets: bytes, words: Sequence[bytes], lot: random.Random) -> bytes:
    """``octets`` with a line or a word changed, moved, doubled or left out."""
    if lot.random() < 0.45:
        return b"\n".join(_moved(octets.split(b"\n"), words, lot))
    return b"".join(_moved(_WORDS.findall(octets), words, lot))


def _moved(parts: list[bytes], words: Sequence[bytes], lot: random.Random) -> list[bytes]:
    if not parts:
        return [lot.choice(words)]
    at, other = lot.randrange(len(parts)), lot.randrange(len(parts))
    match lot.randrange(6):
        case 0:
            return parts[:at] + parts[at + 1 :]
        case 1:
            return [*parts[:at], parts[other], *parts[at:]]
        case 2:
            parts[at], parts[other] = parts[other], parts[at]
        case 3:
            parts[at] = lot.choice(words)
        case 4:
            parts.insert(at, lot.choice(words))
        case _:
            parts[at] = parts[other]
    return parts
