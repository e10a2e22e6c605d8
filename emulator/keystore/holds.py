"""One hand at a time on the keys of a meter's association, among the processes of a machine.

A hold is a lock on a file, so it ends with its process however that ends. Processes on several
machines that share a database must not rotate keys of the same meters.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tls.files import private_directory


class Holds:
    """In ``folder``, which is made when it is first needed. One task is one hand: it may take what
    it has again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, asyncio.Task[Any] | None] = {}

    @contextmanager
    def hold(self, name: str) -> Iterator[bool]:
        """Whether nobody else has it, and nobody else gets it meanwhile. Does not wait."""
        task = asyncio.current_task()
        if name in self._held and self._held[name] is task:
            yield True
            return
        private_directory(self._folder)
        path = self._folder / f"{name}.lock"
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            self._held[name] = task
            try:
                yield True
            finally:
                del self._held[name]
