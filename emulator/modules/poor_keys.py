"""Keys that anybody can guess: nothing but zeros, or made of a system title.

Those two are what a meter has that was never given a key, or was given one by somebody in a hurry
(KL-KT-17). A system title is public: it is in every AARQ and AARE and, often, on the nameplate.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator

FILLS = (b"\x00", b"\xff")


def poor_keys(title: bytes, length: int) -> Iterator[tuple[bytes, str]]:
    """Each key of ``length`` octets that is refused, and what it is: zeros; and, of the system
    ``title`` of its holder (8 octets), the title again and again, or at one end of a key that is
    filled up with 00 or FF.
    """
    yield bytes(length), "key of nothing but zeros"
    if not title or len(title) > length:
        return
    made = "key made of the system title"
    yield (title * (length // len(title) + 1))[:length], made
    for fill in FILLS:
        yield title.ljust(length, fill), made
        yield title.rjust(length, fill), made


def poverty(key: bytes, title: bytes) -> str:
    """What ``key`` is if it is one of these, otherwise an empty text."""
    found = (what for poor, what in poor_keys(title, len(key)) if hmac.compare_digest(key, poor))
    return next(found, "")
