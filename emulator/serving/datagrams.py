"""A meter on UDP: each datagram is one WPDU, each source address a peer of its own.

UDP knows no end of a connection: a peer that has been silent for the inactivity time-out is
forgotten, and its associations with it. Nobody vouches for a source address, so the number of peers
is bounded: whoever comes when all places are taken has that of the first who has no association,
and is not answered if there is none.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, cast

from devices.outbox import Announcement
from dlms.errors import CodecError
from dlms.framing import Wpdu
from dlms.framing.datagram import MAX_DATAGRAM_APDU, decode_datagram
from emulator.serving.host import MAX_APDU, Host
from emulator.serving.passage import Passage
from emulator.serving.peer import Peer, Unable
from tls.events import format_address

MAX_PEERS = 256
"""Peers at once. Each has at most one association per pair of SAPs of the profile."""

Address = tuple[Any, ...]


class _Known:
    """A peer, and when it was heard last."""

    __slots__ = ("heard", "peer")

    def __init__(self, peer: Peer, heard: float) -> None:
        self.peer = peer
        self.heard = heard


class MeterDatagrams(asyncio.DatagramProtocol):
    """Serves one UDP port."""

    def __init__(self, host: Host, max_peers: int = MAX_PEERS) -> None:
        self._host = host
        self._max_peers = max_peers
        self._passage: Passage | None = None
        self._peers: OrderedDict[Address, _Known] = OrderedDict()
        self._nobody = Peer(host, "UDP")
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        sendto = cast(asyncio.DatagramTransport, transport).sendto
        self._passage = Passage(self._host.taps, "UDP", self._receive, sendto, transport)
        self._host.audience.join(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.audience.leave(self)
        while self._peers:
            self._peers.popitem()[1].peer.close()
        if self._passage is not None:
            self._passage.close()
            self._passage = None

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if self._passage is not None:
            self._passage.receive(data, addr)

    def _receive(self, data: bytes, addr: Address) -> None:
        now = asyncio.get_running_loop().time()
        self._forget_silent(now)
        try:
            source, destination, apdu = decode_datagram(data)
        except CodecError as error:
            self._nobody.report("datagram", text=f"{format_address(addr)}: {error}")
            return
        if not apdu or len(apdu) > MAX_APDU:
            return
        known = self._peers.get(addr)
        if known is None:
            if len(self._peers) >= self._max_peers and not self._make_room():
                self._report_full(addr)
                return
            known = _Known(self._peer(addr), now)
        try:
            replies = known.peer.serve(source, destination, apdu)
        except Unable:
            self._drop(addr, known)
            return
        if replies is None:
            return  # not for this meter, so no peer of it
        known.heard = now
        self._peers[addr] = known
        self._peers.move_to_end(addr)
        for reply in replies:
            self._send(known.peer, addr, Wpdu(destination, source, reply))
        self._host.audience.tell_all(self._host.device.outbox.take_announcements())
        self._host.restart_if_wanted()

    def _peer(self, addr: Address) -> Peer:
        """An answer is one datagram or none, so its blocks must fit: a client may take more."""
        return Peer(self._host, format_address(addr), ordered=False, most=MAX_DATAGRAM_APDU)

    def hang_up(self) -> None:
        """Nobody hears of it on UDP: what comes next is for no association."""
        for addr, known in tuple(self._peers.items()):
            self._drop(addr, known)

    def tell(self, what: Announcement) -> int:
        """Say to all associations of all peers what nobody has asked for. What has been silent for
        too long is no peer any more, so it costs nobody datagrams for longer than that.
        """
        self._forget_silent(asyncio.get_running_loop().time())
        told = 0
        for addr, known in tuple(self._peers.items()):
            for client_sap, server_sap in known.peer.associated():
                try:
                    apdus = known.peer.tell((client_sap, server_sap), what)
                except Unable:
                    self._drop(addr, known)
                    break
                told += bool(apdus)
                for apdu in apdus:
                    self._send(known.peer, addr, Wpdu(server_sap, client_sap, apdu))
        return told

    def _send(self, peer: Peer, addr: Address, wpdu: Wpdu) -> None:
        if len(wpdu.apdu) > MAX_DATAGRAM_APDU:
            # An answer fits; what is said unasked may not.
            peer.report("unable", text=f"{len(wpdu.apdu)} octets are too many for a datagram")
        elif self._passage is not None:
            self._passage.send(wpdu.encode(), addr)

    def _forget_silent(self, now: float) -> None:
        """The peers are in the order in which they were heard."""
        while self._peers:
            addr, known = next(iter(self._peers.items()))
            if now - known.heard < self._host.inactivity_timeout:
                return
            known.peer.report("inactive", text="forgotten")
            self._drop(addr, known)

    def _make_room(self) -> bool:
        """Forget the peer that was heard longest ago of those without an association."""
        for addr, known in self._peers.items():
            if known.peer.is_idle:
                self._drop(addr, known)
                return True
        return False

    def _drop(self, addr: Address, known: _Known) -> None:
        self._peers.pop(addr, None)
        known.peer.close()
        self._full = False

    def _report_full(self, addr: Address) -> None:
        """Once per time that all places are taken: events are memory, too."""
        if not self._full:
            self._full = True
            self._nobody.report("refused", text=f"{format_address(addr)}: {self._max_peers} peers")
