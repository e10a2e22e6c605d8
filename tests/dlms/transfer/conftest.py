"""A block transfer whose server is a script, and one with both ends, whatever names it goes by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import event

from dlms.errors import RemoteProtocolError
from dlms.transfer.pieces import TooLong
from dlms.transfer.server import Answer
from dlms.xdlms import registry


@pytest.fixture(scope="session")
def play() -> Callable[..., Any]:
    def played(
        exchange: Any, request: Any, *responses: Any, room: int | None = None, **options: Any
    ) -> Any:
        """Send ``responses`` one after the other; give what was sent and what was returned."""
        transfer = exchange(request, room, **options)
        sent = [next(transfer)]
        try:
            for response in responses:
                sent.append(transfer.send(response))
        except StopIteration as end:
            assert response is responses[-1], "ended early"
            return sent, end.value
        raise AssertionError(f"more responses wanted after {sent}")

    return played


@pytest.fixture(scope="session")
def refuse() -> Callable[..., str]:
    def refused(exchange: Any, request: Any, *responses: Any, **options: Any) -> str:
        """The reason why the client refuses the last of ``responses``."""
        transfer = exchange(request, **options)
        next(transfer)
        for response in responses[:-1]:
            transfer.send(response)
        with pytest.raises(RemoteProtocolError) as caught:
            transfer.send(responses[-1])
        return caught.value.reason

    return refused


class Joined:
    """A client's dialogue and a server, joined by octets; ``returned`` is what the client gets.

    ``exchange`` makes a transfer of a request and a room, ``least`` is how many octets the
    acknowledgement of a block has, whatever room there is, and ``bound`` how many a request may
    have in a room.
    """

    def __init__(self, exchange: Any, server: Any, all_blocks: Any, least: int, bound: Any) -> None:
        self.server = server
        self.carried_out: list[Any] = []
        self.steps = 0
        self.returned: Any = None
        self._exchange = exchange
        self._all_blocks = all_blocks
        self._least = least
        self._bound = bound

    def run(self, request: Any, response: Any, there: int | None, back: int | None) -> None:
        transfer = self._exchange(request, there)
        bound = None if there is None else self._bound(request, there)
        answer = None
        while True:
            try:
                step: Any = next(transfer) if answer is None else transfer.send(answer)
            except StopIteration as end:
                self.returned = end.value
                return
            octets = step.encode()
            assert bound is None or len(octets) <= bound
            answer = self._reply(registry.decode(octets), response, back)
            self.steps += 1

    def _reply(self, step: Any, response: Any, back: int | None) -> Any:
        outcome = self.server.receive(step)
        if isinstance(outcome, Answer):
            octets = outcome.response.encode()
            assert back is None or len(octets) <= max(back, self._least)
        else:
            self.carried_out.append(outcome.request)
            octets = self.server.send(response, back, self._all_blocks)
            assert back is None or len(octets) <= back
        return registry.decode(octets)

    def arrives(self, request: Any, response: Any, there: int | None, back: int | None) -> None:
        """What is sent is what arrives, in no more room than there is, or not at all."""
        try:
            self.run(request, response, there, back)
        except TooLong:
            # Before the first step for want of room there, or after the last for want of room back.
            assert self.carried_out in ([], [request])
            short = there if not self.carried_out else back
            assert short is not None
            assert self.carried_out or not self.steps
            event(f"{type(request).__name__} too long")
            return
        assert self.carried_out == [request]
        assert self.returned == response
        assert self.server.pending == 0
        event(f"{type(request).__name__} {'in blocks' if self.steps > 1 else 'whole'}")


@pytest.fixture(scope="session")
def join() -> type[Joined]:
    return Joined
