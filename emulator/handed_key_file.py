"""Handed-over authentication keys that outlive a command, in a file, wrapped.

The wrapping key is the party's own; that it wraps and unwraps here is tagged like every other
operation. What is in the file is encrypted Secret Key Material, whose storage is no Cryptographic
Processing (letter, paragraph 9).
"""

from __future__ import annotations

from typing import Any

from dlms.security.keys import KeyRef
from dlms.security.ops import Step, Unwrap, Use, Wrap
from emulator.head_end.handed_keys import MAX_OFFERED, HandedKeys, handed_ref
from emulator.head_end.known_keys import Run
from emulator.journal import StoreError
from emulator.shared_file import SharedFile


class FiledHandedKeys(HandedKeys):
    """Of the party whose storage key is ``kek``. Commands may run at once: each takes what the file
    has, and a key that two of them take is good for the first.
    """

    def __init__(self, file: SharedFile, kek: KeyRef) -> None:
        super().__init__()
        self._file = file
        self._kek = kek

    async def offered(self, title: bytes, scope: str, run: Run) -> tuple[KeyRef, ...]:
        with self._file.changing() as document:
            row = self._row(document, title, scope)
            kept = dict(row["offered"])
        found = []
        for version in sorted(map(int, kept), reverse=True):
            ref = handed_ref(title, scope, version)
            await run(_unwrap(self._kek, bytes.fromhex(kept[str(version)]), ref))
            found.append(ref)
        return tuple(found)

    def successor(self, title: bytes, scope: str) -> KeyRef:
        with self._file.changing() as document:
            row = self._row(document, title, scope)
            row["last"] += 1
            return handed_ref(title, scope, row["last"])

    async def offer(self, new: KeyRef, run: Run) -> None:
        wrapped: bytes = await run(_wrap(self._kek, new))
        with self._file.changing() as document:
            offered = self._row(document, new.holder, new.scope)["offered"]
            offered[str(new.version)] = wrapped.hex()
            for version in sorted(offered, key=int)[:-MAX_OFFERED]:
                del offered[version]

    def settle(self, title: bytes, scope: str, kept: KeyRef | None = None) -> None:
        with self._file.changing() as document:
            row = self._row(document, title, scope)
            version = "" if kept is None else str(kept.version)
            row["offered"] = {
                name: wrapped for name, wrapped in row["offered"].items() if name == version
            }

    def _row(self, document: dict[str, Any], title: bytes, scope: str) -> dict[str, Any]:
        row = document.setdefault(f"{title.hex().upper()}/{scope}", {"last": 0, "offered": {}})
        good = (
            isinstance(row, dict)
            and type(row.get("last")) is int
            and isinstance(row.get("offered"), dict)
            and all(name.isdecimal() and _is_hex(text) for name, text in row["offered"].items())
        )
        if not good:
            raise StoreError(f"{self._file.path} is damaged: {title.hex().upper()}/{scope}")
        assert isinstance(row, dict)
        return row


def _is_hex(text: object) -> bool:
    return isinstance(text, str) and len(text) % 2 == 0 and set(text) <= set("0123456789abcdef")


def _wrap(kek: KeyRef, key: KeyRef) -> Step[bytes]:
    wrapped: bytes = yield Wrap(Use.TRANSFER_KEY, kek, key)
    return wrapped


def _unwrap(kek: KeyRef, wrapped: bytes, into: KeyRef) -> Step[None]:
    yield Unwrap(Use.TRANSFER_KEY, kek, wrapped, into, ())
