"""A session with a token, for as long as it lasts. Used by the library's thread alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, ObjectClass

from dlms.security.ops import HashFunction
from emulator.modules.pkcs11.capabilities import HASHES
from emulator.modules.pkcs11.failures import TokenCannot

OURS = b"cosemlab"
"""CKA_ID of the secret keys that we keep in a token."""


class Connection:
    """``session`` is logged in and may write; the keys of the session live and end with it.

    Digests have a session of their own: one that fails stays begun, and the session that it is in
    is of no more use.
    """

    def __init__(self, token: Any, session: Any) -> None:
        self.session = session
        self._token = token
        self._digests = token.open()
        ours = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.ID: OURS, Attribute.TOKEN: True}
        # A search is ended before anything else is asked.
        found = list(session.get_objects(ours))
        self.resident: dict[str, Any] = {one[Attribute.LABEL]: one for one in found}
        self.mechanisms: set[Any] = token.slot.get_mechanisms()
        self.digested = self._tried()

    def digest(self, function: HashFunction, parts: Iterable[Any]) -> bytes:
        """The hash of octets and of keys of the token, in their order. :class:`TokenCannot`."""
        if function not in self.digested:
            raise TokenCannot(f"the token does not digest keys with {function.value}")
        return self._digest(function, parts)

    def random(self, length: int) -> bytes:
        drawn: bytes = self.session.generate_random(length * 8) if length else b""
        return drawn

    def find(self, kind: ObjectClass, label: str) -> list[Any]:
        """Objects that are kept in the token."""
        return list(
            self.session.get_objects(
                {Attribute.CLASS: kind, Attribute.TOKEN: True, Attribute.LABEL: label}
            )
        )

    def check(self) -> None:
        """``PKCS11Error`` unless the token is there and we are logged in."""
        if self._token.slot.get_token().serial != self._token.serial:
            raise pkcs11.TokenNotPresent
        self.session.generate_random(64)
        for found in self.resident.values():
            _ = found[Attribute.LABEL]

    def close(self) -> None:
        for session in (self._digests, self.session):
            with suppress(pkcs11.PKCS11Error):  # of a token that is gone
                session.close()

    def _digest(self, function: HashFunction, parts: Iterable[Any]) -> bytes:
        try:
            result: bytes = self._digests.digest(iter(parts), mechanism=HASHES[function])
        except pkcs11.PKCS11Error:
            with suppress(pkcs11.PKCS11Error):
                self._digests.close()
            self._digests = self._token.open()
            raise
        return result

    def _tried(self) -> set[HashFunction]:
        """The hashes that work with a sensitive key."""
        digested = set()
        secret = self.session.create_object(
            {
                Attribute.CLASS: ObjectClass.SECRET_KEY,
                Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
                Attribute.VALUE: os.urandom(32),
                Attribute.TOKEN: False,
                Attribute.PRIVATE: True,
                Attribute.SENSITIVE: True,
                Attribute.EXTRACTABLE: False,
            }
        )
        for function, mechanism in HASHES.items():
            if mechanism in self.mechanisms:
                with suppress(pkcs11.PKCS11Error):
                    self._digest(function, (b"\0", secret))
                    digested.add(function)
        secret.destroy()
        return digested
