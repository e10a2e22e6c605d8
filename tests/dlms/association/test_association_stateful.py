"""Two connections, shared keys, lost and replayed messages, reopened associations.

The invariants are those of the reference, section 4: no (key, initialization vector) protects two
messages (I1), floors only grow (I2), nothing runs twice (I8), only authenticated peers are served
(I7), and a good association can always be had again (I6).
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from dlms.association.events import AssociationOpened, AuthenticationPending, RequestReceived
from dlms.association.state import State
from dlms.axdr.data import octet_string, unsigned
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.security.keys import KeyKind
from dlms.security.ops import Mac, Seal
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.set import SetRequest

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
TITLES = {"client": b"S1S\0\0\0\0\1", "server": b"MTR\0\0\0\0\1"}


def offered(octets: bytes | None) -> Any:
    """For a bundle: the message, if there is one."""
    return multiple() if octets is None else octets


class Machine(RuleBasedStateMachine):
    """``bench`` is set by the test; hypothesis builds the machine without arguments."""

    bench: Any

    to_server = Bundle("to_server")
    to_client = Bundle("to_client")
    connection = st.integers(0, 1)

    @initialize(dedicated=st.booleans(), form=st.sampled_from(Form))
    def build(self, dedicated: bool, form: Form) -> None:
        self.pairs = [
            self.bench(label=f"c{number}", dedicated=dedicated, client={"form": form})
            for number in range(2)
        ]
        first, second = self.pairs
        # One device, one head end: modules and counters are shared by both connections.
        for shared in ("server_module", "client_module", "server_counters", "client_counters"):
            setattr(second, shared, getattr(first, shared))
        if dedicated:
            ref = first.client_config.dedicated
            config = {"form": form, "dedicated": ref._replace(scope="other")}
            second.client_config = self.bench(client=config).client_config
        for pair in self.pairs:
            pair.renew()
        self.served: set[bytes] = set()
        self.authenticated: set[int] = set()
        self.floors: dict[Any, int] = {}

    # What the client does

    def client_does(self, number: int, call: str, *arguments: Any) -> Any:
        pair = self.pairs[number]
        was = pair.client.state
        try:
            return pair.ask(getattr(pair.client, call)(*arguments))
        except LocalProtocolError:
            assert pair.client.state is was
            return None

    @rule(target=to_server, number=connection)
    def open(self, number: int) -> Any:
        return offered(self.client_does(number, "open"))

    @rule(target=to_server, number=connection)
    def authenticate(self, number: int) -> Any:
        return offered(self.client_does(number, "authenticate"))

    @rule(target=to_server, number=connection, invoke=st.sampled_from([0x41, 0x42, 0x01]))
    def request(self, number: int, invoke: int) -> Any:
        return offered(self.client_does(number, "request", GetRequest(invoke, CLOCK)))

    @rule(target=to_server, number=connection)
    def write(self, number: int) -> Any:
        write = SetRequest(0x43, CLOCK, unsigned(1))
        return offered(self.client_does(number, "request", write))

    @rule(target=to_server, number=connection)
    def release(self, number: int) -> Any:
        return offered(self.client_does(number, "release"))

    @rule(
        target=to_server,
        number=connection,
        lost=st.sampled_from(["", "", "request", "response"]),
        release=st.sampled_from([False, False, True]),
    )
    def exchange(self, number: int, lost: str, release: bool) -> Any:
        """The next thing a client would do, there and back unless it is lost on the way."""
        pair = self.pairs[number]
        state = pair.client.state
        if state is State.IDLE:
            octets = self.client_does(number, "open")
        elif state is State.AUTHENTICATING:
            octets = self.client_does(number, "authenticate")
        elif state is State.ASSOCIATED and not release:
            octets = self.client_does(number, "request", GetRequest(0x41, CLOCK))
        elif state is State.ASSOCIATED:
            octets = self.client_does(number, "release")
        else:
            octets = None
        if octets is None:  # an answer is missing: give up
            pair.ask(pair.client.close())
            return multiple()
        if lost != "request":
            reply = self.server_takes(number, octets)
            if reply is not None and lost != "response":
                self.client_takes(number, reply)
        return octets

    # What the line does. Messages stay in their bundles: any may be lost, late, or come again,
    # and on the other connection too.

    def server_takes(self, number: int, octets: bytes) -> bytes | None:
        pair = self.pairs[number]
        was = pair.server.state
        try:
            event = pair.serve(pair.server.receive(octets))
        except RemoteProtocolError as error:
            return error.reply
        if isinstance(event, AuthenticationPending):
            self.authenticated.discard(number)
        if isinstance(event, AssociationOpened):
            assert was is State.AUTHENTICATING
            self.authenticated.add(number)
        reply: bytes | None = getattr(event, "reply", None)
        if isinstance(event, RequestReceived):
            assert number in self.authenticated
            assert octets not in self.served
            self.served.add(octets)
            if event.confirmed:
                response = GetResponse(event.request.invoke, octet_string(bytes(3)))
                reply = pair.serve(pair.server.send(response))
        return reply

    def client_takes(self, number: int, octets: bytes) -> None:
        pair = self.pairs[number]
        was = pair.client.state
        try:
            event = pair.ask(pair.client.receive(octets))
        except RemoteProtocolError:
            event = None
        if event is None:
            assert pair.client.state is was
        if isinstance(event, AssociationOpened):
            assert was is State.VERIFYING

    @rule(target=to_client, number=connection, octets=to_server)
    def deliver_to_server(self, number: int, octets: bytes) -> Any:
        return offered(self.server_takes(number, octets))

    @rule(number=connection, octets=to_client)
    def deliver_to_client(self, number: int, octets: bytes) -> None:
        self.client_takes(number, octets)

    @rule(number=connection, octets=to_server, position=st.integers(0, 200))
    def deliver_damaged_to_server(self, number: int, octets: bytes, position: int) -> None:
        damaged = bytearray(octets)
        damaged[position % len(damaged)] ^= 0x10
        pair = self.pairs[number]
        try:
            event = pair.serve(pair.server.receive(bytes(damaged)))
        except RemoteProtocolError:
            return
        assert not isinstance(event, RequestReceived | AssociationOpened)

    @rule(number=connection)
    def close_client(self, number: int) -> None:
        self.pairs[number].ask(self.pairs[number].client.close())

    @rule(number=connection)
    def close_server(self, number: int) -> None:
        self.pairs[number].serve(self.pairs[number].server.close())

    @rule(number=connection)
    def good_association(self, number: int) -> None:
        """I6: whatever happened, an undisturbed client gets in on a new connection."""
        pair = self.pairs[number]
        pair.serve(pair.server.close())
        pair.ask(pair.client.close())
        pair.works()
        self.authenticated.add(number)

    # What always holds

    @invariant()
    def no_vector_is_used_twice(self) -> None:
        """I1. A party that verifies f computes the MAC with its peer's title: those are no use of
        a vector, they repeat one on purpose.
        """
        if not hasattr(self, "pairs"):
            return
        pair = self.pairs[0]
        protecting = [
            vector
            for module, title in (
                (pair.client_module, TITLES["client"]),
                (pair.server_module, TITLES["server"]),
            )
            for vector in module.vectors
            if vector[1] == title
        ]
        assert len(protecting) == len(set(protecting))
        assert all(counter < 0xFFFFFFFF for _, _, counter in protecting)

    @invariant()
    def floors_only_grow(self) -> None:
        """I2, but for dedicated keys, which come and go."""
        if not hasattr(self, "pairs"):
            return
        for pair in self.pairs:
            for side in ("server", "client"):
                counters = getattr(pair, f"{side}_counters")
                for ref, floor in counters._floor.items():
                    if ref.kind is KeyKind.GUEK:
                        assert floor >= self.floors.get((side, ref), 0)
                        self.floors[side, ref] = floor

    @invariant()
    def states_are_consistent(self) -> None:
        if not hasattr(self, "pairs"):
            return
        for number, pair in enumerate(self.pairs):
            state = pair.server.state
            assert state in (State.IDLE, State.AUTHENTICATING, State.ASSOCIATED)
            if state is State.ASSOCIATED:
                assert number in self.authenticated
            if state is State.IDLE:
                assert pair.server.admitted is None
        kept = self.pairs[0].server_module.keys.refs
        dedicated = [ref for ref in kept if ref.kind is KeyKind.DEDICATED]
        assert len(dedicated) <= len(self.pairs)


def test_whole_runs(bench: Any) -> None:
    machine = type("Machine", (Machine,), {"bench": staticmethod(bench)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=120,
            stateful_step_count=40,
        ),
    )


@pytest.mark.parametrize("dedicated", [False, True])
@pytest.mark.parametrize("policy", [Protection.NONE, Protection.BOTH])
def test_many_associations_use_no_vector_twice(
    bench: Any, dedicated: bool, policy: Protection
) -> None:
    """The straight way, many times over, so that the property does not hang on random runs."""
    pair = bench(dedicated=dedicated, server={"policy": policy})
    for _ in range(50):
        pair.works()
        released = pair.hit(pair.ask(pair.client.release()))
        pair.ask(pair.client.receive(released.reply))
    for module, title in (
        (pair.client_module, TITLES["client"]),
        (pair.server_module, TITLES["server"]),
    ):
        own = [vector for vector in module.vectors if vector[1] == title]
        assert len(own) == len(set(own)) >= 50 * 4
        peers = [op for op in module.ops if isinstance(op, Seal | Mac) and op.title != title]
        assert all(isinstance(op, Mac) for op in peers)
        assert len(peers) == 50
