"""A small JSON file that several processes read and change, each change whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulator.journal import StoreError, sync_directory


class SharedFile:
    """Safe between processes, and whenever one ends: the file is replaced whole. None at all is an
    empty document.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def changing(self) -> Iterator[dict[str, Any]]:
        """The document, for one process at a time; what it is at the end is on the disk then.
        :class:`~emulator.journal.StoreError` if the file is damaged, and nothing is changed.
        """
        beside = self.path.with_name(f"{self.path.name}.lock")
        with open(os.open(beside, os.O_RDWR | os.O_CREAT, 0o600), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            document = self._read()
            before = json.dumps(document, indent=1)
            yield document
            after = json.dumps(document, indent=1)
            if after != before:
                self._replace(after)

    def _read(self) -> dict[str, Any]:
        try:
            found: object = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise StoreError(f"{self.path} is damaged: {error}") from error
        if isinstance(found, dict):
            return found
        raise StoreError(f"{self.path} is damaged: it has nothing by name")

    def _replace(self, text: str) -> None:
        fresh = self.path.with_name(f"{self.path.name}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        fresh.replace(self.path)
        sync_directory(self.path.parent)
