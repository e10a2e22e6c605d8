"""The clients' side of a run: who they are, what they have said, and the wire to the meter."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from dlms.axdr.data import Data
from dlms.security.drive import run as drive
from dlms.security.ops import Step
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.altering import Execute, Vectors, altering, signing
from emulator.fuzz.in_process.client import BenchClient, Party
from emulator.fuzz.in_process.wire import Wire
from emulator.fuzz.target import Direction, Passed
from emulator.fuzz.twist import STRAIGHT, Lost, Twist, edited

MAX_LINE = 65536
"""APDUs of a run that are kept."""


class Bench(ABC):
    """Clients of a meter, whatever it is and wherever. ``title`` is the meter's; ``line`` is all
    that has passed, ``steps`` the same by step, ``values`` what each step has brought.
    """

    wire: Wire

    def __init__(self, kinds: Mapping[str, ClientKind], seed: str, title: bytes) -> None:
        self.kinds = dict(kinds)
        self.seed = seed
        self.title = title
        self.vectors = Vectors()
        self.line: list[Passed] = []
        self.steps: list[tuple[Passed, ...]] = []
        self.values: list[Data | None] = []
        self.clients: dict[str, BenchClient] = {}
        self.parties: dict[str, Party] = {}

    @abstractmethod
    def now(self) -> dt.datetime:
        """True time, aware."""

    @abstractmethod
    def make_client(self, name: str, kind: ClientKind) -> BenchClient:
        """``ValueError`` if there is no such association."""

    def client(self, name: str) -> BenchClient:
        """``ValueError`` if there is none of that name."""
        found = self.clients.get(name)
        if found is None:
            kind = self.kinds.get(name) or ClientKind(association=name)
            found = self.clients[name] = self.make_client(name, kind)
            self.kinds[name] = kind
        return found

    def counter_of(self, client: BenchClient) -> tuple[BenchClient, AttributeDescriptor]:
        """Who asks for the counter that the meter has of a client's key, and where it is.
        ``ValueError`` if it has none.
        """
        number = client.row.security_setup
        if number is None:
            raise ValueError(f"the client {client.name} has no counter")
        where = AttributeDescriptor(1, bytes((0, 0, 43, 1, number, 255)), 2)
        return self.client("public"), where

    def hang(self, client: BenchClient) -> None:
        """The connection ends, and with it the association at both ends."""
        self.wire.hang(client)

    def exchange(
        self, client: BenchClient, apdu: bytes, twist: Twist = STRAIGHT
    ) -> tuple[bytes, ...]:
        """One APDU to the meter, and what comes back of its answers.
        :class:`~.wire.HungUp` if the connection has ended instead.
        """
        apdu = edited(apdu, twist.octets)
        if twist.lose is Lost.REQUEST:
            self._passed(Direction.LOST, client, apdu)
            return ()
        self._passed(Direction.SENT, client, apdu)
        heard = tuple(edited(reply, twist.answer) for reply in self.carried(client, apdu, twist))
        lost = twist.lose is Lost.RESPONSE
        for reply in heard:
            self._passed(Direction.LOST if lost else Direction.RECEIVED, client, reply)
        return () if lost else heard

    def carried(self, client: BenchClient, apdu: bytes, twist: Twist) -> tuple[bytes, ...]:
        """What the meter answers to an APDU that has arrived."""
        return self.wire.carry(client, apdu)

    def overheard(self, client: BenchClient, octets: bytes) -> None:
        """What has come to a client that did not ask for it."""
        self._passed(Direction.RECEIVED, client, octets)

    def _passed(self, direction: Direction, client: BenchClient, octets: bytes) -> None:
        if len(self.line) < MAX_LINE:
            self.line.append(Passed(direction, client.name, octets))

    # Steps of the client's ------------------------------------------------------------------------

    def executing(self, client: BenchClient, twist: Twist) -> Execute:
        """How the client's operations are carried out."""
        way: Execute = client.party.execute
        if twist.seal is not None or twist.mac is not None:
            # An attacker repeats what he likes: the look-out is for honest parties.
            tagging, title = client.party.tagging, client.config.own_title or b""
            way = altering(tagging.execute, twist.seal, twist.mac, client.key, title)
        if twist.public or twist.sign:
            way = signing(way, twist.public, twist.sign)
        return way

    def run(self, client: BenchClient, step: Step[Any], twist: Twist = STRAIGHT) -> Any:
        return drive(step, self.executing(client, twist))
