"""The certificate that a meter shows at its TLS port."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from tls.contexts import server_context
from tls.credentials import Credential
from tls.pki import TestPki


class Presented:
    """``context()`` is for the next connection; those that are there go on.

    A context that was put in the place of another has an empty cache: no session is resumed.
    """

    def __init__(self, pki: TestPki, title: bytes, keylog: Path | None = None) -> None:
        self.pki = pki
        self.title = title
        self._keylog = keylog
        self._right = self._made(pki.issue_device(title))
        self._instead: dict[object, ssl.SSLContext] = {}

    def context(self) -> ssl.SSLContext:
        """The last that was put in the place of the right one, or that."""
        return next(reversed(self._instead.values()), self._right)

    def show(self, credential: Credential) -> Callable[[], object]:
        """Show another from now on, until what this returns is called."""
        ticket = object()
        self._instead[ticket] = self._made(credential)
        return lambda: self._instead.pop(ticket, None)

    def _made(self, credential: Credential) -> ssl.SSLContext:
        return server_context(credential, self.pki.trust(), keylog=self._keylog)
