"""``cosemlab decode``."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("scapy")

from emulator.cli.failures import Exit
from emulator.cli.main import main

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"
GET = "C001C100080000010000FF0200"


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys.toml"
    path.touch(0o600)
    path.write_bytes((CAPTURES / "keys.toml").read_bytes())
    return str(path)


def test_octets_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", GET]) == Exit.DONE
    out = capsys.readouterr().out
    assert "get-request-normal 8 (Clock) 0-0:1.0.0.255 (clock) 2 (time)" in out
    assert "    5  00 00 01 00 00 FF" in out


def test_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(GET.encode())))
    assert main(["decode", "-"]) == Exit.DONE
    assert "standard input" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["wrapper", "hdlc", "tls"])
def test_our_captures(name: str, keys: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(CAPTURES / f"{name}.pcapng")
    assert main(["decode", path, "--keys", keys, "--strict", "--summary"]) == Exit.DONE
    out = capsys.readouterr().out
    assert "authentication tag verified" in out
    assert "== associated" in out
    secret = next(line for line in Path(keys).read_text().splitlines() if "guek" in line)
    assert secret.split('"')[1].lower() not in out.lower()


def test_without_keys(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(CAPTURES / "wrapper.pcapng")
    assert main(["decode", path]) == Exit.DONE
    assert main(["decode", path, "--strict"]) == Exit.FAILED
    assert "stays closed: no key for it" in capsys.readouterr().out


def test_json_of_one_conversation(keys: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(CAPTURES / "wrapper.pcapng")
    assert main(["decode", path, path, "--keys", keys, "--json", "--follow", "2"]) == Exit.DONE
    (found,) = json.loads(capsys.readouterr().out)["conversations"]
    assert found["conversation"] == 2
    layers = [layer for one in found["messages"] for layer in one["layers"]]
    assert {layer["verified"] for layer in layers} == {True, None}
    assert all(layer["fields"][0]["name"] == "tag" for layer in layers)


def test_frames(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", str(CAPTURES / "hdlc.pcapng"), "--frames", "--follow", "1"]) == Exit.DONE
    out = capsys.readouterr().out
    assert "max. information field, transmit: 256" in out
    assert "FCS: right" in out


def test_what_cannot_be_decoded(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "C0FFC1DEADBEEF"]) == Exit.FAILED
    assert "choice 255 is unknown at octet 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.pcap"], "'nothing.pcap' is no file, and as octets: octets, line 1: 'n' is no"),
        ([GET, "--follow", "2"], "there is no conversation 2, but 1"),
        ([GET, "--keys", str(CAPTURES / "keys.toml")], "others must have no access"),
    ],
)
def test_misuse(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if "--keys" in arguments:
        path = tmp_path / "keys.toml"
        path.write_text("")
        path.chmod(0o644)
        arguments = [*arguments[:-1], str(path)]
    assert main(["decode", *arguments]) == Exit.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1


def test_a_title_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["decode", GET, "--title", "12"])
    assert stopped.value.code == Exit.USAGE
    assert "16 hexadecimal digits" in capsys.readouterr().err


def test_scapy_says_nothing_and_is_not_imported_for_octets() -> None:
    code = (
        "import sys; from emulator.cli.main import main; main(['decode', sys.argv[1]]);"
        "print(sorted(name for name in sys.modules if name == 'scapy'))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, GET],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.endswith("[]\n")
    assert done.stderr == ""
