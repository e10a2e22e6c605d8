"""The certificate that a meter shows at its TLS port, and whom it lets in there."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from tls.contexts import server_context
from tls.credentials import Credential, Trust
from tls.pki import TestPki


class Presented:
    """``context()`` is for the next connection; those that are there go on. ``trust`` says whose
    clients are let in now, by default those of ``pki``.

    A context that was put in the place of another has an empty cache: no session is resumed.
    """

    def __init__(
        self,
        pki: TestPki,
        title: bytes,
        keylog: Path | None = None,
        trust: Callable[[], Trust] | None = None,
    ) -> None:
        self.pki = pki
        self.title = title
        self._keylog = keylog
        self._trust = pki.trust if trust is None else trust
        self._right = pki.issue_device(title)
        self._instead: dict[object, Credential] = {}
        self._made: tuple[Credential, Trust, ssl.SSLContext] | None = None

    def context(self) -> ssl.SSLContext:
        """With the last that was put in the place of the right one, or that."""
        credential, trust = next(reversed(self._instead.values()), self._right), self._trust()
        if self._made is None or self._made[:2] != (credential, trust):
            context = server_context(credential, trust, keylog=self._keylog)
            self._made = credential, trust, context
        return self._made[2]

    def show(self, credential: Credential) -> Callable[[], object]:
        """Show another from now on, until what this returns is called."""
        ticket = object()
        self._instead[ticket] = credential
        return lambda: self._instead.pop(ticket, None)
