"""What carries APDUs between clients and their meter, and the way within this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from devices.outbox import Announcement
from emulator.fuzz.actions import Connect
from emulator.fuzz.in_process.channel import Shaken, TlsPort
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.crashing import MeterFailed
from emulator.fuzz.in_process.meter import BenchMeter
from emulator.serving.peer import Peer, Unable


class HungUp(Exception):
    """The meter ended the connection instead of answering."""


class Wire(Protocol):
    """Each client has one connection at the most, which comes about when it says something."""

    def carry(self, client: BenchClient, apdu: bytes) -> tuple[bytes, ...]:
        """One APDU to the meter, and its answers; none is silence. :class:`HungUp` if the meter has
        ended the connection, :class:`~.kept.PowerCut` if it has lost its power.
        """
        ...

    def connect(self, client: BenchClient, action: Connect) -> Shaken:
        """A TLS channel, in the place of the connection before. ``ValueError`` if there is none."""
        ...

    def tls_port(self) -> TlsPort:
        """The meter's. ``ValueError`` if it is not ours to change."""
        ...

    def hang(self, client: BenchClient) -> None:
        """The connection ends, if there is one."""
        ...

    def is_up(self, name: str) -> bool:
        """Whether the client of that name has a connection."""
        ...

    def tell(self, what: Announcement) -> Iterator[tuple[str, bytes]]:
        """What the meter says unasked, to which client. ``ValueError`` if it cannot be told to."""
        ...

    @property
    def connections(self) -> int:
        """How many there are."""
        ...

    def associated(self) -> frozenset[str]:
        """The clients that the meter has an association with, as far as it can be seen."""
        ...

    def time_passes(self) -> None:
        """The meter's time has gone on: what was late may come."""
        ...

    def drop(self) -> None:
        """All connections are gone with the meter's power."""
        ...


class PeerWire:
    """APDUs are handed over to a meter of this process."""

    def __init__(self, meter: BenchMeter) -> None:
        self._meter = meter
        self._peers: dict[str, Peer] = {}
        self._channels: dict[str, bytes | None] = {}
        """Of clients that have a channel and have said nothing in it, whose it is."""
        self._port: TlsPort | None = None

    def carry(self, client: BenchClient, apdu: bytes) -> tuple[bytes, ...]:
        try:
            return self._peer(client).serve(*client.pair, apdu) or ()
        except Unable as error:
            self.hang(client)
            raise HungUp(str(error)) from error
        except Exception as error:
            # Not as an error of the bench's own, which says that an action cannot be done.
            raise MeterFailed from error

    def _peer(self, client: BenchClient) -> Peer:
        if client.name not in self._peers:
            title = self._channels.pop(client.name, client.kind.channel_title)
            self._peers[client.name] = Peer(self._meter.host, client.name, title)
        return self._peers[client.name]

    def connect(self, client: BenchClient, action: Connect) -> Shaken:
        self.hang(client)
        shaken = self.tls_port().connect(
            client.name,
            client.config.own_title or b"",
            resume=action.resume,
            days=action.days,
            garbage=action.garbage,
        )
        if not shaken.why:
            self._channels[client.name] = shaken.title
        return shaken

    def tls_port(self) -> TlsPort:
        if self._port is None:
            self._port = TlsPort(self._meter.device.title)
        return self._port

    def hang(self, client: BenchClient) -> None:
        peer = self._peers.pop(client.name, None)
        if peer is not None:
            peer.close()

    def is_up(self, name: str) -> bool:
        return name in self._peers

    def tell(self, what: Announcement) -> Iterator[tuple[str, bytes]]:
        for name, peer in tuple(self._peers.items()):
            try:
                said = [apdu for pair in peer.associated() for apdu in peer.tell(pair, what)]
            except Unable:
                self._peers.pop(name).close()
                continue
            yield from ((name, apdu) for apdu in said)

    @property
    def connections(self) -> int:
        return len(self._peers)

    def associated(self) -> frozenset[str]:
        return frozenset(name for name, peer in self._peers.items() if peer.associated())

    def time_passes(self) -> None:
        """APDUs that are handed over are never late."""

    def drop(self) -> None:
        self._peers.clear()
