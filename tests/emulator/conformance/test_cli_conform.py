"""``cosemlab conform``: the catalogue as people and programs see it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from emulator.cli.failures import Exit
from emulator.cli.main import main
from emulator.conformance import DISCLAIMER, built_in

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``conform``; give its exit status and what it prints."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["conform", *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_list(command: Command) -> None:
    status, out, err = command("list")
    assert (status, err) == (Exit.DONE, "")
    lines = out.splitlines()
    for check in built_in():
        rows = [line for line in lines if line.split("  ")[0] == check.id]
        assert len(rows) == 1
        assert check.origin.value in rows[0]
        assert rows[0].endswith(check.title)
    assert lines[-1] == f"{len(built_in())} checks. {DISCLAIMER}"


def test_list_of_a_group(command: Command) -> None:
    status, out, _ = command("list", "--group", "symsec")
    assert status == Exit.DONE
    assert out.startswith("symsec: Security suite 0 (DLMS UA 1001-6")
    assert "15 checks." in out
    assert "HDLC" not in out


def test_list_as_json(command: Command) -> None:
    status, out, _ = command("list", "--json", "--group", "appl")
    found = json.loads(out)
    assert status == Exit.DONE
    assert found["note"] == DISCLAIMER
    assert [one["id"] for one in found["checks"]] == [one.id for one in built_in().of_group("appl")]
    (version,) = [one for one in found["checks"] if one["id"] == "APPL_OPEN_12"]
    assert version["origin"] == "official id"
    assert version["evidence"] == {
        "purpose": ["S1"],
        "steps": ["S2"],
        "clause": ["S4", "protocol"],
    }
    assert version["applies"] == "server"
    seven = version["steps"][1]
    assert (seven["name"], seven["subtest"]) == ("seven", None)
    strict, _, lenient = seven["answers"]
    assert (strict["name"], strict["detail"], strict["verdict"], strict["reason"]) == (
        "accepted", "with version 6", "STRICT", None,
    )  # fmt: skip
    assert lenient["verdict"] == "NON_STRICT"
    assert lenient["reason"]


def test_explain(command: Command) -> None:
    status, out, _ = command("explain", "t_hdlc_frame_p3")
    assert status == Exit.DONE
    assert "official id, of DLMS UA 1001-3, ATS_DL V5.0" in out
    assert "T_HDLC_FRAME_P3" in out
    assert "server and hdlc and hdlc.inactivity > 0" in out
    assert "hdlc.inactivity: inactivity_time_out in seconds" in out
    assert "2. ended: RR, or DISC\n   STRICT  dm: DM\n" in out
    assert out.rstrip().endswith(DISCLAIMER)


def test_explain_says_what_is_derived(command: Command) -> None:
    _, out, _ = command("explain", "X_STATE_HLS_PENDING")
    assert "derived, no official test; near APPL_OPEN_3" in out
    _, out, _ = command("explain", "X_WPDU_VER")
    assert "derived, no official test\n" in out
    _, out, _ = command("explain", "COSEM_X_Y")
    assert "official procedure, the name is ours, of DLMS UA 1001-6" in out


def test_explain_what_is_lenient_and_what_is_not_known(command: Command) -> None:
    _, out, _ = command("explain", "APPL_OPEN_9")
    assert "NON_STRICT  accepted (and the key is not used): " in out
    assert ", because practice differs" in out
    _, out, _ = command("explain", "TLS_A2_FR_01")
    assert "Which steps it has is not known.\n" in out


def test_explain_several(command: Command) -> None:
    status, out, _ = command("explain", "X_GET_BLOCK")
    assert status == Exit.DONE
    assert out.startswith("X_GET_BLOCK: 3 checks begin so\n")
    _, out, _ = command("explain", "hdlc_1")
    assert out.startswith("hdlc_1: CTT 1.x, Subtest_0 to Subtest_12")
    status, out, _ = command("explain", "HDLC_2", "--json")
    assert len(json.loads(out)["checks"]) == 3


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("explain", "APPL_OPN_4"), "no check 'APPL_OPN_4' (did you mean 'APPL_OPEN_4'?)"),
        (("list", "--group", "symsek"), "no group 'symsek' (did you mean 'symsec'?)"),
    ],
)
def test_what_is_not_there(command: Command, arguments: tuple[str, ...], line: str) -> None:
    status, out, err = command(*arguments)
    assert (status, out) == (Exit.USAGE, "")
    assert err.startswith(f"cosemlab: {line}")
    assert err.count("\n") == 1
