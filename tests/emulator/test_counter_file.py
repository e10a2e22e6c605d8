"""Counters in a file: never one twice, whatever happens to the process."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devices.token import MAX_COUNTER
from dlms.errors import LocalProtocolError
from dlms.security.counters import MAXIMUM
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.counter_file import BLOCK, CounterFile, FiledCounters, FiledTokenCounters
from emulator.journal import StoreError

METER = b"ACL\x13\0\0\0\1"
GUEK = KeyRef(METER, "s1sp", KeyKind.GUEK)
OTHER = GUEK._replace(scope="dco")
DEDICATED = KeyRef(METER, "s1sp", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION, 1)


@pytest.fixture
def file(tmp_path: Path) -> CounterFile:
    return CounterFile(tmp_path / "counters.json")


def test_reservations_follow_each_other(file: CounterFile) -> None:
    assert file.reserve("a", 0, 10) == 0
    assert file.reserve("a", 0, 1) == 10
    assert file.reserve("a", 0, 1) == 11


def test_none_is_below_what_is_asked_for(file: CounterFile) -> None:
    assert file.reserve("a", 100, 5) == 100
    assert file.reserve("a", 50, 5) == 105
    assert file.reserve("a", 110, 5) == 110


def test_names_do_not_touch_each_other(file: CounterFile) -> None:
    file.reserve("a", 0, 10)
    assert file.reserve("b", 0, 10) == 0
    assert file.reserve("a", 0, 1) == 10


def test_another_instance_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    assert CounterFile(path).reserve("a", 0, 7) == 0
    assert CounterFile(path).reserve("a", 0, 7) == 7
    assert json.loads(path.read_text()) == {"a": 14}


def test_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    CounterFile(path).reserve("a", 0, 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_shorter_text_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    path.write_text(json.dumps({"a": 5}, indent=100))
    assert CounterFile(path).reserve("a", 0, 1) == 5
    assert json.loads(path.read_text()) == {"a": 6}


DAMAGED = {
    "empty": "",
    "cut short": '{"a": ',
    "a list": '["a", 1]',
    "no number": '{"a": "1"}',
    "a truth": '{"a": true}',
    "octets": "\0\0\0\0",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_file_stops_everything(tmp_path: Path, text: str) -> None:
    """KL-IC-15: better no message than a counter that may have been used; never 0 again."""
    path = tmp_path / "counters.json"
    path.write_text(text)
    with pytest.raises(StoreError, match=r"counters\.json is damaged"):
        CounterFile(path).reserve("a", 0, 1)
    with pytest.raises(StoreError):
        FiledCounters(CounterFile(path)).burn(GUEK)
    assert path.read_text() == text


def test_the_file_is_whole_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-IC-7: at each wait for the disk the file has the old numbers or the new ones."""
    path = tmp_path / "counters.json"
    file = CounterFile(path)
    file.reserve("a", 0, 5)
    seen = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        seen.append(json.loads(path.read_text()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    file.reserve("a", 0, 5)
    assert seen == [{"a": 5}, {"a": 10}], "the new file, then its name"


def test_a_process_that_ends_while_it_writes_leaves_the_old_numbers(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    CounterFile(path).reserve("a", 0, 5)
    (tmp_path / "counters.json.new").write_text('{"a": 1')
    assert CounterFile(path).reserve("a", 0, 1) == 5


_RESERVE = """
import sys
from pathlib import Path
from emulator.counter_file import CounterFile
file = CounterFile(Path(sys.argv[1]))
sys.stdin.readline()
for _ in range(200):
    print(file.reserve("a", 0, 3))
"""


def test_two_processes_never_overlap(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _RESERVE, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:  # both are up before either begins
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    firsts = []
    for process in processes:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        firsts += [int(line) for line in out.split()]
    assert sorted(firsts) == list(range(0, 1200, 3))


# Invocation counters ------------------------------------------------------------------------------


def test_no_counter_comes_again_in_another_instance(file: CounterFile) -> None:
    """As if the process had ended in the middle, again and again."""
    seen: list[int] = []
    for count in (1, 0, BLOCK, BLOCK + 1, 3):
        counters = FiledCounters(file)
        seen += [counters.burn(GUEK) for _ in range(count)]
    assert len(seen) == len(set(seen)) == 2 * BLOCK + 5
    assert seen == sorted(seen)


def test_two_instances_at_once(file: CounterFile) -> None:
    one, two = FiledCounters(file), FiledCounters(file)
    seen = [counters.burn(GUEK) for _ in range(3 * BLOCK) for counters in (one, two)]
    assert len(seen) == len(set(seen))


def test_one_write_for_a_block(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    counters = FiledCounters(CounterFile(path))
    counters.burn(GUEK)
    written = path.read_text()
    assert json.loads(written) == {str(GUEK): BLOCK}
    for _ in range(BLOCK - 1):
        counters.burn(GUEK)
    assert path.read_text() == written
    counters.burn(GUEK)
    assert json.loads(path.read_text()) == {str(GUEK): 2 * BLOCK}


def test_a_counter_moved_forward_is_respected(file: CounterFile) -> None:
    counters = FiledCounters(file)
    counters.raise_to(GUEK, 1000)
    assert counters.burn(GUEK) == 1000
    counters.raise_to(GUEK, 1010)
    assert counters.burn(GUEK) == 1010
    counters.raise_to(GUEK, 5000)  # beyond what is reserved
    assert counters.burn(GUEK) == 5000
    assert FiledCounters(file).burn(GUEK) == 5000 + BLOCK


def test_each_key_counts_for_itself(file: CounterFile) -> None:
    counters = FiledCounters(file)
    assert [counters.burn(GUEK), counters.burn(OTHER), counters.burn(GUEK)] == [0, 0, 1]
    rotated = GUEK._replace(version=1)
    assert counters.burn(rotated) == 0


def test_a_dedicated_key_is_not_worth_a_file(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    counters = FiledCounters(CounterFile(path))
    assert [counters.burn(DEDICATED) for _ in range(3)] == [0, 1, 2]
    assert not path.exists()


def test_a_key_that_is_used_up(file: CounterFile) -> None:
    counters = FiledCounters(file)
    counters.raise_to(GUEK, MAXIMUM - 1)
    assert counters.burn(GUEK) == MAXIMUM - 1
    for again in (counters, FiledCounters(file)):
        with pytest.raises(LocalProtocolError, match="used up"):
            again.burn(GUEK)


# Token counters -----------------------------------------------------------------------------------


def test_no_token_counter_comes_again(file: CounterFile) -> None:
    seen = []
    for _ in range(3):
        tokens = FiledTokenCounters(file)
        seen += [tokens.burn(METER) for _ in range(4)]
    assert seen == list(range(12))
    assert FiledTokenCounters(file).burn(b"another!") == 0


def test_tokens_and_messages_count_apart(file: CounterFile) -> None:
    FiledCounters(file).burn(GUEK)
    assert FiledTokenCounters(file).burn(METER) == 0


def test_a_token_key_that_is_used_up(file: CounterFile) -> None:
    file.reserve(f"{METER.hex().upper()}/token", 0, MAX_COUNTER)
    tokens = FiledTokenCounters(file)
    assert tokens.burn(METER) == MAX_COUNTER
    with pytest.raises(LocalProtocolError, match="used up"):
        tokens.burn(METER)
