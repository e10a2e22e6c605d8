"""Which alerts the head end has handed on, in a file: none is handed on twice.

Of each meter the latest are kept, more than a meter can have in its store: an alert that it does
not have any more does not come again.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any, Self

from devices.happenings import MAX_ALERTS
from emulator.head_end.alerts import Smets1Alert
from emulator.journal import StoreError
from emulator.shared_file import SharedFile

MAX_SEEN = MAX_ALERTS + 28
"""Of one meter."""


class SeenAlerts:
    """One process at a time has it open. :class:`StoreError` if another one has, or if the file is
    damaged.
    """

    def __init__(self, path: Path) -> None:
        self._file = SharedFile(path)
        beside = path.with_name(f"{path.name}.listener")
        self._lock = os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with self._file.changing() as document:
                self._seen = _checked(document, path)
        except BlockingIOError:
            os.close(self._lock)
            raise StoreError(f"{path} is in use: another process listens for alerts") from None
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        os.close(self._lock)

    def has(self, alert: Smets1Alert) -> bool:
        return _mark(alert) in self._seen.get(alert.device.hex(), ())

    def add(self, alert: Smets1Alert) -> None:
        """It is on the disk when this returns. ``OSError`` if it cannot be written."""
        device = alert.device.hex()
        marks = [*self._seen.get(device, ()), _mark(alert)][-MAX_SEEN:]
        with self._file.changing() as document:
            document[device] = marks
        self._seen[device] = marks


def _mark(alert: Smets1Alert) -> str:
    return f"{alert.number} {alert.time.to_octets().hex()}"


def _checked(document: dict[str, Any], path: Path) -> dict[str, list[str]]:
    for marks in document.values():
        if not isinstance(marks, list) or not all(isinstance(mark, str) for mark in marks):
            raise StoreError(f"{path} is damaged: it has no alerts by meter")
    return dict(document)
