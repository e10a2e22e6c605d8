"""Which token each party has, in a file of the workspace; and the token itself, opened.

PINs are not in it: each is in a file that only its owner may read, or in the environment.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dlms.security.keys import KeyRef
from emulator.policy import Actor, ModuleClass
from emulator.shared_file import SharedFile
from tls.files import private_directory, write_private

if TYPE_CHECKING:
    from emulator.modules.pkcs11.kept import WrappedKeys
    from emulator.modules.pkcs11.module import Pkcs11Module
    from emulator.modules.pkcs11.token import Token

_PIN_LENGTH = 16
"""Random octets of a PIN that is made here, written as twice as many hexadecimal digits."""


class ModuleFileError(Exception):
    """The file, or what it takes to use it, is not right; the text says what to do."""


class TokenRow(NamedTuple):
    """Where a token is and how one gets at it.

    ``pin`` is a file, or the name of a variable if ``pin_in_environment``. ``softhsm`` is whether
    SoftHSM keeps it in the workspace. ``emulated`` overrides what the token is known for.
    """

    library: str
    label: str
    serial: str
    pin: str
    pin_in_environment: bool
    softhsm: bool
    module_class: str = ModuleClass.LEVEL_3.name
    emulated: bool | None = None


class ModuleFile:
    """In the ``folder`` of a workspace."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = SharedFile(folder / "modules.json")

    def rows(self) -> dict[Actor, TokenRow]:
        """The token of each party that has one."""
        with self._file.changing() as document:
            return {Actor(name): self._row(name, entry) for name, entry in document.items()}

    def add(self, actor: Actor, row: TokenRow) -> None:
        """:class:`ModuleFileError` if the party has a token already: its keys are there."""
        with self._file.changing() as document:
            if actor.value in document:
                raise ModuleFileError(f"{self._file.path}: {actor.value} has a token already")
            document[actor.value] = row._asdict()

    def new_softhsm(self, actor: Actor) -> TokenRow:
        """Make a token of SoftHSM for a party, with a random PIN, and note it."""
        softhsm = _softhsm()
        name = actor.value.lower()
        folder = private_directory(self._folder / "modules")
        label = f"cosemlab {name} {secrets.token_hex(4)}"
        pins = {part: folder / f"{label}.{part}" for part in ("pin", "so-pin")}
        self._use_softhsm()
        library = softhsm.find_library()
        for path in pins.values():
            write_private(path, secrets.token_hex(_PIN_LENGTH).encode())
        softhsm.make_token(library, label, pins["pin"].read_text(), pins["so-pin"].read_text())
        row = TokenRow(
            library=str(library),
            label=label,
            serial="",
            pin=str(pins["pin"].relative_to(self._folder)),
            pin_in_environment=False,
            softhsm=True,
        )
        self.add(actor, row)
        return row

    def token(self, row: TokenRow) -> Token:
        """Nothing is opened yet."""
        _softhsm()  # or say that python-pkcs11 is not there
        from emulator.modules.pkcs11.pin import pin_in_environment, pin_in_file
        from emulator.modules.pkcs11.token import Token

        if row.softhsm:
            self._use_softhsm()
        return Token(
            library=Path(row.library),
            label=row.label,
            serial=row.serial,
            pin=pin_in_environment(row.pin)
            if row.pin_in_environment
            else pin_in_file(self._folder / row.pin),
        )

    def prepare(self, row: TokenRow, scope_secrets: Mapping[str, bytes]) -> tuple[str, ...]:
        """See :func:`emulator.modules.pkcs11.preparing.prepare`."""
        token = self.token(row)
        from emulator.modules.pkcs11.preparing import prepare

        try:
            return prepare(token, scope_secrets)
        finally:
            token.close()

    def open(
        self, row: TokenRow, kept: WrappedKeys | None, suite_of: Callable[[KeyRef], int]
    ) -> Pkcs11Module:
        """The Cryptographic Module on a token; see there for what may go wrong, and that it takes
        some milliseconds.
        """
        token = self.token(row)
        from emulator.modules.pkcs11.module import Pkcs11Module

        return Pkcs11Module(
            token,
            kept,
            suite_of,
            module_class=ModuleClass[row.module_class],
            emulated=row.emulated,
        )

    def _use_softhsm(self) -> None:
        _softhsm().use_folder(self._folder / "softhsm")

    def _row(self, name: str, entry: Any) -> TokenRow:
        try:
            return TokenRow(**entry)
        except TypeError:
            raise ModuleFileError(f"{self._file.path} is damaged: {name}") from None


def _softhsm() -> Any:
    try:
        from emulator.modules.pkcs11 import softhsm
    except ModuleNotFoundError:
        raise ModuleFileError("tokens need python-pkcs11: pip install 'cosemlab[pkcs11]'") from None
    return softhsm
