"""A client and a server with general block transfer, and all that passes between them."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlms.association.events import BlockExchanged, BlocksCarried, RequestReceived
from dlms.axdr.data import octet_string
from dlms.client.dialogue import Dialogues
from dlms.client.effects import Compute, Post
from dlms.errors import RemoteProtocolError
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestWithList,
    ActionResponse,
    ActionResponseWithList,
    MethodResult,
)
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest, GetRequestWithList, GetResponse, GetResponseWithList
from dlms.xdlms.set import SetRequest, SetRequestWithList, SetResponse, SetResponseWithList

ATTRIBUTE = AttributeDescriptor(1, bytes((0, 0, 96, 1, 0, 255)), 2)
GENERAL = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.GENERAL_PROTECTION
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.GENERAL_BLOCK_TRANSFER
)


VALUE = octet_string(bytes(range(256)))
LAST, STREAMING = 0x80, 0x40


def block(number: int, acknowledged: int, data: bytes = b"", control: int = 3) -> bytes:
    """With a window of 3 unless ``control`` says something else; no data has more than 127."""
    return (
        bytes((0xE0, control))
        + number.to_bytes(2, "big")
        + acknowledged.to_bytes(2, "big")
        + bytes((len(data),))
        + data
    )


def stream(apdu: bytes, acknowledged: int = 0, size: int = 100) -> list[bytes]:
    """``apdu`` in one stream."""
    cut = [apdu[at : at + size] for at in range(0, len(apdu), size)]
    controls = [STREAMING | 3] * (len(cut) - 1) + [LAST | 3]
    return [
        block(number, acknowledged, data, control)
        for number, (data, control) in enumerate(zip(cut, controls, strict=True), 1)
    ]


def carried_out(request: Any, value: Any) -> tuple[Any, Any]:
    """The response of a meter all of whose attributes are ``value``, and their value from then on.

    Methods return what they are given.
    """
    match request:
        case GetRequest(invoke):
            return GetResponse(invoke, value), value
        case GetRequestWithList(invoke, items):
            return GetResponseWithList(invoke, (value,) * len(items)), value
        case SetRequest(invoke, _, new):
            return SetResponse(invoke, DataAccessResult.SUCCESS), new
        case SetRequestWithList(invoke, _, values):
            done = (DataAccessResult.SUCCESS,) * len(values)
            return SetResponseWithList(invoke, done), values[-1]
        case ActionRequest(invoke, _, parameter):
            return ActionResponse(invoke, ActionResult.SUCCESS, parameter), value
        case ActionRequestWithList(invoke, _, parameters):
            results = (MethodResult(ActionResult.SUCCESS, given) for given in parameters)
            return ActionResponseWithList(invoke, tuple(results)), value
    raise AssertionError(request)


class Talk:
    """A client's dialogues with a server that carries out what it is asked and counts how often.

    ``asked`` and ``said`` are the APDUs, or blocks, that went to and from the server. ``block`` and
    ``stream`` make blocks by hand, for ``serve`` or ``hexes``.
    """

    block = staticmethod(block)
    stream = staticmethod(stream)

    def __init__(self, pair: Any) -> None:
        self.pair = pair
        self.dialogues = Dialogues(pair.client)
        self.value = octet_string(b"")
        self.done = self.steps = 0
        self.asked: list[bytes] = []
        self.said: list[bytes] = []
        self.reasons: list[str] = []
        self._on_the_way: deque[bytes] = deque()

    def hold(self, dialogue: Any) -> Any:
        given: Any = None
        try:
            while True:
                wish = dialogue.send(given)
                if isinstance(wish, Compute):
                    given = self.pair.ask(wish.step)
                    continue
                for apdu in wish.apdus:
                    self._on_the_way.extend(self.serve(apdu))
                given = None if isinstance(wish, Post) else self._on_the_way.popleft()
        except StopIteration as stop:
            assert not self._on_the_way, "all that was said was awaited"
            return stop.value

    def serve(self, apdu: bytes) -> tuple[bytes, ...]:
        """What the meter's room for one APDU does (emulator/serving)."""
        self.asked.append(apdu)
        try:
            replies = self._exchange(apdu)
        except RemoteProtocolError as error:
            self.reasons.append(error.reason)
            replies = self.pair.server.carry(error.reply)
        self.said.extend(replies)
        return replies

    def hexes(self, apdu: bytes) -> list[str]:
        """What the server says to ``apdu``."""
        return [reply.hex() for reply in self.serve(apdu)]

    def still_works(self) -> None:
        before = self.done
        self.set(VALUE)
        assert self.get() == VALUE
        assert self.done == before + 2
        assert not self.pair.server._carrier.waiting

    def _exchange(self, apdu: bytes) -> tuple[bytes, ...]:
        server = self.pair.server
        event = self.pair.serve(server.receive(apdu))
        if isinstance(event, BlocksCarried):
            return event.replies
        if not isinstance(event, RequestReceived):
            self.steps += isinstance(event, BlockExchanged)
            return server.carry(event.reply)  # type: ignore[no-any-return]
        self.done += 1
        response, self.value = carried_out(event.request, self.value)
        if not event.confirmed:
            return server.carry(None)  # type: ignore[no-any-return]
        return server.carry(self.pair.serve(server.send(response)))  # type: ignore[no-any-return]

    def get(self) -> Any:
        return self.hold(self.dialogues.get(ATTRIBUTE))

    def set(self, value: Any) -> None:
        self.hold(self.dialogues.set(ATTRIBUTE, value))

    def opened(self) -> Talk:
        """Open it; what that took is forgotten."""
        self.hold(self.dialogues.open())
        self.asked.clear()
        self.said.clear()
        return self


@pytest.fixture
def general(bench: Any) -> Any:
    def make(
        client_pdu: int = 128,
        server_pdu: int = 128,
        services: Conformance = GENERAL,
        windows: tuple[int, int] = (1, 1),
        always: bool = False,
        **kind: Any,
    ) -> Talk:
        """``windows`` are the client's and the server's."""
        common = {"conformance": services}
        client = {**common, "max_pdu_size": client_pdu, "block_window": windows[0]}
        client |= {"always_in_blocks": always, **kind.pop("client", {})}
        server = {**common, "max_pdu_size": server_pdu, "block_window": windows[1]}
        server |= kind.pop("server", {})
        pair = bench(client=client, server=server, **kind)
        return Talk(pair)

    return make


@pytest.fixture(scope="session")
def vectors() -> dict[str, bytes]:
    """Those of general blocks, by name."""
    path = Path(__file__).parents[3] / "fixtures" / "vectors" / "gbt.json"
    return {row["name"]: bytes.fromhex(row["hex"]) for row in json.loads(path.read_text())}


@pytest.fixture(scope="session")
def carry_out() -> Callable[[Any, Any], tuple[Any, Any]]:
    return carried_out
