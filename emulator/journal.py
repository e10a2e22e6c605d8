"""Numbers that only grow, in a file that survives the process and the machine.

To wait for the disk takes milliseconds, and a meter answers in microseconds. So there are two
promises. What :meth:`Journal.raise_to` has taken is in the operating system's hands when it
returns, and is found again exactly, however the *process* ends. If the *machine* stops, what had
not reached the disk is gone; so before a number passes its limit, a new limit is written and waited
for, and after such a stop the limit is what is found. A number is then found too high, by at most
its ``stride``, and never too low.

The file is text, a number and its limit a line, with a checksum, appended to; it is written anew
when it is opened and when it has grown too long. Beside it is a file mapped into memory, with each
number as it is below its limit: that costs no call of the system. One process writes both.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from dlms.errors import LocalProtocolError

MAX_LINES = 65536
"""Lines after which the file is written anew, if most of them are outdated: about 5 MB."""

_SLOT = struct.Struct("=QQ")
"""A number in the mapped file, and all its bits turned: half a number is none."""
_TURN = 2**64 - 1
_ROOM = 4096
"""Octets by which the mapped file grows: 256 numbers."""
_OPENED, _CLOSED = "opened", "closed"
_END = f"{_CLOSED} -".encode()
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class StoreError(LocalProtocolError):
    """A file of counters cannot be read, trusted or written. No message may be protected or
    accepted then (R-IC-7, KL-IC-15): whoever needs a counter stops.
    """


class _Kept:
    """A number, what is on the disk as not below it, and where it is in the mapped file."""

    __slots__ = ("limit", "place", "value")

    def __init__(self, value: int, limit: int, place: int) -> None:
        self.value = value
        self.limit = limit
        self.place = place


def this_boot() -> str:
    """What tells one run of the machine from the next; empty where nothing does."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


class Journal:
    """Opens ``path``, which :meth:`create` has made. :class:`StoreError` if it is missing, in use
    or damaged: to begin at 0 would be to forget.
    """

    def __init__(self, path: Path, *, max_lines: int = MAX_LINES) -> None:
        self._path = path
        self._max_lines = max_lines
        self._file = -1
        self._exact = mmap.mmap(-1, _ROOM)  # until there is a file
        self._lock = locked(path)
        try:
            self._kept = _read(path)
            self._rewrite()
            self._map()
        except BaseException:
            os.close(self._lock)
            raise

    @classmethod
    def create(cls, path: Path) -> None:
        """Make an empty one. ``FileExistsError`` if there is a file already."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_line(_END))
            file.flush()
            os.fsync(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Say that nothing is missing, and let others open it."""
        if self._lock < 0:
            return
        try:
            if self._file >= 0:
                # What is mapped may not have reached the disk, and is not read after this.
                self._rewrite()
                self._append(_END)
                os.fsync(self._file)
        finally:
            self._release()
            self._exact.close()
            os.close(self._lock)
            self._lock = -1

    def value(self, name: str) -> int:
        """The number; 0 if there is none of that name."""
        kept = self._kept.get(name)
        return 0 if kept is None else kept.value

    def names(self, beginning: str) -> Iterator[str]:
        return (name for name in self._kept if name.startswith(beginning))

    def raise_to(self, name: str, value: int, stride: int = 0) -> None:
        """Take ``value`` down unless it is lower. ``name`` is printable ASCII.

        Without a ``stride`` it is on the disk when this returns. :class:`StoreError` if it cannot
        be written; from then on nothing can.
        """
        kept = self._kept.get(name)
        if kept is None or value > kept.limit:
            if self._file < 0:
                raise self._closed()
            place = len(self._kept) * _SLOT.size if kept is None else kept.place
            if kept is None:
                # Before the line: one without its exact number would be taken for its limit.
                if place >= len(self._exact):
                    self._map()
                _SLOT.pack_into(self._exact, place, value, value ^ _TURN)
            self._append(_number(name, value, value + stride))
            self._sync()
            self._kept[name] = kept = _Kept(value, value + stride, place)
        elif value <= kept.value:
            return
        elif self._file < 0:
            raise self._closed()
        kept.value = value
        _SLOT.pack_into(self._exact, kept.place, value, value ^ _TURN)
        if self._lines > self._most_lines:
            self._rewrite()

    def drop(self, names: Iterable[str]) -> None:
        """Forget numbers that nobody will ask for again. :class:`StoreError` if that cannot be
        written; what is found then is what was there.
        """
        if self._file < 0:
            raise self._closed()
        for name in names:
            self._kept.pop(name, None)
        for number, kept in enumerate(self._kept.values()):
            # With the exact numbers in the file it does not matter whose place is mapped where.
            kept.limit = kept.value
            kept.place = number * _SLOT.size
        self._rewrite()
        self._map()

    # The file -----------------------------------------------------------------------------------

    def _append(self, octets: bytes) -> None:
        if self._file < 0:
            raise self._closed()
        line = _line(octets)
        try:
            written = os.write(self._file, line)
        except OSError as error:
            self._release()
            raise StoreError(f"{self._path}: {error.strerror}") from error
        self._lines += 1
        if written != len(line):
            # What follows would hang on to half a line.
            self._release()
            raise StoreError(f"{self._path}: no room for what must be written")

    def _closed(self) -> StoreError:
        return StoreError(f"{self._path}: nothing can be written any more")

    def _sync(self) -> None:
        try:
            os.fsync(self._file)
        except OSError as error:
            # Nobody knows what is on the disk now, and a second try would not tell.
            self._release()
            raise StoreError(f"{self._path}: {error.strerror}") from error

    def _rewrite(self) -> None:
        """Put one line for each number into a new file, and that in the place of the old one."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        lines = [_line(f"{_OPENED} {this_boot() or '-'}".encode())]
        lines += [_line(_number(name, k.value, k.limit)) for name, k in self._kept.items()]
        self._release()
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            self._file = descriptor
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.writelines(lines)
            os.fsync(descriptor)
            fresh.replace(self._path)
            sync_directory(self._path.parent)
        except OSError as error:
            self._release()
            raise StoreError(f"{self._path}: {error.strerror}") from error
        self._lines = len(lines)
        self._most_lines = max(self._max_lines, 2 * len(lines))

    def _map(self) -> None:
        """Map a file with room for all numbers, in the order of their first lines, and for more."""
        size = (len(self._kept) * _SLOT.size // _ROOM + 1) * _ROOM
        try:
            descriptor = os.open(_beside(self._path), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, size)  # or a full disk would end the process
                fresh = mmap.mmap(descriptor, size)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._release()
            raise StoreError(f"{self._path}: {error.strerror}") from error
        for kept in self._kept.values():
            _SLOT.pack_into(fresh, kept.place, kept.value, kept.value ^ _TURN)
        # What was dropped must not be taken for a number that comes to its place.
        used = len(self._kept) * _SLOT.size
        fresh[used:] = bytes(size - used)
        self._exact.close()
        self._exact = fresh

    def _release(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def locked(path: Path) -> int:
    """A file beside ``path`` that stands for it, for ``path`` itself is replaced."""
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreError(f"{path} is in use by another process") from error
    return descriptor


def _line(octets: bytes) -> bytes:
    return b"%08x %b\n" % (zlib.crc32(octets), octets)


def _read(path: Path) -> dict[str, _Kept]:
    """What the file says; where it was left open and the machine has stopped since, the limits."""
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
    except FileNotFoundError:
        raise StoreError(
            f"{path} is missing: counters would begin at 0 under keys that have been used; "
            "a new workspace has new keys"
        ) from None
    # What has no end of line was being written when everything stopped; nothing had relied on it.
    found: dict[str, _Kept] = {}
    state = ""
    for number, line in enumerate(whole.split(b"\n"), 1):
        fields = _fields(line)
        if fields is None or (number == 1 and fields[0] not in (_OPENED, _CLOSED)):
            raise StoreError(f"{path} is damaged in line {number}: its counters cannot be trusted")
        if len(fields) == 2:
            state = " ".join(fields)
            continue
        kept = found.setdefault(fields[2], _Kept(0, 0, len(found) * _SLOT.size))
        kept.value = max(kept.value, int(fields[0]))
        kept.limit = max(kept.limit, int(fields[1]))
    if state.startswith(_CLOSED):
        return found
    exact = _mapped(path) if state == f"{_OPENED} {this_boot()}" else b""
    for kept in found.values():
        value, turned = _SLOT.unpack_from(exact, kept.place) if kept.place < len(exact) else (0, 0)
        right = value ^ turned == _TURN and value <= kept.limit
        kept.value = max(kept.value, value) if right else kept.limit
    return found


def _mapped(path: Path) -> bytes:
    try:
        octets = _beside(path).read_bytes()
    except FileNotFoundError:
        return b""
    return octets[: len(octets) // _SLOT.size * _SLOT.size]


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.exact")


def _number(name: str, value: int, limit: int) -> bytes:
    return f"{value} {limit} {name}".encode("ascii")


def _fields(line: bytes) -> list[str] | None:
    """State and boot, or value, limit and name; ``None`` if the line is none of ours."""
    checksum, _, octets = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(octets):
        return None
    fields = octets.decode("ascii", "replace").split(" ", 2)
    if len(fields) == 2:
        return fields if fields[0] in (_OPENED, _CLOSED) else None
    numbers = len(fields) == 3 and fields[0].isdecimal() and fields[1].isdecimal()
    return fields if numbers else None


def sync_directory(path: Path) -> None:
    """Wait until the names in ``path`` are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
