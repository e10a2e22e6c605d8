"""Clients against our meters, which are in a process of their own, over loopback.

The peers block. Our client is asyncio, and on a single connection, where nearly all is waiting, to
block is the quicker way to wait. So there are three comparisons:

- "blocking": our protocol core over a blocking socket as well. Must be won, but for plain GETs:
  there the better of the peers does little else, and ours looks out for notifications, blocks and
  several associations on the connection as well; it comes within a few percent. Ciphered, 15 times
  the slower peer is aimed at, and 10 promised: what was reached on a busy machine.
- "asyncio": our client as it is; between it and the peers lies the price of an event loop. What
  comes out is told, and no failure. The rows without peers (policy and ledger, as the head end
  has them; TLS) are ours alone, ciphered and HLS.
- "10 at once": ten meters; ours from one loop, the peers from ten threads, one for each of their
  blocking connections. Must be won.

The floor waits in the same way (same loop and transport, or a blocking socket) for an echo: as many
exchanges, of as many octets, and nothing done with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeAlias

from client_blocking import BlockingClient, BlockingEcho
from client_cosem import CosemClient
from client_gurux import GuruxClient
from client_ours import EchoClient, OurClient, connect, echoes, gets
from measure import COSEM, FASTER, FLOOR, GURUX, OURS, Batch, Row, repeat, shares
from place import Place

GROUP = "loopback"

MANY = 10
_SIZE = {False: 30, True: 48}
"""Octets of a WPDU with a GET or its response, plain and ciphered, about."""

_SESSION_SIZE = 80
"""Octets of a WPDU with an AARQ, AARE, RLRQ and so on, about."""

_EXCHANGES = {False: 2, True: 3}
"""Exchanges of a session without data: association and release, and the HLS passes if ciphered."""


_GETS = {False: {GURUX: 1.0, COSEM: 0.85}, True: {GURUX: 10.0, COSEM: 1.0}}
"""What is promised of blocking GETs, plain and ciphered."""

_AIMS: dict[bool, dict[str, float]] = {False: {}, True: {GURUX: 15.0}}

_PEERS: dict[str, type[Any]] = {GURUX: GuruxClient, COSEM: CosemClient}

_Worker: TypeAlias = Callable[[int], Awaitable[None]]


def rows(place: Place) -> Iterator[Row]:
    """Each row holds its connections open until the next one is asked for."""
    with asyncio.Runner() as runner:
        bench = _Bench(place, runner)
        for build in bench.builders():
            with ExitStack() as stack:
                yield build(stack)


class _Bench:
    def __init__(self, place: Place, runner: asyncio.Runner) -> None:
        self._place = place
        self._run = runner.run
        self._meters = place.free_meters

    def builders(self) -> list[Callable[[ExitStack], Row]]:
        secured = {"ciphered": True, "tls": True}
        return [
            *(partial(self._blocking_gets, ciphered=ciphered) for ciphered in (False, True)),
            *(partial(self._blocking_sessions, ciphered=ciphered) for ciphered in (False, True)),
            *(partial(self._gets, ciphered=ciphered) for ciphered in (False, True)),
            *(partial(self._sessions, ciphered=ciphered) for ciphered in (False, True)),
            *(partial(self._gets_at_once, ciphered=ciphered) for ciphered in (False, True)),
            partial(self._our_gets, "GET with policy and ledger", ciphered=True, tagged=True),
            partial(self._our_gets, "GET over TLS", **secured),
            partial(self._our_gets, f"GET over TLS, {MANY} at once", count=MANY, **secured),
            partial(self._our_sessions, "session over TLS", **secured),
        ]

    # Blocking -----------------------------------------------------------------------------------

    def _blocking_gets(self, stack: ExitStack, *, ciphered: bool) -> Row:
        echo = BlockingEcho(self._place, _SIZE[ciphered], 1)
        clients = self._peers(ciphered)
        clients[OURS] = self._new(BlockingClient, ciphered)
        for client in (echo, *clients.values()):
            client.open()
            stack.callback(client.close)
        if len({bytes(client.get()) for client in clients.values()}) != 1:
            raise AssertionError("the clients read different values")
        contestants = {who: repeat(client.get) for who, client in clients.items()}
        contestants[FLOOR] = repeat(echo.ask)
        name = f"GET {_kind(ciphered)}, blocking"
        return Row(
            group=GROUP,
            name=name,
            contestants=contestants,
            least=_GETS[ciphered],
            aim=_AIMS[ciphered],
        )

    def _blocking_sessions(self, stack: ExitStack, *, ciphered: bool) -> Row:
        clients = self._peers(ciphered)
        clients[OURS] = self._new(BlockingClient, ciphered)
        echo = BlockingEcho(self._place, _SESSION_SIZE, _EXCHANGES[ciphered])
        contestants = {who: repeat(client.session) for who, client in clients.items()}
        contestants[FLOOR] = repeat(echo.session)
        name = f"session {_mechanism(ciphered)}, blocking"
        return Row(group=GROUP, name=name, contestants=contestants)

    # Our client ---------------------------------------------------------------------------------

    def _gets(self, stack: ExitStack, *, ciphered: bool) -> Row:
        row = self._our_gets(f"GET {_kind(ciphered)}, asyncio", stack, ciphered=ciphered)
        for who, client in self._peers(ciphered).items():
            client.open()
            stack.callback(client.close)
            row.contestants[who] = repeat(client.get)
        return row

    def _sessions(self, stack: ExitStack, *, ciphered: bool) -> Row:
        name = f"session {_mechanism(ciphered)}, asyncio"
        row = self._our_sessions(name, stack, ciphered=ciphered)
        for who, client in self._peers(ciphered).items():
            row.contestants[who] = repeat(client.session)
        return row

    def _gets_at_once(self, stack: ExitStack, *, ciphered: bool) -> Row:
        name = f"GET {_kind(ciphered)}, {MANY} at once"
        row = self._our_gets(name, stack, ciphered=ciphered, count=MANY, promised=True)
        pool = stack.enter_context(ThreadPoolExecutor(MANY))
        for who, kind in _PEERS.items():
            clients = [self._new(kind, ciphered) for _ in range(MANY)]
            for client in clients:
                client.open()
                stack.callback(client.close)
            row.contestants[who] = _threaded(pool, [repeat(client.get) for client in clients])
        return row

    def _our_gets(
        self,
        name: str,
        stack: ExitStack,
        *,
        ciphered: bool,
        tls: bool = False,
        tagged: bool = False,
        count: int = 1,
        promised: bool = False,
    ) -> Row:
        ours: list[_Worker] = []
        floor: list[_Worker] = []
        for _ in range(count):
            maker = OurClient(
                self._place, next(self._meters), ciphered=ciphered, tls=tls, tagged=tagged
            )
            client = self._run(maker.open())
            stack.callback(lambda client=client: self._run(client.close()))
            ours.append(partial(gets, client))
            echo = self._run(self._echo(tls))
            stack.callback(echo.close)
            floor.append(partial(echoes, echo, _SIZE[ciphered]))
        contestants = {OURS: self._batch(ours), FLOOR: self._batch(floor)}
        return Row(
            group=GROUP, name=name, contestants=contestants, least=FASTER if promised else {}
        )

    def _our_sessions(
        self, name: str, stack: ExitStack, *, ciphered: bool, tls: bool = False
    ) -> Row:
        ours = OurClient(self._place, next(self._meters), ciphered=ciphered, tls=tls)

        async def sessions(count: int) -> None:
            for _ in range(count):
                await ours.session()

        async def floor(count: int) -> None:
            for _ in range(count):
                echo = await self._echo(tls)
                await echoes(echo, _SESSION_SIZE, _EXCHANGES[ciphered])
                echo.close()

        contestants = {OURS: self._batch([sessions]), FLOOR: self._batch([floor])}
        return Row(group=GROUP, name=name, contestants=contestants, least={})

    # Helpers ------------------------------------------------------------------------------------

    def _new(self, kind: type[Any], ciphered: bool) -> Any:
        """A client with a meter of its own."""
        return kind(self._place, next(self._meters), ciphered=ciphered)

    def _peers(self, ciphered: bool) -> dict[str, Any]:
        return {who: self._new(kind, ciphered) for who, kind in _PEERS.items()}

    async def _echo(self, tls: bool) -> EchoClient:
        return await connect(EchoClient, self._place, self._place.echo[tls], tls)

    def _batch(self, workers: list[_Worker]) -> Batch:
        """A batch that shares its operations out among ``workers``, all at it at once."""

        async def work(count: int) -> None:
            await asyncio.gather(*map(_call, workers, shares(count, len(workers))))

        return lambda count: self._run(work(count))


def _call(worker: _Worker, count: int) -> Awaitable[None]:
    return worker(count)


def _threaded(pool: ThreadPoolExecutor, workers: list[Batch]) -> Batch:
    """The same with threads."""

    def work(count: int) -> None:
        parts = zip(workers, shares(count, len(workers)), strict=True)
        for future in [pool.submit(worker, part) for worker, part in parts]:
            future.result()

    return work


def _kind(ciphered: bool) -> str:
    return "ciphered" if ciphered else "plain"


def _mechanism(ciphered: bool) -> str:
    return "HLS" if ciphered else "public"
