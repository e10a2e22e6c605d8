"""The certificate that a meter shows at its TLS port, whom it lets in there, and how it calls."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emulator.serving.calling import Calling, Change
from tls.contexts import server_context
from tls.credentials import Credential, Trust
from tls.identity import any_title
from tls.pki import TestPki

Serve = Callable[[], asyncio.Protocol]


def _nobody() -> asyncio.Protocol:
    return asyncio.Protocol()


class Presented:
    """``context()`` is for the next connection; those that are there go on. ``trust`` says whose
    clients are let in now, by default those of ``pki``. ``serve`` makes what is inside a session;
    ``calling`` is how the meter is a client.

    A context that was put in the place of another has an empty cache: no session is resumed. All
    are made anew when others are trusted, or something about them is changed.
    """

    def __init__(
        self,
        pki: TestPki,
        title: bytes,
        keylog: Path | None = None,
        trust: Callable[[], Trust] | None = None,
        serve: Serve = _nobody,
        calling: Calling | None = None,
    ) -> None:
        self.pki = pki
        self.title = title
        self.serve = serve
        self.calling = Calling() if calling is None else calling
        self._keylog = keylog
        self._trust = pki.trust if trust is None else trust
        self._right = pki.issue_device(title)
        self._instead: dict[object, Credential] = {}
        self._trusted: Trust | None = None
        self._made: dict[Credential, ssl.SSLContext] = {}
        self._changes: dict[object, tuple[Change, Mapping[str, Any]]] = {}
        self._diverted: dict[object, Serve] = {}
        self._anybody = 0
        self._forgetful = 0

    @property
    def credential(self) -> Credential:
        """What is shown now."""
        return next(reversed(self._instead.values()), self._right)

    @property
    def trust(self) -> Trust:
        """Whom the meter believes now."""
        return self._trust()

    def context(self) -> ssl.SSLContext:
        """With the last that was put in the place of the right one, or that."""
        credential, trust = self.credential, self._trust()
        if trust != self._trusted or self._forgetful:
            self._made, self._trusted = {}, trust
        if credential not in self._made:
            options: dict[str, Any] = {}
            for _, more in self._changes.values():
                options |= more
            made = server_context(credential, trust, keylog=self._keylog, **options)
            for change, _ in self._changes.values():
                change(made)
            self._made[credential] = made
        return self._made[credential]

    def accept(self, title: bytes | None) -> bool:
        """Whether a peer whose certificate is good may go on."""
        return bool(self._anybody) or any_title(title)

    def divert(self) -> asyncio.Protocol | None:
        """What serves the next connection in the place of TLS, if anything does."""
        make = next(reversed(self._diverted.values()), None)
        return None if make is None else make()

    # For faults; all are over when what they return is called -----------------------------------

    def show(self, credential: Credential) -> Callable[[], object]:
        """Show another from now on."""
        ticket = object()
        self._instead[ticket] = credential

        def show_no_more() -> None:
            self._instead.pop(ticket, None)
            self._made.pop(credential, None)

        return show_no_more

    def change(self, change: Change, options: Mapping[str, Any]) -> Callable[[], object]:
        """Make every context from now on with these options, and change it."""
        ticket = object()
        self._changes[ticket] = change, options
        self._made = {}

        def change_no_more() -> None:
            self._changes.pop(ticket, None)
            self._made = {}

        return change_no_more

    def let_anybody_in(self) -> Callable[[], object]:
        """Peers without a system title, or without any certificate, go on."""
        self._anybody += 1

        def no_more() -> None:
            self._anybody -= 1

        return no_more

    def forget_sessions(self) -> Callable[[], object]:
        """No session can be resumed."""
        self._forgetful += 1

        def no_more() -> None:
            self._forgetful -= 1

        return no_more

    def serve_instead(self, make: Serve) -> Callable[[], object]:
        """Connections are served by what ``make`` makes."""
        ticket = object()
        self._diverted[ticket] = make
        return lambda: self._diverted.pop(ticket, None)
