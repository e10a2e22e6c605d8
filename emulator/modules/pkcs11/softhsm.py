"""SoftHSM: a token in software, to do everything with but what only a real one is good for.

It keeps its tokens in a folder that a file of settings names, and the library reads that once, by
the environment, when it begins.
"""

from __future__ import annotations

import ctypes
import os
from functools import partial
from pathlib import Path

import pkcs11

from emulator.modules.pkcs11.errors import name_of
from emulator.modules.pkcs11.failures import TokenUnavailable
from emulator.modules.pkcs11.library import Library, library
from tls.files import private_directory, write_private

SETTINGS = "SOFTHSM2_CONF"
"""In the environment: the file of settings."""

PLACES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
)
"""Where distributions put the library."""

_LABEL_LENGTH = 32
"""Octets of a token's label, filled with blanks (PKCS#11, C_InitToken)."""


def find_library() -> Path:
    """Where SoftHSM is installed. :class:`TokenUnavailable` if it is not."""
    found = next((place for place in PLACES if place.exists()), None)
    if found is None:
        raise TokenUnavailable("SoftHSM is not installed: it is the package softhsm2")
    return found


def use_folder(folder: Path) -> Path:
    """Have SoftHSM keep its tokens in ``folder``, unless the environment says where it keeps them;
    return its settings. To be called before the library is loaded.
    """
    settings = private_directory(folder) / "softhsm2.conf"
    tokens = private_directory(folder / "tokens")
    if not settings.exists():
        text = f"directories.tokendir = {tokens.resolve()}\nobjectstore.backend = file\n"
        write_private(settings, f"{text}log.level = ERROR\nslots.removable = false\n".encode())
    return Path(os.environ.setdefault(SETTINGS, str(settings.resolve())))


def make_token(path: Path, label: str, pin: str, so_pin: str) -> None:
    """Initialize a token that is free. :class:`TokenUnavailable` if there is none, or it fails.

    Through the library itself, for programs take the PINs on their command line.
    """
    if len(label.encode()) > _LABEL_LENGTH:
        raise ValueError(f"a token's label has {_LABEL_LENGTH} octets at the most")
    loaded = library(path)
    loaded.run(partial(_make, loaded, label, pin, so_pin))


def _make(loaded: Library, label: str, pin: str, so_pin: str) -> None:
    try:
        slots = loaded.loaded().get_slots(token_present=True)
        free = next(
            slot
            for slot in slots
            if not slot.get_token().flags & pkcs11.TokenFlag.TOKEN_INITIALIZED
        )
    except (pkcs11.PKCS11Error, StopIteration) as error:
        raise TokenUnavailable(f"{loaded.path} has no free token") from error
    # python-pkcs11 cannot do this; a library that is loaded twice is the same one.
    initialize = ctypes.CDLL(str(loaded.path)).C_InitToken
    padded = label.encode().ljust(_LABEL_LENGTH)
    octets = so_pin.encode()
    result = initialize(ctypes.c_ulong(free.slot_id), octets, ctypes.c_ulong(len(octets)), padded)
    if result:
        raise TokenUnavailable(f"{loaded.path} made no token: error {result:#x}")
    try:
        token = loaded.find(label, "")
        session = token.open(rw=True, so_pin=so_pin)
        try:
            session.init_pin(pin)
        finally:
            session.close()
    except pkcs11.PKCS11Error as error:
        raise TokenUnavailable(f"{loaded.path} took no PIN: {name_of(error)}") from error
