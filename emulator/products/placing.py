"""Files that appear all at once at the end, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from emulator.products.errors import ProductsError


class Placing:
    """Files that are written beside their places."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[Path, Path] = {}
        self._is_made = False

    def write(self, files: Mapping[str, bytes]) -> None:
        """:class:`ProductsError` if they cannot be written there. The folder is made if need be."""
        try:
            if not self._folder.exists():
                self._folder.mkdir(parents=True)
                self._is_made = True
        except OSError as error:
            raise ProductsError(f"{self._folder}: cannot be made: {error.strerror}") from None
        for name, octets in files.items():
            place = self._folder / name
            if place.is_dir():
                raise ProductsError(f"{place}: there is a folder of that name")
            self._write(place, octets)

    def _write(self, place: Path, octets: bytes) -> None:
        try:
            descriptor, beside = tempfile.mkstemp(prefix=f".{place.name}.", dir=self._folder)
            self._written[place] = Path(beside)
            with open(descriptor, "wb") as file:
                os.fchmod(file.fileno(), 0o644)  # they are for everybody
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ProductsError(f"{place}: cannot be written: {error.strerror}") from None

    def place(self) -> None:
        for place, beside in self._written.items():
            try:
                beside.replace(place)
            except OSError as error:
                raise ProductsError(f"{place}: cannot be written: {error.strerror}") from None
        self._written.clear()
        self._is_made = False

    def drop(self) -> None:
        for beside in self._written.values():
            beside.unlink(missing_ok=True)
        if self._is_made:
            with suppress(OSError):  # others may have put something there
                self._folder.rmdir()


@contextmanager
def placing(folder: Path) -> Iterator[Placing]:
    """What is written inside is in its place when the block ends well, and nowhere otherwise."""
    files = Placing(folder)
    try:
        yield files
        files.place()
    finally:
        files.drop()
