"""Every expected failure: one line on stderr, and the exit status of its kind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from devices.profile import ProfileError
from devices.profile.place import Place
from dlms.client.refusals import AccessRefused, AssociationRejected
from dlms.errors import CodecError, DlmsError, LocalProtocolError, RemoteProtocolError
from dlms.security.counters import CounterTooLow
from dlms.security.ops import KeyUnavailable, OperationRefused, VerificationFailed
from dlms.xdlms.codes import ActionResult
from emulator.channel import ChannelClosed
from emulator.cli.failures import Exit, guard, run
from emulator.database import DatabaseError
from emulator.head_end.services import InstructionRefused
from emulator.products.errors import NotAllowed, ProductsError
from emulator.workspace import WorkspaceError

FAILURES = [
    (OperationRefused("G2.44(c) needs Level 3"), Exit.POLICY),
    (AccessRefused("action", ActionResult.OTHER_REASON), Exit.FAILED),
    (AssociationRejected("no"), Exit.FAILED),
    (InstructionRefused("not yours"), Exit.FAILED),
    (RemoteProtocolError("plain APDU"), Exit.PROTOCOL),
    (LocalProtocolError("used up"), Exit.PROTOCOL),
    (CounterTooLow(1, 2), Exit.PROTOCOL),
    (CodecError("octets left over", offset=3, field="AARE"), Exit.PROTOCOL),
    (VerificationFailed("tag"), Exit.PROTOCOL),
    (KeyUnavailable("no key"), Exit.PROTOCOL),
    (DlmsError("anything"), Exit.PROTOCOL),
    (WorkspaceError("no sandbox"), Exit.USAGE),
    (DatabaseError("no database"), Exit.USAGE),
    (ProductsError("no date"), Exit.USAGE),
    (NotAllowed("asked for already"), Exit.FAILED),
    (ProfileError(Place("x.toml", ()), "wrong"), Exit.USAGE),
    (PermissionError("others must have no access"), Exit.USAGE),
    (ValueError("0 pounds"), Exit.USAGE),
    (TimeoutError(), Exit.CONNECTION),
    (TimeoutError("handshake"), Exit.CONNECTION),
    (ChannelClosed("meter closed the connection"), Exit.CONNECTION),
    (ConnectionRefusedError(111, "Connection refused"), Exit.CONNECTION),
    (ConnectionResetError(), Exit.CONNECTION),
]


async def fail(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(("error", "status"), FAILURES, ids=lambda value: type(value).__name__)
def test_kind_and_line(
    error: BaseException, status: Exit, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(fail(error)) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("cosemlab: ")
    assert len(line) > len("cosemlab: ")


def test_a_profile_with_several_faults_has_a_line_for_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = Place("x.toml")
    error = ProfileError(place.at("a"), "wrong", [place.at("b").error("wrong, too")])
    assert run(fail(error)) == Exit.USAGE
    assert capsys.readouterr().err.splitlines() == [
        "cosemlab: x.toml: a: wrong",
        "cosemlab: x.toml: b: wrong, too",
    ]


def test_the_statuses_are_what_the_help_says() -> None:
    assert [(exit.name, exit.value) for exit in Exit] == [
        ("DONE", 0),
        ("FAILED", 1),
        ("USAGE", 2),
        ("CONNECTION", 3),
        ("PROTOCOL", 4),
        ("POLICY", 5),
        ("INTERRUPTED", 130),
    ]


def test_no_answer_in_time(capsys: pytest.CaptureFixture[str]) -> None:
    run(fail(TimeoutError()))
    assert capsys.readouterr().err == "cosemlab: no answer in time\n"


def test_an_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fail(KeyboardInterrupt())) == Exit.INTERRUPTED
    assert capsys.readouterr().err == ""


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run(fail(ZeroDivisionError()))


def test_a_reader_that_has_seen_enough() -> None:
    """``cosemlab policy table | head``: no error, and not done."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "emulator.cli.main", "policy", "table"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (Exit.FAILED, b"")


def test_a_connection_that_breaks_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks() -> int:
        raise BrokenPipeError(32, "Broken pipe")

    assert guard(breaks) == Exit.CONNECTION
    assert capsys.readouterr().err == "cosemlab: [Errno 32] Broken pipe\n"
