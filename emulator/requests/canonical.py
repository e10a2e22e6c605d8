"""Canonical JSON: one sequence of octets for each document, so that a signature binds its meaning.

ASCII alone, names in order, no white space, no number but whole ones, no name twice. What does not
read back to the same octets is refused.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

MAX_OCTETS = 16384
"""Of a document: a few dozen arguments and three signatures are a tenth of it."""


class DocumentError(ValueError):
    """The octets are not such a document."""


def encode(document: object) -> bytes:
    """``document`` is made of dictionaries with names, texts and whole numbers."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")


def decode(octets: bytes) -> dict[str, Any]:
    """:class:`DocumentError` if ``octets`` are not what :func:`encode` would make of them."""
    if len(octets) > MAX_OCTETS:
        raise DocumentError(f"document of {len(octets)} octets, more than {MAX_OCTETS}")
    try:
        document = json.loads(
            octets.decode("ascii"),
            parse_float=_no_number,
            parse_constant=_no_number,
            object_pairs_hook=_named_once,
        )
        same = encode(document) == octets
    except DocumentError:
        raise
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"no JSON: {type(error).__name__}") from None
    if not same or not isinstance(document, dict):
        raise DocumentError("not in canonical form")
    return document


def exactly(document: object, **types: type) -> dict[str, Any]:
    """``document`` if it has these names, each of its type, and no others."""
    if not isinstance(document, dict) or document.keys() != types.keys():
        raise DocumentError(f"needs {', '.join(types)} and nothing else")
    for name, kind in types.items():
        if type(document[name]) is not kind:
            raise DocumentError(f"{name} is of the wrong type")
    return document


def octets_of(text: str, name: str, length: int) -> bytes:
    """Octets that are written as upper-case hexadecimal digits, ``length`` of them."""
    if len(text) != 2 * length or not set(text) <= set("0123456789ABCDEF"):
        raise DocumentError(f"{name} is not {length} octets in upper-case hexadecimal")
    return bytes.fromhex(text)


def _no_number(text: str) -> NoReturn:
    raise DocumentError("a number that is not whole")


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise DocumentError("a name that comes twice")
    return document
