"""Where a PIN comes from: a file that only its owner may read, or the environment. Never from a
command line, which everybody on the machine can read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from tls.files import read_private

PinSource: TypeAlias = Callable[[], str]
"""Reads the PIN anew each time: it is in memory for as long as it is presented."""


class PinMissing(ValueError):
    """There is no PIN where it should be."""


def pin_in_file(path: Path) -> PinSource:
    """``PermissionError`` when it is read, if others may read the file too."""
    return partial(_from_file, path)


def pin_in_environment(name: str) -> PinSource:
    return partial(_from_environment, name)


def _from_file(path: Path) -> str:
    try:
        pin = read_private(path).decode().strip()
    except FileNotFoundError:
        raise PinMissing(f"there is no PIN file {path}") from None
    except UnicodeDecodeError:
        raise PinMissing(f"{path} is no PIN: it is not UTF-8") from None
    if not pin:
        raise PinMissing(f"{path} is empty: it should hold the PIN")
    return pin


def _from_environment(name: str) -> str:
    pin = os.environ.get(name, "")
    if not pin:
        raise PinMissing(f"the environment has no PIN in {name}")
    return pin
