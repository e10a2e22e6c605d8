"""Both ends of one connection to our meter, counting octets: so it is known, and not guessed after
a time-out, when all that was sent has been taken in and all that was answered has arrived.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from emulator.channel import Channel
from emulator.fuzz.in_process.kept import PowerCut
from emulator.serving.connection import MeterConnection
from emulator.serving.host import Host

News = Callable[[], None]
"""Something has happened at an end."""


class _Counted:
    """A transport that counts what is written to it."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self.written = 0

    def write(self, data: bytes) -> None:
        self.written += len(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _End(asyncio.Protocol):
    """What both have in common: it stands before the class whose octets are counted."""

    _news: News
    _counted: _Counted | None = None
    is_gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._counted = _Counted(transport)
        super().connection_made(cast(asyncio.BaseTransport, self._counted))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_gone = True
        super().connection_lost(exc)
        self._news()

    @property
    def written(self) -> int:
        """Octets, to the other end."""
        return 0 if self._counted is None else self._counted.written


class MeterEnd(_End, MeterConnection):
    """A connection as the emulator serves it. ``taken`` are the octets that it has dealt with."""

    def __init__(self, host: Host, news: News) -> None:
        super().__init__(host)
        self._news = news
        self.taken = 0
        self.lost_power = False
        """Whether the meter's power has failed while it served."""
        self.crash: Exception | None = None
        """What the emulator must never raise: the run is told."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._news()

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except PowerCut:
            self.lost_power = True
        except Exception as error:
            self.crash = error
        self.taken += len(data)
        self._news()

    @property
    def is_made(self) -> bool:
        return self._counted is not None

    @property
    def is_ending(self) -> bool:
        """Whether the meter has ended the connection."""
        return self.is_gone or (self._counted is not None and bool(self._counted.is_closing()))

    @property
    def is_associated(self) -> bool:
        return bool(self._peer.associated())


class ClientEnd(_End, Channel):
    """The client's. ``got`` are the octets that have arrived."""

    def __init__(self, news: News) -> None:
        super().__init__()
        self._news = news
        self.got = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.got += len(data)
        self._news()

    @property
    def ssl_object(self) -> Any:
        """Of a TLS channel; ``None`` if this is none."""
        return None if self._counted is None else self._counted.get_extra_info("ssl_object")
