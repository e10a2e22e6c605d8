"""How a meter is a TLS client of the head end's listener."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from tls.identity import TitleCheck, exactly
from tls.transport import open_tls_connection

Change: TypeAlias = Callable[[ssl.SSLContext], object]

P = TypeVar("P", bound=asyncio.Protocol)

Dial: TypeAlias = Callable[[asyncio.Protocol, str, int, bytes], Awaitable[object]]
"""Opens a session for a protocol with the listener of that title at a host and port; ``OSError`` if
there is none.
"""


class Calling:
    """As it should be, unless a fault changes it: all are over when what they return is called."""

    def __init__(self) -> None:
        self._changes: dict[object, tuple[Change, Mapping[str, Any]]] = {}
        self._dials: dict[object, Dial] = {}
        self._anybody = 0
        self._revision = 0

    @property
    def revision(self) -> int:
        """Another one when contexts are to be made anew."""
        return self._revision

    def context(self, make: Callable[..., ssl.SSLContext]) -> ssl.SSLContext:
        """A context, made with what options there are now."""
        options: dict[str, Any] = {}
        for _, more in self._changes.values():
            options |= more
        made = make(**options)
        for change, _ in self._changes.values():
            change(made)
        return made

    async def open(
        self, make: Callable[[], P], host: str, port: int, context: ssl.SSLContext, title: bytes
    ) -> P:
        """A session with the listener of that title, and what is inside it. ``OSError`` if there
        is none.
        """
        dial = next(reversed(self._dials.values()), None)
        if dial is not None:
            protocol = make()
            await dial(protocol, host, port, title)
            return protocol
        accept: TitleCheck = (lambda _: True) if self._anybody else exactly(title)
        _, protocol = await open_tls_connection(make, host, port, context, accept=accept)
        return protocol

    # For faults ---------------------------------------------------------------------------------

    def change(self, change: Change, options: Mapping[str, Any]) -> Callable[[], object]:
        """Make contexts with these options, and change them."""
        ticket = object()
        self._changes[ticket] = change, options
        self._revision += 1

        def change_no_more() -> None:
            self._changes.pop(ticket, None)
            self._revision += 1

        return change_no_more

    def call_anybody(self) -> Callable[[], object]:
        """Whoever answers will do, if its certificate is good."""
        self._anybody += 1

        def no_more() -> None:
            self._anybody -= 1

        return no_more

    def dial_by(self, dial: Dial) -> Callable[[], object]:
        ticket = object()
        self._dials[ticket] = dial
        return lambda: self._dials.pop(ticket, None)
