"""Tokens of SoftHSM, each for one test."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from emulator.modules.keyring import scope_secrets
from emulator.modules.pkcs11 import softhsm
from emulator.modules.pkcs11.preparing import prepare
from emulator.modules.pkcs11.token import Token

FLEET = b"a fleet secret that nobody knows"
PIN = "1234 of the tests"
OFFICER = "5678 of the tests"


class Made(NamedTuple):
    """A token that was made for the test, and ways to get at it."""

    label: str
    library: Path
    tokens: Path
    secrets: dict[str, bytes]
    open: Callable[..., Token]


@pytest.fixture
def made(softhsm_folder: Path) -> Iterator[Made]:
    library = softhsm.find_library()
    label = f"test {randomness.token_hex(6)}"
    softhsm.make_token(library, label, PIN, OFFICER)
    opened: list[Token] = []

    def open(pin: Callable[[], str] = lambda: PIN, serial: str = "") -> Token:
        opened.append(Token(library=library, label=label, pin=pin, serial=serial))
        return opened[-1]

    secrets = scope_secrets(FLEET, ["s1sp", "store of S1SP"])
    prepare(open(), secrets)
    opened.pop().close()
    yield Made(label, library, softhsm_folder / "tokens", secrets, open)
    for token in opened:
        token.close()
