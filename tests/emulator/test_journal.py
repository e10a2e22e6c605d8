"""The file that meters keep their counters in: exact after a process ends, never too low at all."""

from __future__ import annotations

import errno
import os
import signal
import stat
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import journal as under_test
from emulator.journal import Journal, StoreError

STRIDE = 5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "meters.journal"
    Journal.create(path)
    return path


@pytest.fixture
def boot(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which run of the machine this is; a test may begin another."""
    boots = ["first"]
    monkeypatch.setattr(under_test, "this_boot", lambda: boots[-1])
    return boots


def abandon(journal: Journal) -> None:
    """As when a process is killed: descriptors and lock are gone, nothing is said."""
    os.close(journal._file)
    os.close(journal._lock)


def written(path: Path) -> list[str]:
    return [line.partition(" ")[2] for line in path.read_text().splitlines()]


def test_what_was_raised_is_found_again(path: Path) -> None:
    with Journal(path) as journal:
        assert journal.value("a") == 0
        journal.raise_to("a", 7)
        journal.raise_to("b", 9, STRIDE)
        assert (journal.value("a"), journal.value("b")) == (7, 9)
    with Journal(path) as journal:
        assert (journal.value("a"), journal.value("b"), journal.value("c")) == (7, 9, 0)
        assert sorted(journal.names("")) == ["a", "b"]
        assert list(journal.names("b")) == ["b"]


def test_nothing_goes_back(path: Path) -> None:
    with Journal(path) as journal:
        journal.raise_to("a", 7)
        before = path.read_bytes()
        journal.raise_to("a", 6)
        journal.raise_to("a", 7, STRIDE)
        assert journal.value("a") == 7
        assert path.read_bytes() == before


def test_the_highest_of_several_lines_counts(path: Path) -> None:
    """KL-IC-15: where copies differ, the higher one."""
    with Journal(path) as journal:
        journal.raise_to("a", 7)
    low = b"3 3 a"
    with path.open("ab") as file:
        file.write(b"%08x %b\n" % (zlib.crc32(low), low))
    with Journal(path) as journal:
        assert journal.value("a") == 7


def test_a_killed_process_loses_nothing(path: Path, boot: list[str]) -> None:
    journal = Journal(path)
    journal.raise_to("a", 10, STRIDE)
    journal.raise_to("a", 12, STRIDE)
    abandon(journal)
    with Journal(path) as journal:
        assert journal.value("a") == 12
        journal.raise_to("a", 13, STRIDE)
        assert journal.value("a") == 13


def test_after_a_stop_of_the_machine_the_limit_is_found(path: Path, boot: list[str]) -> None:
    journal = Journal(path)
    journal.raise_to("a", 10, STRIDE)
    journal.raise_to("a", 12, STRIDE)
    journal.raise_to("b", 4)
    abandon(journal)
    boot.append("second")
    journal = Journal(path)
    assert (journal.value("a"), journal.value("b")) == (15, 4)
    abandon(journal)
    with Journal(path) as journal:
        assert journal.value("a") == 15, "also where the process ends at once"


def test_a_machine_that_stops_later_takes_nothing_away(path: Path, boot: list[str]) -> None:
    with Journal(path) as journal:
        journal.raise_to("a", 10, STRIDE)
    boot.append("second")
    with Journal(path) as journal:
        assert journal.value("a") == 10


def test_where_nothing_tells_runs_of_the_machine_apart(path: Path, boot: list[str]) -> None:
    """Then every end that was not in order counts as a stop of the machine."""
    boot.append("")
    journal = Journal(path)
    journal.raise_to("a", 10, STRIDE)
    abandon(journal)
    with Journal(path) as journal:
        assert journal.value("a") == 15


def test_this_machine_tells_its_runs_apart() -> None:
    assert under_test.this_boot() == under_test.this_boot() != ""


def test_without_boot_id(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(under_test, "_BOOT_ID", tmp_path / "none")
    assert under_test.this_boot() == ""


class Disk:
    """What of a file was on the disk when it was last waited for."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.certain = path.read_bytes()
        self.syncs = 0
        real = os.fsync

        def fsync(descriptor: int) -> None:
            real(descriptor)
            self.syncs += 1
            self.certain = path.read_bytes()

        monkeypatch.setattr(os, "fsync", fsync)


@settings(max_examples=40)  # each waits for the disk
@given(
    steps=st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(1, 40), st.sampled_from((0, STRIDE))),
        max_size=30,
    ),
    lost=st.integers(0, 2000),
)
def test_never_too_low_whatever_of_it_reached_the_disk(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]], lost: int
) -> None:
    """R-IC-7, KL-IC-14: the machine stops with any part of what was not waited for on the disk."""
    path = tmp_path_factory.mktemp("machine") / "journal"
    Journal.create(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(under_test, "this_boot", lambda: "first")
        disk = Disk(path, patch)
        journal = Journal(path, max_lines=12)
        taken = {"a": 0, "b": 0}
        for name, value, stride in steps:
            journal.raise_to(name, value, stride)
            taken[name] = max(taken[name], value)
        uncertain = path.read_bytes()[len(disk.certain) :]
        abandon(journal)
        path.write_bytes(disk.certain + uncertain[:lost])
        patch.setattr(under_test, "this_boot", lambda: "second")
        with Journal(path) as journal:
            for name, value in taken.items():
                assert value <= journal.value(name) <= value + STRIDE


def test_one_wait_for_the_disk_per_stride(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(path) as journal:
        disk = Disk(path, monkeypatch)
        for value in range(1, 10 * (STRIDE + 1) + 1):
            journal.raise_to("a", value, STRIDE)
        assert disk.syncs == 10
        journal.raise_to("b", 1)
        assert disk.syncs == 11


def test_the_size_is_bounded(path: Path) -> None:
    """However much is received: one line per number, and some in between."""
    longest = 0
    with Journal(path, max_lines=50) as journal:
        for value in range(1, 100):
            journal.raise_to("a", value)
            journal.raise_to("b", 2 * value)
            longest = max(longest, len(written(path)))
        assert 40 < longest <= 50
        assert (journal.value("a"), journal.value("b")) == (99, 198)
    with Journal(path) as journal:
        assert (journal.value("a"), journal.value("b")) == (99, 198)
        assert len(written(path)) == 3
    assert not path.with_name("meters.journal.new").exists()


def test_below_its_limit_a_number_takes_no_line(path: Path) -> None:
    with Journal(path) as journal:
        journal.raise_to("a", 1, 1000)
        before = path.read_bytes()
        for value in range(2, 1002):
            journal.raise_to("a", value, 1000)
        assert path.read_bytes() == before
        journal.raise_to("a", 1002, 1000)
        assert path.read_bytes() != before


def test_many_numbers_are_not_written_anew_with_every_one(path: Path) -> None:
    with Journal(path, max_lines=4) as journal:
        for number in range(20):
            journal.raise_to(f"n{number}", 1)
        for number in range(19):
            journal.raise_to(f"n{number}", 2)
        assert 21 < len(written(path)) <= 41


@pytest.mark.parametrize("count", [1, 255, 256, 257, 600])
def test_the_mapped_file_has_room_for_all(path: Path, boot: list[str], count: int) -> None:
    names = [f"n{number}" for number in range(count)]
    journal = Journal(path)
    for value, name in enumerate(names, 1):
        journal.raise_to(name, value, 10_000)
        journal.raise_to(name, value + 5, 10_000)
    abandon(journal)
    with Journal(path) as journal:
        assert [journal.value(name) for name in names] == [value + 6 for value in range(count)]


def test_the_file_is_private(path: Path) -> None:
    with Journal(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


# Files that are not right -------------------------------------------------------------------------


def test_a_file_that_is_missing_is_not_an_empty_one(tmp_path: Path) -> None:
    """R-IC-7, KL-IC-15: never 0 again."""
    path = tmp_path / "meters.journal"
    with pytest.raises(StoreError, match=r"meters\.journal is missing"):
        Journal(path)
    Journal.create(path)
    with pytest.raises(FileExistsError):
        Journal.create(path)


def damaged(octets: bytes) -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "zeros", bytes(len(octets))
    yield "json", b'{"a": 7}\n'
    yield "first line gone", octets.partition(b"\n")[2]
    for number in range(len(octets) - 1):
        changed = bytearray(octets)
        changed[number] ^= 1
        yield f"octet {number} changed", bytes(changed)


def test_a_damaged_file_is_refused(path: Path) -> None:
    """Every octet, and every line; and it stays as it was found."""
    with Journal(path) as journal:
        journal.raise_to("a", 7)
        journal.raise_to("b", 9)
    octets = path.read_bytes()
    cases = list(damaged(octets))
    assert len(cases) > 60
    for name, wrong in cases:
        path.write_bytes(wrong)
        with pytest.raises(StoreError, match=r"meters\.journal is damaged in line \d"):
            pytest.fail(f"{name}: {Journal(path)}")
        assert path.read_bytes() == wrong
    path.write_bytes(octets)
    with Journal(path) as journal:
        assert journal.value("b") == 9


@pytest.mark.parametrize("text", ["x 7 a", "7 x a", "-1 7 a", "maybe 7", "7"])
def test_a_line_that_says_nothing(path: Path, text: str) -> None:
    with path.open("ab") as file:
        file.write(b"%08x %b\n" % (zlib.crc32(text.encode()), text.encode()))
    with pytest.raises(StoreError, match="damaged in line 2"):
        Journal(path)


def test_half_a_line_at_the_end_was_relied_on_by_nothing(path: Path, boot: list[str]) -> None:
    journal = Journal(path)
    journal.raise_to("a", 7)
    journal.raise_to("a", 8)
    abandon(journal)
    octets = path.read_bytes()
    last = octets.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(octets)):
        path.write_bytes(octets[:end])
        journal = Journal(path)
        assert journal.value("a") == 7
        abandon(journal)


# One writer ---------------------------------------------------------------------------------------


def test_a_second_writer_is_refused(path: Path) -> None:
    with Journal(path) as journal:
        with pytest.raises(StoreError, match="in use by another process"):
            Journal(path)
        journal.raise_to("a", 7)
    with Journal(path) as journal:
        assert journal.value("a") == 7


def test_a_file_that_was_refused_is_not_locked(path: Path) -> None:
    good = path.read_bytes()
    path.write_bytes(b"")
    for _ in range(2):
        with pytest.raises(StoreError, match="damaged"):
            Journal(path)
    path.write_bytes(good)
    Journal(path).close()


def test_closing_twice_closes_once(path: Path) -> None:
    journal = Journal(path)
    journal.close()
    octets = path.read_bytes()
    journal.close()
    assert path.read_bytes() == octets
    with pytest.raises(StoreError, match="nothing can be written"):
        journal.raise_to("a", 1)


_RAISE = """
import sys
from pathlib import Path
from emulator.journal import Journal
journal = Journal(Path(sys.argv[1]))
for value in range(1, 10**9):
    journal.raise_to("a", value, 64)
    print(value, flush=True)
"""


def test_a_process_that_is_killed_has_kept_what_it_said(path: Path) -> None:
    """The real thing: SIGKILL in the middle, and its lock goes with it."""
    with subprocess.Popen(
        [sys.executable, "-c", _RAISE, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [next(process.stdout) for _ in range(200)]
        with pytest.raises(StoreError, match="in use"):
            Journal(path)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    said = int(lines[-1] if lines[-1].endswith("\n") else lines[-2])
    with Journal(path) as journal:
        # One may have been taken down and not said any more.
        assert journal.value("a") in (said, said + 1)


# A disk that fails --------------------------------------------------------------------------------


def full(*arguments: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_what_cannot_be_written_is_not_taken(
    path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is from then on, for nobody knows what is in the file."""
    journal = Journal(path)
    journal.raise_to("a", 7)
    journal.raise_to("below its limit", 1, STRIDE)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(StoreError, match="No space left"):
            journal.raise_to("a", 8)
    assert journal.value("a") == 7
    for name in ("a", "below its limit"):
        with pytest.raises(StoreError, match="nothing can be written"):
            journal.raise_to(name, 9 if name == "a" else 2)
    journal.close()
    with Journal(path) as journal:
        assert journal.value("a") in (7, 8)


def test_half_a_line_written_is_an_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path)
    journal.raise_to("a", 7)
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, octets: real(file, octets[:5]))
        with pytest.raises(StoreError, match="no room"):
            journal.raise_to("a", 8)
    with pytest.raises(StoreError, match="nothing can be written"):
        journal.raise_to("a", 9)
    journal.close()
    with Journal(path) as journal:
        assert journal.value("a") == 7


@pytest.mark.parametrize("call", ["open", "fsync"])
def test_a_file_that_cannot_be_written_anew(
    path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(path, max_lines=3)
    journal.raise_to("a", 1)
    journal.raise_to("a", 2)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(StoreError, match="No space left"):
            journal.raise_to("a", 3)
    journal.close()
    with Journal(path) as journal:
        assert journal.value("a") in (2, 3)


def test_no_room_for_the_mapped_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reserved beforehand: to write to a page that has none would end the process."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(StoreError, match="No space left"):
            Journal(path)
    Journal(path).close()


# The mapped file ----------------------------------------------------------------------------------

WORSE: dict[str, Any] = {
    "missing": None,
    "empty": lambda octets: b"",
    "cut": lambda octets: octets[:15],
    "zeros": lambda octets: bytes(len(octets)),
    "one half": lambda octets: bytes(8) + octets[8:],
    "other half": lambda octets: octets[:8] + bytes(8),
    "beyond the limit": lambda octets: struct.pack("=QQ", 16, 16 ^ (2**64 - 1)),
}


@pytest.mark.parametrize("worse", WORSE.values(), ids=list(WORSE))
def test_a_mapped_file_that_is_not_right_counts_for_nothing(
    path: Path, boot: list[str], worse: Any
) -> None:
    """Then the limit is taken, so nothing is too low."""
    journal = Journal(path)
    journal.raise_to("a", 10, STRIDE)
    journal.raise_to("a", 12, STRIDE)
    abandon(journal)
    exact = path.with_name("meters.journal.exact")
    assert stat.S_IMODE(exact.stat().st_mode) == 0o600
    octets = exact.read_bytes()
    exact.unlink()
    if worse is not None:
        exact.write_bytes(worse(octets))
    with Journal(path) as journal:
        assert journal.value("a") == 15


def test_a_mapped_file_of_before_the_last_line(path: Path, boot: list[str]) -> None:
    """The process ended between the line and its place in memory: the line is newer."""
    journal = Journal(path)
    journal.raise_to("a", 1, STRIDE)
    octets = path.with_name("meters.journal.exact").read_bytes()
    journal.raise_to("a", 10, STRIDE)
    abandon(journal)
    path.with_name("meters.journal.exact").write_bytes(octets)
    with Journal(path) as journal:
        assert journal.value("a") == 10


def test_what_is_mapped_is_in_the_file_when_it_is_closed(path: Path, boot: list[str]) -> None:
    with Journal(path) as journal:
        journal.raise_to("a", 1, STRIDE)
        journal.raise_to("a", 3, STRIDE)
    path.with_name("meters.journal.exact").unlink()
    boot.append("second")
    with Journal(path) as journal:
        assert journal.value("a") == 3


# A process that ends in the middle of one number ----------------------------------------------


class Killed(BaseException):
    """Here the process ends."""


@pytest.mark.parametrize("others", [0, 3, 255, 256, 257])
def test_killed_while_it_waits_for_the_first_line_of_a_name(
    path: Path, boot: list[str], monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """Its limit is in the file, and it is found exactly all the same, wherever it is mapped."""
    with Journal(path) as journal:
        for number in range(others):
            journal.raise_to(f"{number}", 7)
    journal = Journal(path)

    def killed(descriptor: int) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", killed)
        with pytest.raises(Killed):
            journal.raise_to("a", 10, STRIDE)
    abandon(journal)
    with Journal(path) as journal:
        assert journal.value("a") == 10
        assert {journal.value(f"{number}") for number in range(others)} <= {7}


# Numbers that are dropped -----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["closed", "killed", "stopped"])
def test_dropped_names_are_gone_and_the_others_are_not(
    path: Path, boot: list[str], how: str
) -> None:
    journal = Journal(path)
    for number, name in enumerate("abcd", 1):
        journal.raise_to(name, number, STRIDE)
        journal.raise_to(name, 2 * number, STRIDE)
    journal.drop(["a", "c", "nobody"])
    if how == "closed":
        journal.close()
    else:
        abandon(journal)
    if how == "stopped":
        boot.append("second")
    with Journal(path) as journal:
        assert list(journal.names("")) == ["b", "d"]
        assert (journal.value("a"), journal.value("b"), journal.value("d")) == (0, 4, 8)


def test_what_comes_after_a_dropped_name_is_not_taken_for_it(path: Path, boot: list[str]) -> None:
    """It is mapped where that was."""
    journal = Journal(path)
    for name in "abc":
        journal.raise_to(name, 900, 2 * STRIDE)
    journal.drop(["a", "b"])
    assert journal._exact[16:] == bytes(len(journal._exact) - 16)
    journal.raise_to("d", 1, 1000)
    journal.raise_to("c", 903, 1000)
    abandon(journal)
    with Journal(path) as journal:
        assert (journal.value("c"), journal.value("d")) == (903, 1)
        journal.raise_to("d", 5, 1000)
        assert journal.value("d") == 5


@pytest.mark.parametrize("when", ["rewritten", "mapped"])
def test_killed_while_names_are_dropped(
    path: Path, boot: list[str], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    journal = Journal(path)
    for number, name in enumerate("abcd", 1):
        journal.raise_to(name, number, STRIDE)
        journal.raise_to(name, 2 * number, STRIDE)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_rewrite" if when == "rewritten" else "_map", killed)
        with pytest.raises(Killed):
            journal.drop(["a"])
    abandon(journal)
    with Journal(path) as journal:
        assert [journal.value(name) for name in "bcd"] == [4, 6, 8]
        assert journal.value("a") == (2 if when == "rewritten" else 0)


def test_nothing_is_dropped_when_nothing_can_be_written(path: Path) -> None:
    journal = Journal(path)
    journal.raise_to("a", 1)
    journal.close()
    with pytest.raises(StoreError):
        journal.drop(["a"])
    with Journal(path) as journal:
        assert journal.value("a") == 1
