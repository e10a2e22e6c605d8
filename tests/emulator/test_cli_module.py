"""The command ``module``: tokens of SoftHSM, and of whoever brings one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Seal, Use
from emulator.cli.failures import Exit
from emulator.cli.main import main
from emulator.module_file import ModuleFile
from emulator.modules.keyring import KeyRing
from emulator.modules.pkcs11 import softhsm
from emulator.modules.pkcs11.library import library
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.workspace import Workspace

METER = b"ACL\x13\0\0\0\1"
PIN = "a PIN that is nobody's business"


@pytest.fixture
def folder(tmp_path: Path, softhsm_folder: Path) -> Path:
    return tmp_path / "workspace"


@pytest.fixture
def command(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """``command(...)``: exit status, output and errors of ``cosemlab module ...``."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["module", *arguments, "--workspace", str(folder)])
        return status, *capsys.readouterr()

    return run


def test_tokens_are_made_and_each_party_has_its_own_keys(command: Any, folder: Path) -> None:
    assert "no tokens" in command("list")[1]
    status, out, _ = command("init", "--json")
    assert status == Exit.DONE
    made = {row["party"]: row for row in json.loads(out)}
    assert made["DCO"]["new"] == [
        "cosemlab scope dco",
        "cosemlab scope store of DCO",
        "cosemlab scope requests of DCO",
        "cosemlab storage key",
    ]
    assert "cosemlab scope s1sp" in made["S1SP"]["new"]
    workspace = Workspace(folder)
    for actor, scope in ((Actor.S1SP, "s1sp"), (Actor.DCO, "dco")):
        module = workspace.modules.open(workspace.modules.rows()[actor], None, lambda ref: 0)
        op = Seal(
            Use.ASSOCIATION, KeyRef(METER, scope, KeyKind.GUEK), None, 0x30, METER, 1, b"payload"
        )
        software = SoftwareModule(KeyRing(workspace.fleet_secret))
        assert module.execute(op) == software.execute(op)
        module.close()
    again = json.loads(command("init", "--json")[1])
    assert [(row["token"], row["new"]) for row in again] == [
        (row["token"], []) for row in made.values()
    ]


def test_what_a_token_is(command: Any, folder: Path) -> None:
    command("init", "--party", "dco")
    status, out, _ = command("check", "--json")
    assert status == Exit.DONE
    (row,) = json.loads(out)
    assert row["party"] == "DCO"
    assert row["emulated"] is True
    assert row["class"] == "FIPS 140-2 Level 3"
    assert row["lacks"] == ["Digest of a secret (C_DigestKey with CKM_MD5)"]
    assert "emulated        yes" in command("check")[1]
    (listed,) = json.loads(command("list", "--json")[1])
    assert row["module"] == f"SoftHSM ({listed['token']})"
    assert "cosemlab dco" in command("list")[1]


def test_pins_are_private_and_shown_nowhere(command: Any, folder: Path) -> None:
    shown = "".join("".join(command(*what)[1:]) for what in (["init"], ["list"], ["check"]))
    pins = sorted((folder / "modules").iterdir())
    assert len(pins) == 4
    for path in pins:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text() not in shown
        assert path.read_text() not in (folder / "modules.json").read_text()
    assert len({path.read_text() for path in pins}) == 4


def test_a_token_of_a_vendor(
    command: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Any library will do, for example this one."""
    path = str(softhsm.find_library())
    label = f"vendor {tmp_path.name[-20:]}"
    softhsm.make_token(softhsm.find_library(), label, PIN, PIN)
    vendor = ("init", "--library", path, "--label", label, "--pin-env", "VENDOR_PIN")
    for missing, why in (
        (vendor, "give --party"),
        (("init", "--library", path, "--party", "dco"), "give --label or --serial"),
        (("init", "--library", path, "--party", "dco", "--label", label), "give --pin-file"),
    ):
        status, _, err = command(*missing)
        assert (status, err.count("\n")) == (Exit.USAGE, 1)
        assert why in err
    status, _, err = command(*vendor, "--party", "dco")
    assert (status, "VENDOR_PIN" in err) == (Exit.CONNECTION, True)
    assert ModuleFile(folder).rows() == {}
    monkeypatch.setenv("VENDOR_PIN", PIN)
    status, out, _ = command(*vendor, "--party", "dco", "--class", "G2_45")
    assert status == Exit.DONE
    assert "cosemlab storage key" in out
    (row,) = json.loads(command("check", "--json")[1])
    assert row["class"] == "Information Classification Scheme"
    assert row["emulated"] is True
    status, _, err = command(*vendor, "--party", "dco")
    assert (status, "has a token already" in err) == (Exit.USAGE, True)


def test_a_token_of_another_fleet_is_left_alone(
    command: Any, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label = f"fleet {tmp_path.name[-20:]}"
    softhsm.make_token(softhsm.find_library(), label, PIN, PIN)
    pin = tmp_path / "pin"
    pin.touch(0o600)
    pin.write_text(PIN)
    vendor = ["init", "--library", str(softhsm.find_library()), "--label", label]
    vendor += ["--pin-file", str(pin), "--party", "dco"]
    assert command(*vendor)[0] == Exit.DONE
    other = ["module", *vendor, "--workspace", str(tmp_path / "other")]
    assert main(other) == Exit.USAGE
    assert "another secret for the scope 'dco'" in capsys.readouterr().err


def test_what_goes_wrong_is_one_line(command: Any, folder: Path) -> None:
    status, _, err = command("check")
    assert (status, err.count("\n")) == (Exit.USAGE, 1)
    assert "cosemlab module init" in err
    command("init", "--party", "dco")
    (pin,) = (folder / "modules").glob("*.pin")
    pin.chmod(0o640)
    status, _, err = command("check")
    assert (status, err.count("\n")) == (Exit.CONNECTION, 1)
    assert str(pin) in err
    pin.chmod(0o600)
    pin.write_text("wrong")
    status, _, err = command("check")
    assert (status, "refuses the PIN" in err) == (Exit.CONNECTION, True)
    document = json.loads((folder / "modules.json").read_text())
    document["DCO"]["library"] = str(folder / "gone.so")
    (folder / "modules.json").write_text(json.dumps(document))
    status, _, err = command("check")
    assert (status, "gone.so" in err) == (Exit.CONNECTION, True)
    document["DCO"].pop("label")
    (folder / "modules.json").write_text(json.dumps(document))
    status, _, err = command("check")
    assert (status, "modules.json is damaged: DCO" in err) == (Exit.USAGE, True)


def test_no_session_is_left(command: Any, folder: Path) -> None:
    command("init")
    command("check")
    loaded = library(softhsm.find_library())
    assert loaded._connected == set()
