"""The system of one supplier: the secret of its meters' keys, its authority, its client.

It stands for what suppliers had before the DCC (letter, paragraph 2); how theirs were made is not
public. With each party of the DCC it shares a transport key, agreed for the migration.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from pathlib import Path
from typing import Self

from emulator.enrolment.agreed import SCOPES, transport_scope
from emulator.installing import Installer
from emulator.modules.keyring import KeyRing, scope_secrets
from emulator.policy import Actor
from tls.credentials import Credential
from tls.files import private_directory, read_private, write_private
from tls.pki import TestPki

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_SECRET_LENGTH = 32


class SupplierNameError(ValueError):
    """It is no name for a supplier."""


def title_of(supplier: str) -> bytes:
    """The system title of a supplier's client. ``SMO`` is no registered FLAG ID."""
    return b"SMO" + hashlib.sha256(supplier.encode()).digest()[:5]


class SupplierSystem:
    """Kept in a folder that only it may read, ``folder``; :meth:`create` makes it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = checked_name(name)
        self.folder = folder
        self.title = title_of(name)
        self._secret = read_private(folder / "secret")
        self._transport = {actor: read_private(folder / _transport_file(actor)) for actor in SCOPES}
        self.pki = TestPki.load(folder / "pki")

    def __repr__(self) -> str:
        return f"<SupplierSystem {self.name}>"

    @classmethod
    def create(cls, name: str, folder: Path) -> Self:
        """``FileExistsError`` if it is there, or half there."""
        checked_name(name)
        private_directory(folder)
        pki = TestPki.create(now=dt.datetime.now(dt.UTC), name=f"supplier {name}")
        pki.save(folder / "pki")
        pki.issue_client(title_of(name), f"{name} client").save(folder, "client")
        for actor in SCOPES:
            write_private(folder / _transport_file(actor), secrets.token_bytes(_SECRET_LENGTH))
        # Last: where it is, everything is.
        write_private(folder / "secret", secrets.token_bytes(_SECRET_LENGTH))
        return cls(name, folder)

    @property
    def installer(self) -> Installer:
        """How it sets meters up."""
        return Installer(
            name=self.name,
            title=self.title,
            roots_pem=self.pki.root.certificate_pem,
            secrets=self._scope_secrets(),
        )

    @property
    def credential(self) -> Credential:
        """The certificate by which its meters know its client."""
        return Credential.load(self.folder, "client")

    def migration_credential(self) -> Credential:
        """A certificate of its authority by which the S1SP can be the client that its meters know,
        until they know the S1SP; made when it is first asked for. Its private key is made by the
        supplier's test PKI and kept in its folder, so the supplier has it as well.
        """
        name = "migration"
        if not (self.folder / f"{name}.pem").exists():
            (self.folder / f"{name}.key").unlink(missing_ok=True)  # of one that was half made
            made = self.pki.issue_client(self.title, f"S1SP for {self.name}")
            made.save(self.folder, name)
        return Credential.load(self.folder, name)

    def transport_secrets(self, actor: Actor) -> dict[str, bytes]:
        """What the party has of it, for its key ring: the transport key and nothing else. Who is no
        party to the migration has nothing.
        """
        if actor not in self._transport:
            return {}
        return {transport_scope(self.name, actor): self._transport[actor]}

    def ring(self) -> KeyRing:
        """Every key that it has: those of its meters and the transport keys."""
        transport = {
            transport_scope(self.name, actor): secret for actor, secret in self._transport.items()
        }
        return KeyRing({**self._scope_secrets(), **transport})

    def _scope_secrets(self) -> dict[str, bytes]:
        return scope_secrets(self._secret, [name for names in SCOPES.values() for name in names])


def checked_name(name: str) -> str:
    """It becomes part of file names. :class:`SupplierNameError` if it must not."""
    if not _NAME.fullmatch(name):
        raise SupplierNameError(
            f"{name!r} is no name for a supplier: small letters, digits and hyphens, 32 at most"
        )
    return name


def _transport_file(actor: Actor) -> str:
    return f"transport-{actor.value.lower()}.secret"
