"""A token: who it is, how one gets at it, and what becomes of it when it is lost."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import pkcs11

from emulator.modules.pkcs11.capabilities import Lack, lacks_of
from emulator.modules.pkcs11.connection import Connection
from emulator.modules.pkcs11.errors import REFUSALS, name_of
from emulator.modules.pkcs11.failures import TokenCannot, TokenUnavailable
from emulator.modules.pkcs11.library import library as library_at
from emulator.modules.pkcs11.pin import PinMissing, PinSource

T = TypeVar("T")
_SOFTHSM = "SoftHSM"


class TokenFacts(NamedTuple):
    """What a token says of itself. ``emulated`` is whether it is only software that plays one."""

    manufacturer: str
    model: str
    label: str
    serial: str
    emulated: bool
    lacks: tuple[Lack, ...]

    @property
    def name(self) -> str:
        made = _SOFTHSM if self.model.startswith(_SOFTHSM) else f"{self.manufacturer} {self.model}"
        return f"{made} ({self.label})"


class Token:
    """The token with a ``label``, or ``serial``, or both, of the PKCS#11 library at a path.

    One of these for each token and process: whoever is the last to close logs all others out.
    Everything waits for the library's thread, so none of it is for an event loop.
    """

    def __init__(self, *, library: Path, pin: PinSource, label: str = "", serial: str = "") -> None:
        if not label and not serial:
            raise ValueError("a token is named by its label or its serial number")
        self._library = library_at(library)
        self._pin = pin
        self._label = label
        self._serial = serial
        self._wrong: bytes | None = None
        self._connection: Connection | None = None
        self._facts: TokenFacts | None = None

    def __repr__(self) -> str:
        return f"<Token {self.name}>"

    @property
    def name(self) -> str:
        """As reports have it; the label alone until it was seen."""
        return self._facts.name if self._facts is not None else self._label or self._serial

    @property
    def facts(self) -> TokenFacts:
        """As of the last connection. :class:`TokenUnavailable` if there was and is none."""
        if self._facts is None:
            self.run(lambda connection: None)
        assert self._facts is not None
        return self._facts

    def run(self, work: Callable[[Connection], T]) -> T:
        """Have ``work`` done by the library's thread, in a session.

        :class:`TokenUnavailable` if the token is not there, or lost meanwhile: then this session is
        given up, with the keys in it, and the next call connects again. :class:`TokenCannot` if it
        says that it does not do such a thing.
        """
        return self._library.run(partial(self._do, work))

    def close(self) -> None:
        self._library.run(self._give_up)

    def _do(self, work: Callable[[Connection], T]) -> T:
        connection = self._connection or self._connect()
        try:
            return work(connection)
        except REFUSALS as error:
            raise TokenCannot(f"{self.name} does not do that: {name_of(error)}") from error
        except pkcs11.PKCS11Error as error:
            self._give_up()
            raise TokenUnavailable(f"{self.name} is lost: {name_of(error)}") from error

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        self._library.disconnected(self)
        if connection is not None:
            connection.close()

    def _connect(self) -> Connection:
        try:
            token = self._library.find(self._label, self._serial)
            connection = Connection(token, self._log_in(token))
        except pkcs11.PKCS11Error as error:
            raise TokenUnavailable(f"cannot connect to {self.name}: {name_of(error)}") from error
        self._library.connected(self)
        self._connection = connection
        self._facts = TokenFacts(
            manufacturer=token.manufacturer_id,
            model=token.model,
            label=token.label,
            serial=token.serial.decode(errors="replace"),
            emulated=token.model.startswith(_SOFTHSM)
            or token.slot.manufacturer_id.startswith(_SOFTHSM),
            lacks=lacks_of(connection.mechanisms, connection.digested),
        )
        return connection

    def _log_in(self, token: pkcs11.Token) -> pkcs11.Session:
        try:
            pin = self._pin()
        except (PinMissing, OSError) as error:
            raise TokenUnavailable(f"{self.name}: {error}") from error
        # A token locks itself after some wrong ones: the same is not presented twice.
        digest = hashlib.sha256(pin.encode()).digest()
        if self._wrong is not None and hmac.compare_digest(self._wrong, digest):
            raise TokenUnavailable(f"{self.name} has refused this PIN")
        try:
            session: pkcs11.Session = token.open(rw=True, user_pin=pin)
        except pkcs11.UserAlreadyLoggedIn:
            session = token.open(rw=True)
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange) as error:
            self._wrong = digest
            raise TokenUnavailable(f"{self.name} refuses the PIN: {name_of(error)}") from error
        return session
