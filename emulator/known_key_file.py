"""Keys of meters that were rotated, in a file, wrapped: for the commands, and the next of them.

As with :mod:`emulator.handed_key_file` the wrapping key is the party's, and wrapping and unwrapping
are tagged; the storage of what is encrypted is no Cryptographic Processing (letter, paragraph 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Step, Unwrap, Use, Wrap
from emulator.head_end.known_keys import KnownKeys, Run
from emulator.journal import StoreError
from emulator.shared_file import SharedFile

_SETTLED, _DOUBTFUL = "settled", "in doubt"


class FiledKnownKeys(KnownKeys):
    """Of the party whose storage key is ``kek``."""

    def __init__(self, file: SharedFile, kek: KeyRef) -> None:
        super().__init__()
        self._file = file
        self._kek = kek
        self._wrapped: dict[KeyRef, str] = {}

    async def recall(self, title: bytes, scope: str, run: Run) -> None:
        with self._file.changing() as document:
            row = self._row(document, title, scope)
        for part, known in ((_SETTLED, self._settled), (_DOUBTFUL, self._doubtful)):
            known[title, scope] = {}
            for name, (version, wrapped) in row[part].items():
                ref = KeyRef(title, scope, KeyKind[name], version=version)
                known[title, scope][ref.kind] = version
                if ref not in self._wrapped:
                    await run(_unwrap(self._kek, bytes.fromhex(wrapped), ref))
                    self._wrapped[ref] = wrapped

    async def propose(
        self, title: bytes, scope: str, fresh: Mapping[KeyKind, KeyRef], run: Run
    ) -> None:
        for ref in fresh.values():
            wrapped: bytes = await run(_wrap(self._kek, ref))
            self._wrapped[ref] = wrapped.hex()
        await super().propose(title, scope, fresh, run)
        self._write(title, scope)

    def settle(self, title: bytes, scope: str, *, taken: bool) -> None:
        super().settle(title, scope, taken=taken)
        self._write(title, scope)

    def _write(self, title: bytes, scope: str) -> None:
        with self._file.changing() as document:
            row = self._row(document, title, scope)
            for part, known in ((_SETTLED, self._settled), (_DOUBTFUL, self._doubtful)):
                versions = known.get((title, scope), {})
                row[part] = {
                    kind.name: [version, self._wrapped[KeyRef(title, scope, kind, version=version)]]
                    for kind, version in versions.items()
                    if version
                }

    def _row(self, document: dict[str, Any], title: bytes, scope: str) -> dict[str, Any]:
        name = f"{title.hex().upper()}/{scope}"
        row = document.setdefault(name, {_SETTLED: {}, _DOUBTFUL: {}})
        if not (isinstance(row, dict) and all(_is_part(row.get(p)) for p in (_SETTLED, _DOUBTFUL))):
            raise StoreError(f"{self._file.path} is damaged: {name}")
        assert isinstance(row, dict)
        return row


def _is_part(part: object) -> bool:
    """Version and wrapped octets (hexadecimal) by the name of a kind of key."""
    return isinstance(part, dict) and all(
        name in KeyKind.__members__
        and isinstance(entry, list)
        and len(entry) == 2
        and type(entry[0]) is int
        and isinstance(entry[1], str)
        and len(entry[1]) % 2 == 0
        and set(entry[1]) <= set("0123456789abcdef")
        for name, entry in part.items()
    )


def _wrap(kek: KeyRef, key: KeyRef) -> Step[bytes]:
    wrapped: bytes = yield Wrap(Use.TRANSFER_KEY, kek, key)
    return wrapped


def _unwrap(kek: KeyRef, wrapped: bytes, into: KeyRef) -> Step[None]:
    yield Unwrap(Use.TRANSFER_KEY, kek, wrapped, into, ())
