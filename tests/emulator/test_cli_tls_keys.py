"""``cosemlab tls-keys``: what this platform can, in words and as JSON."""

from __future__ import annotations

import json
import ssl

import pytest

from emulator.cli import tls_keys
from emulator.cli.main import main


def test_it_can(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tls-keys"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("TLS can use a private key that is in a module: CPython 3.")
    assert ssl.OPENSSL_VERSION in told.out
    assert told.err == ""


def test_it_can_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tls-keys", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["usable"], told["why"]) == (True, None)


def test_it_cannot(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_keys, "why_not", lambda: "Python 3.99 is not verified")
    assert main(["tls-keys"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(
        "cosemlab: TLS cannot use a private key that is in a module: Python 3.99 is not verified ("
    )
    assert told.err.count("\n") == 1
    assert main(["tls-keys", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["why"] == "Python 3.99 is not verified"
