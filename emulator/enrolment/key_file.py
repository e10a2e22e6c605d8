"""The file by which keys change hands: wrapped under a transport key, never in the clear.

``{"kek": name, "keys": [{"holder", "scope", "kind", "version", "wrapped"}]}``: ``holder`` is the
system title of the meter and ``wrapped`` RFC 3394, both hexadecimal; ``kek`` names the transport
key. What real files look like is not public (TMAD names them ``MAPASSWORD_...``): assumed.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Self

from dlms.security.keys import KeyKind, KeyRef

MAX_OCTETS = 65536
"""A file has the keys of one meter for one party: some twelve of them."""

_WRAPPED = (24, 40)
"""Octets of a wrapped key of 16 and of 32 octets (RFC 3394, 2.2.1)."""
_FIELDS = frozenset(("holder", "scope", "kind", "version", "wrapped"))


class KeyFileRefused(ValueError):
    """The file is not what it should be; the text says what and where, and no key."""


class WrappedKey(NamedTuple):
    """``version`` is how often the supplier has replaced the key."""

    holder: bytes
    scope: str
    kind: KeyKind
    version: int
    wrapped: bytes

    @property
    def slot(self) -> tuple[str, KeyKind]:
        return self.scope, self.kind


class KeyFile(NamedTuple):
    """``kek`` is the name of the transport key."""

    kek: str
    keys: tuple[WrappedKey, ...]

    def to_text(self) -> str:
        rows = [
            {
                "holder": key.holder.hex().upper(),
                "scope": key.scope,
                "kind": key.kind.name,
                "version": key.version,
                "wrapped": key.wrapped.hex().upper(),
            }
            for key in self.keys
        ]
        return json.dumps({"kek": self.kek, "keys": rows}, indent=1) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """:class:`KeyFileRefused` if it cannot be read."""
        if len(text) > MAX_OCTETS:
            raise KeyFileRefused(f"key file: more than {MAX_OCTETS} octets")
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise KeyFileRefused("key file: no JSON") from None
        if not isinstance(document, dict) or document.keys() != {"kek", "keys"}:
            raise KeyFileRefused("key file: kek and keys are expected, and nothing else")
        kek, rows = document["kek"], document["keys"]
        if not isinstance(kek, str) or not isinstance(rows, list):
            raise KeyFileRefused("key file: kek is a name and keys is a list")
        keys = tuple(_read(number, row) for number, row in enumerate(rows, 1))
        if len({(key.holder, *key.slot) for key in keys}) != len(keys):
            raise KeyFileRefused("key file: a key is there twice")
        return cls(kek, keys)

    def check(self, kek: str, title: bytes, expected: frozenset[tuple[str, KeyKind]]) -> None:
        """That it is for the transport key ``kek``, and has just the ``expected`` keys of the meter
        ``title``. :class:`KeyFileRefused` if not.
        """
        if self.kek != kek:
            raise KeyFileRefused(f"key file: wrapped under {self.kek!r}, not under {kek!r}")
        foreign = next((key for key in self.keys if key.holder != title), None)
        if foreign is not None:
            name = foreign.holder.hex().upper()
            raise KeyFileRefused(f"key file: keys of {name}, not of {title.hex().upper()}")
        found = frozenset(key.slot for key in self.keys)
        for what, slots in (("is missing", expected - found), ("has no place", found - expected)):
            for scope, kind in sorted(slots, key=lambda slot: (slot[0], slot[1].name)):
                raise KeyFileRefused(f"key file: {scope}/{kind.name} {what}")


def slots_of(keys: Any) -> frozenset[tuple[str, KeyKind]]:
    """Scope and kind of each of the names of keys."""
    refs: list[KeyRef] = list(keys)
    return frozenset((ref.scope, ref.kind) for ref in refs)


def _read(number: int, row: object) -> WrappedKey:
    where = f"key file: key {number}"
    if not isinstance(row, dict) or row.keys() != _FIELDS:
        raise KeyFileRefused(f"{where}: {', '.join(sorted(_FIELDS))} are expected")
    scope, kind, version = row["scope"], row["kind"], row["version"]
    texts = isinstance(scope, str) and isinstance(kind, str)
    if not texts or kind not in KeyKind.__members__:
        raise KeyFileRefused(f"{where}: no such kind of key")
    if type(version) is not int or version < 0:
        raise KeyFileRefused(f"{where}: version is no whole number")
    holder, wrapped = (_octets(where, name, row[name]) for name in ("holder", "wrapped"))
    if len(holder) != 8:
        raise KeyFileRefused(f"{where}: holder is no system title")
    if len(wrapped) not in _WRAPPED:
        raise KeyFileRefused(f"{where}: no wrapped key of {len(wrapped)} octets")
    return WrappedKey(holder, scope, KeyKind[kind], version, wrapped)


def _octets(where: str, name: str, value: object) -> bytes:
    try:
        return bytes.fromhex(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise KeyFileRefused(f"{where}: {name} is not hexadecimal") from None
