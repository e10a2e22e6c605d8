"""A vendor's PKCS#11 library, in one thread of its own.

python-pkcs11 initializes libraries without locks, and SoftHSM then crashes with several threads
(SIGSEGV, heap corruption). So every call into a library is made by the one thread that it has;
whoever wants something waits for that thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pkcs11

from emulator.modules.pkcs11.errors import name_of
from emulator.modules.pkcs11.failures import TokenUnavailable

T = TypeVar("T")


class Library:
    """Get it by :func:`library`: there is one for each file and process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._loaded: Any = None
        self._connected: set[object] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"pkcs11 {path.name}")

    def __repr__(self) -> str:
        return f"<Library {self.path}>"

    def run(self, work: Callable[[], T]) -> T:
        """Have ``work`` done by the library's thread, and wait for it."""
        return self._thread.submit(work).result()

    # By the library's thread alone ---------------------------------------------------------------

    def loaded(self) -> Any:
        """The library of python-pkcs11. :class:`TokenUnavailable` if it cannot be loaded."""
        if self._loaded is None:
            try:
                self._loaded = pkcs11.lib(str(self.path))
            except pkcs11.PKCS11Error as error:
                raise TokenUnavailable(f"cannot use {self.path}: {name_of(error)}") from error
        return self._loaded

    def find(self, label: str, serial: str) -> Any:
        """The one initialized token with that label, or serial number, or both (empty: any).

        If it is not seen the library is begun anew, unless other tokens are in use by it: SoftHSM
        does not see again a token that went away, nor one that another process has made.

        :class:`TokenUnavailable` if there is no such token, or several.
        """
        tokens = self._seen(label, serial)
        if not tokens and not self._connected:
            self._begin_anew()
            tokens = self._seen(label, serial)
        wanted = " ".join(filter(None, (label, serial and f"serial {serial}")))
        if len(tokens) > 1:
            raise TokenUnavailable(f"{self.path} has several tokens {wanted!r}: give a serial too")
        if not tokens:
            raise TokenUnavailable(f"{self.path} sees no token {wanted!r}")
        return tokens[0]

    def connected(self, user: object) -> None:
        """``user`` has a session."""
        self._connected.add(user)

    def disconnected(self, user: object) -> None:
        self._connected.discard(user)

    def _seen(self, label: str, serial: str) -> list[Any]:
        library = self.loaded()
        try:
            slots = library.get_slots(token_present=True)
        except pkcs11.PKCS11Error:
            # It is finalized, or its state is lost: so is every session that anybody has.
            self._begin_anew()
            slots = library.get_slots(token_present=True)
        found = []
        for slot in slots:
            with suppress(pkcs11.PKCS11Error):  # a token that is out of order is not there
                token = slot.get_token()
                if (
                    token.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED
                    and label in ("", token.label)
                    and serial.encode() in (b"", token.serial)
                ):
                    found.append(token)
        return found

    def _begin_anew(self) -> None:
        library = self.loaded()
        with suppress(pkcs11.PKCS11Error):  # it may be finalized already
            library.finalize()
        try:
            library.initialize()
        except pkcs11.PKCS11Error as error:
            raise TokenUnavailable(f"cannot use {self.path}: {name_of(error)}") from error


_libraries: dict[tuple[int, Path], Library] = {}
_lock = threading.Lock()


def library(path: Path) -> Library:
    """The library at ``path``; the same one for everybody in this process."""
    key = os.getpid(), path.resolve()
    with _lock:
        if key not in _libraries:
            _libraries[key] = Library(key[1])
        return _libraries[key]
