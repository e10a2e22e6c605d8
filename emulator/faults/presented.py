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

    A context that was put in the place of another has an empty cache: no session is resumed. All
    are made anew when others are trusted.
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
        self._trusted: Trust | None = None
        self._made: dict[Credential, ssl.SSLContext] = {}

    def context(self) -> ssl.SSLContext:
        """With the last that was put in the place of the right one, or that."""
        credential, trust = next(reversed(self._instead.values()), self._right), self._trust()
        if trust != self._trusted:
            self._made, self._trusted = {}, trust
        if credential not in self._made:
            self._made[credential] = server_context(credential, trust, keylog=self._keylog)
        return self._made[credential]

    def show(self, credential: Credential) -> Callable[[], object]:
        """Show another from now on, until what this returns is called."""
        ticket = object()
        self._instead[ticket] = credential

        def show_no_more() -> None:
            self._instead.pop(ticket, None)
            self._made.pop(credential, None)

        return show_no_more
