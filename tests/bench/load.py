"""A load generator that costs as little as it can: raw sockets that replay requests made before.

Every lane is a connection with one request on its way at a time. While the clock runs the generator
has no asyncio, no framing and no cryptography to do: what is measured is the server.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from client_ours import NAME, plan
from measure import shares
from place import Place
from samples import INVOKE

from dlms.association.client import ClientAssociation
from dlms.axdr.data import Data
from dlms.framing.wrapper import Wpdu
from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.ops import Use
from dlms.security.protect import SecurityContext, Shape, open_ciphered, protect
from dlms.xdlms.get import GetRequest, decode_response
from emulator.client import BlockingChannel, BlockingMeterClient, SocketWire
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

_TIMEOUT = 30.0
"""Seconds that a whole batch may take, whose aim is a tenth of one."""
_READ = 4096
_SHAPE = Shape(Family.GLOBAL, Form.SERVICE, Protection.BOTH)


def connected(host: str, port: int) -> socket.socket:
    connection = socket.create_connection((host, port), _TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Lane(Protocol):
    """``reply`` is how many octets a reply has, ``last`` the last one that came."""

    connection: socket.socket
    reply: int
    last: bytes

    def requests(self, count: int) -> list[bytes]:
        """Make them, before the clock starts."""
        ...

    def close(self) -> None:
        """Check the last reply, and hang up."""
        ...


class MeterLane:
    """A ciphered association with a meter of its own; the request is always the same GET."""

    def __init__(self, place: Place, meter: int) -> None:
        config, keys = plan(place, ciphered=True)
        assert config.own_title is not None
        self._saps = config.client_sap, config.server_sap
        self._execute = SoftwareModule(KeyRing(place.fleet_secret)).execute
        self._context = SecurityContext(
            suite=0,
            own_title=config.own_title,
            peer_title=place.title,
            counters=InvocationCounters(),
            guek=place.guek,
            gak=place.gak,
        )
        self.connection = connected(place.host, place.meters[meter][0])
        association = ClientAssociation(config, keys, self._context.counters)
        channel = BlockingChannel(SocketWire(self.connection))
        self._client = BlockingMeterClient(channel, association, self._execute)
        self._client.open()
        self._value = self._client.get(NAME)
        self.connection.settimeout(_TIMEOUT)
        self.connection.sendall(*self.requests(1))
        self._checked = b""
        self.last = self.connection.recv(_READ)
        self.reply = len(self.last)
        self._check()

    def requests(self, count: int) -> list[bytes]:
        apdu = GetRequest(INVOKE, NAME).encode()
        octets = (
            run(protect(self._context, apdu, _SHAPE, Use.PROTECT_REQUEST), self._execute)
            for _ in range(count)
        )
        return [Wpdu(*self._saps, each).encode() for each in octets]

    def close(self) -> None:
        self._check()
        self._client.release()
        self.connection.close()

    def _check(self) -> None:
        """That what came is the value, protected as it must be; once, for it is fresh only once."""
        if self.last == self._checked:
            return  # a batch smaller than the number of lanes leaves some of them out
        self._checked = self.last
        opened = run(
            open_ciphered(
                self._context, self.last[8:], Use.OPEN_RESPONSE, required=Protection.BOTH
            ),
            self._execute,
        )
        result = decode_response(opened.apdu).result
        if not isinstance(result, Data) or result != self._value:
            raise AssertionError(f"the meter has answered {result}")


class EchoLane:
    """The echo of as many octets as a reply of the meter has."""

    def __init__(self, place: Place, size: int) -> None:
        self.connection = connected(place.host, place.echo_alone)
        self.reply = size
        self.last = bytes(size)

    def requests(self, count: int) -> list[bytes]:
        return [bytes(self.reply)] * count

    def close(self) -> None:
        if self.last != bytes(self.reply):
            raise AssertionError("the echo is another")
        self.connection.close()


class Load:
    """A batch: so many requests over all lanes, prepared before they are timed. The clock is the
    processor time of the process that answers (Linux), so that neither the generator nor whoever
    else is at work on the machine counts.
    """

    def __init__(self, lanes: Sequence[Lane], process: int) -> None:
        # What clock_getcpuclockid(3) gives for a process.
        self._clock = ~process << 3 | 2
        self._lanes = {lane.connection.fileno(): lane for lane in lanes}
        self._waiting: dict[int, deque[bytes]] = {}

    def prepare(self, count: int) -> None:
        self._waiting = {
            number: deque(lane.requests(share))
            for (number, lane), share in zip(
                self._lanes.items(), shares(count, len(self._lanes)), strict=True
            )
            if share
        }

    def clock(self) -> float:
        return time.clock_gettime(self._clock)

    def __call__(self, count: int) -> None:
        open_lanes = dict.fromkeys(self._waiting, b"")
        with select.epoll() as poll:
            for number, requests in self._waiting.items():
                poll.register(number, select.EPOLLIN)
                self._lanes[number].connection.sendall(requests.popleft())
            end = time.monotonic() + _TIMEOUT
            while open_lanes:
                # Never asleep: to wake a process up costs whoever sends to it, and on a virtual
                # machine more than the reply itself.
                ready = poll.poll(0)
                if not ready and time.monotonic() > end:
                    raise TimeoutError("the server does not answer")
                for number, _ in ready:
                    lane = self._lanes[number]
                    octets = lane.connection.recv(_READ)
                    if len(octets) != lane.reply:
                        octets = open_lanes[number] = open_lanes[number] + octets
                        if not octets or len(octets) > lane.reply:
                            raise AssertionError(f"reply of {len(octets)} octets")
                        if len(octets) < lane.reply:
                            continue
                        open_lanes[number] = b""
                    lane.last = octets
                    if self._waiting[number]:
                        lane.connection.sendall(self._waiting[number].popleft())
                    else:
                        poll.unregister(number)
                        del open_lanes[number]
