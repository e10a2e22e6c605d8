"""Keys that come in a file, wrapped: those that meters have when they are taken over.

::

    {"kek": "store of S1SP",
     "keys": [{"holder": "4C475A1000000001", "scope": "s1sp", "kind": "GUEK", "version": 1,
               "wrapped": "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"}]}

``kek`` names the key that they are wrapped under (RFC 3394), which the party's module must hold;
system titles and what is wrapped are hexadecimal. Versions count from 1, for that of number 0 is
derived. Each key is unwrapped in the module, which proves that it is whole, and wrapped anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Unwrap, Use, VerificationFailed
from emulator.head_end.known_keys import Run
from emulator.journal import StoreError
from emulator.keystore.wrapping import Wrapping

MAX_KEYS = 100_000
"""In a file: eight for each of more meters than a sandbox has, and some tens of megabytes."""

_FIELDS = {"holder": str, "scope": str, "kind": str, "version": int, "wrapped": str}
_WRAPPED = (24, 40, 48)
"""Octets: keys of 16 or 32, and secrets of 32 or 40."""
_TITLE = 8


class KeyFile(NamedTuple):
    """``kek`` is a name; ``keys`` are wrapped under it."""

    kek: str
    keys: tuple[tuple[KeyRef, bytes], ...]


def read_key_file(path: Path, scopes: Collection[str]) -> KeyFile:
    """:class:`StoreError` if it is no such file, or has keys of other than these ``scopes``."""
    try:
        document: object = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is no JSON: {error}") from None
    if not isinstance(document, dict) or document.keys() != {"kek", "keys"}:
        raise StoreError(f"{path}: 'kek' and 'keys' are wanted")
    kek, rows = document["kek"], document["keys"]
    if not isinstance(kek, str) or not isinstance(rows, list) or len(rows) > MAX_KEYS:
        raise StoreError(f"{path}: 'kek' is a name, 'keys' a list of at most {MAX_KEYS}")
    keys = tuple(_key(f"{path}, key {number}", row, scopes) for number, row in enumerate(rows, 1))
    if len({ref for ref, _ in keys}) != len(keys):
        raise StoreError(f"{path}: a key is there twice")
    return KeyFile(kek, keys)


def _key(where: str, row: Any, scopes: Collection[str]) -> tuple[KeyRef, bytes]:
    if not isinstance(row, dict) or row.keys() != _FIELDS.keys():
        raise StoreError(f"{where}: {', '.join(_FIELDS)} are wanted")
    for name, wanted in _FIELDS.items():
        if type(row[name]) is not wanted:
            raise StoreError(f"{where}: {name} is no {wanted.__name__}")
    holder, wrapped = (_octets(where, name, row[name]) for name in ("holder", "wrapped"))
    if len(holder) != _TITLE or len(wrapped) not in _WRAPPED:
        raise StoreError(f"{where}: a title has {_TITLE} octets, a wrapped key 24, 40 or 48")
    kind = KeyKind.__members__.get(row["kind"])
    if kind is None or not (kind.is_symmetric or kind is KeyKind.HLS_SECRET):
        raise StoreError(f"{where}: no kind of key that is wrapped: {row['kind']!r}")
    if row["scope"] not in scopes:
        raise StoreError(f"{where}: scope {row['scope']!r} is none of {', '.join(scopes)}")
    if not 1 <= row["version"] < 1 << 31:
        raise StoreError(f"{where}: versions count from 1")
    return KeyRef(holder, row["scope"], kind, version=row["version"]), wrapped


def _octets(where: str, name: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise StoreError(f"{where}: {name} is not hexadecimal") from None


async def import_keys(wrapping: Wrapping, file: KeyFile, kek: KeyRef, run: Run) -> int:
    """Take all keys of a file over, or none; how many they were. They are in force.

    ``kek`` is what they are wrapped under. :class:`StoreError` if one does not unwrap, or is there
    already.
    """
    found = []
    current = await wrapping.current(run)
    for ref, wrapped in file.keys:
        try:
            await run(_unwrap(kek, wrapped, ref))
        except VerificationFailed:
            raise StoreError(f"key {ref} does not unwrap under {file.kek}") from None
        found.append((ref, (await wrapping.wrap(ref, run))[0]))
    wrapping.store.add(found, current)
    return len(found)


def _unwrap(kek: KeyRef, wrapped: bytes, into: KeyRef) -> Any:
    yield Unwrap(Use.TRANSFER_KEY, kek, wrapped, into, ())
