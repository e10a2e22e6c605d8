"""Requests that are broken off, and meters that break the rules: what the client says and refuses.

The suite X_CLI_TIMEOUT_REUSE: a counter is never used for another plaintext, and a late response
is never taken for that to another request.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.acse.names import ApplicationContext
from dlms.axdr.data import unsigned
from dlms.errors import LocalProtocolError
from dlms.framing import Wpdu
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.get import GetResponse
from dlms.xdlms.initiate import InitiateResponse
from emulator.client import (
    AnswerTimeout,
    AssociationLost,
    Keys,
    MeterFault,
    NotAssociated,
    Refused,
    connect,
    connect_blocking,
)

pytestmark = pytest.mark.usefixtures("own_process")
PATIENCE = 120.0
IMPATIENCE = 0.01
DRIVERS = ["asyncio", "blocking"]
CLOCK = (8, "0-0:1.0.0.255", 2)
AARE = Aare(
    application_context_name=ApplicationContext.LN.oid,
    result=AssociationResult.ACCEPTED,
    diagnostic=UserDiagnostic.NULL,
    user_information=InitiateResponse(
        conformance=Conformance.GET, server_max_receive_pdu_size=1024
    ).encode(),
).encode()
REFUSED = Aare(
    application_context_name=ApplicationContext.LN.oid,
    result=AssociationResult.REJECTED_PERMANENT,
    diagnostic=UserDiagnostic.AUTHENTICATION_FAILURE,
).encode()
RLRE = bytes.fromhex("6303800100")
SILENCE = b""
HANG_UP = None


def answer(invoke: int, value: int) -> bytes:
    return GetResponse(0x40 | invoke, unsigned(value)).encode()


class Place(NamedTuple):
    """A meter that answers each APDU by a script, and what it has been sent."""

    port: int
    got: list[bytes]
    news: asyncio.Event

    async def has(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.got) < count:
                self.news.clear()
                await self.news.wait()


Start = Callable[..., Awaitable[Place]]


@pytest.fixture
async def meter() -> AsyncIterator[Start]:
    servers: list[asyncio.Server] = []
    tasks: list[asyncio.Task[None]] = []

    async def start(*script: bytes | None) -> Place:
        place = Place(0, [], asyncio.Event())

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.append(asyncio.current_task())  # type: ignore[arg-type]  # there is one
            try:
                for line in script:
                    header = await reader.readexactly(8)
                    place.got.append(await reader.readexactly(int.from_bytes(header[6:], "big")))
                    place.news.set()
                    if line is HANG_UP:
                        return
                    if line:
                        pair = (
                            int.from_bytes(header[4:6], "big"),
                            int.from_bytes(header[2:4], "big"),
                        )
                        writer.write(Wpdu(*pair, line).encode())
                while len(header := await reader.read(8)) == 8:
                    place.got.append(await reader.read(int.from_bytes(header[6:], "big")))
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return place._replace(port=server.sockets[0].getsockname()[1])

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for server in servers:
        server.close()


async def hold(driver: str, place: Place, work: Callable[[Any, Any], Any]) -> Any:
    """``work(client, association)``, written as for the blocking driver, with either of them."""

    def block() -> Any:
        with connect_blocking("127.0.0.1", place.port, timeout=PATIENCE) as client:
            association = client.associate()
            association.open()
            try:
                return work(client, association)
            finally:
                association.close()

    if driver == "blocking":
        return await asyncio.to_thread(block)
    loop = asyncio.get_running_loop()

    class Waiting:
        """An asyncio object for a thread that waits."""

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            def call(*args: Any, **more: Any) -> Any:
                async def on_loop() -> Any:
                    found = getattr(self.inner, name)
                    result = found(*args, **more)
                    return await result if asyncio.iscoroutine(result) else result

                result = asyncio.run_coroutine_threadsafe(on_loop(), loop).result(PATIENCE)
                return Waiting(result) if hasattr(result, "open") else result

            return call

    async with (
        connect("127.0.0.1", place.port, timeout=PATIENCE) as client,
        client.associate() as association,
    ):
        return await asyncio.to_thread(work, Waiting(client), Waiting(association))


def impatient(association: Any) -> None:
    getattr(association, "inner", association)._meter.timeout = IMPATIENCE


@pytest.mark.parametrize("driver", DRIVERS)
async def test_x_cli_timeout_reuse(driver: str, meter: Start) -> None:
    """Nothing more is sent on that association, nor between those addresses."""
    place = await meter(AARE, answer(1, 7), SILENCE, answer(2, 9))

    def work(client: Any, a: Any) -> None:
        assert a.get(CLOCK) == 7
        impatient(a)
        with pytest.raises(
            AnswerTimeout, match=r"read clock .* attribute 2 time: no answer in time"
        ):
            a.get(CLOCK)
        for _ in range(2):
            with pytest.raises(AssociationLost, match="lost: AnswerTimeout in the middle of a req"):
                a.get(CLOCK)
        a.close()
        with pytest.raises(AssociationLost, match=r"client 16 with 1 .*: connect again"):
            client.associate().open()

    await hold(driver, place, work)
    assert len(place.got) == 3  # AARQ and two GETs: no RLRQ either


async def test_x_cli_timeout_reuse_when_cancelled(meter: Start) -> None:
    place = await meter(AARE, SILENCE, answer(1, 9))
    async with (
        connect("127.0.0.1", place.port, timeout=PATIENCE) as client,
        client.associate() as a,
    ):
        task = asyncio.create_task(a.get(CLOCK))
        waits = asyncio.create_task(a.get(CLOCK))
        await place.has(2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(AssociationLost, match="lost: CancelledError"):
            await waits
        with pytest.raises(AssociationLost):
            await a.set("clock", 3, 0, class_id=8)
    assert len(place.got) == 2


async def test_who_is_cancelled_before_his_turn_harms_nobody(meter: Start) -> None:
    place = await meter(AARE, SILENCE)
    async with (
        connect("127.0.0.1", place.port, timeout=PATIENCE) as client,
        client.associate() as a,
    ):
        first = asyncio.create_task(a.get(CLOCK))
        second = asyncio.create_task(a.get(CLOCK))
        await place.has(2)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert a._meter is not None
        assert a._meter.lost == ""
        a._client.channel.data_received(Wpdu(1, 16, answer(1, 5)).encode())
        assert await first == 5
        assert a._meter.lost == ""
        a._meter.timeout = IMPATIENCE  # for RLRQ, to which there is no answer


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_counter_is_spent_even_if_nobody_answers(driver: str, meter: Start) -> None:
    """X_CLI_TIMEOUT_REUSE, with keys: two AARQs, two invocation counters, also without a word
    about where the second begins.
    """
    keys = Keys(guek=bytes(range(16)), gak=bytes(range(16, 32)))
    how: Any = {"client_sap": 2, "keys": keys, "own_title": b"CLI12345", "timeout": IMPATIENCE}
    place = await meter(SILENCE)
    for more in ({"counter": 70}, {}):
        with pytest.raises(AnswerTimeout, match="association of client 2 with 1: no answer"):
            await associate(driver, place, **how, **more)
    await place.has(2)
    sealed = [Aarq.decode(apdu).user_information for apdu in place.got]
    counters = []
    for octets in sealed:
        assert octets is not None
        assert (octets[0], octets[2]) == (0x21, 0x30)  # glo-initiate-request, authenticated
        counters.append(int.from_bytes(octets[3:7], "big"))
    assert counters == [70, 71]


async def associate(driver: str, place: Place, **how: Any) -> None:
    if driver == "asyncio":
        async with connect("127.0.0.1", place.port) as client, client.associate(**how):
            return

    def work() -> None:
        with connect_blocking("127.0.0.1", place.port) as client, client.associate(**how):
            pass

    await asyncio.to_thread(work)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_refusal_is_no_loss(driver: str, meter: Start) -> None:
    place = await meter(AARE, bytes.fromhex("C401410103"), bytes.fromhex("D80203"), answer(3, 5))

    def work(_: Any, a: Any) -> None:
        with pytest.raises(Refused, match="attribute 2 time: read-write-denied: this association"):
            a.get(CLOCK)
        with pytest.raises(Refused, match="exception, other-reason: the meter does not say") as why:
            a.get(CLOCK)
        assert why.value.result is None
        assert a.get(CLOCK) == 5
        impatient(a)

    await hold(driver, place, work)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_what_was_not_negotiated_is_not_sent(driver: str, meter: Start) -> None:
    place = await meter(AARE, answer(2, 5))

    def work(_: Any, a: Any) -> None:
        with pytest.raises(LocalProtocolError, match="not negotiated"):
            a.set("clock", 3, 0, class_id=8)
        assert a.get(CLOCK) == 5
        impatient(a)

    await hold(driver, place, work)
    assert [apdu[0] for apdu in place.got] == [0x60, 0xC0, 0x62]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    ("line", "error"),
    [
        (HANG_UP, AssociationLost),
        (answer(9, 5), MeterFault),
        (b"\xff", MeterFault),
        (answer(1, 5)[:-1], MeterFault),
        (AARE, MeterFault),
    ],
    ids=["hung up", "another invoke id", "no APDU", "cut short", "a second AARE"],
)
async def test_meters_that_break_the_rules(
    driver: str, line: bytes | None, error: type[Exception], meter: Start
) -> None:
    place = await meter(AARE, line)

    def work(_: Any, a: Any) -> None:
        with pytest.raises(error, match=r"read clock .*: "):
            a.get(CLOCK)
        with pytest.raises(AssociationLost):
            a.get(CLOCK)

    await hold(driver, place, work)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        (REFUSED, NotAssociated, "client 16 with 1: rejected-permanent authentication-failure"),
        (bytes.fromhex("D80102"), Refused, "exception, service-not-supported"),
        (HANG_UP, AssociationLost, "closed the connection"),
        (b"\x61", MeterFault, "association of client 16 with 1: "),
    ],
)
async def test_associations_that_do_not_come_about(
    driver: str, line: bytes | None, error: type[Exception], words: str, meter: Start
) -> None:
    with pytest.raises(error, match=words):
        await associate(driver, await meter(line))


SECRETS = Keys(
    guek=b"GUEK-is-a-secret",
    gak=b"GAK--is-a-secret",
    password=b"password-secret",
    hls_secret=b"hls-secret-1234567",
    signing_key=b"signing-key-secret",
)
SHOWN = re.compile("secret|7365637265|115, 101, 99", re.IGNORECASE)
"""``secret`` as it is, in hexadecimal and in numbers."""


@pytest.mark.parametrize("line", [SILENCE, HANG_UP, REFUSED, AARE, bytes.fromhex("D80106")])
@pytest.mark.parametrize("mechanism", ["none", "lls", "hls-md5", "hls-gmac"])
async def test_no_key_is_in_what_goes_wrong(
    line: bytes | None, mechanism: str, meter: Start, caplog: pytest.LogCaptureFixture
) -> None:
    how: Any = {"keys": SECRETS, "own_title": b"CLI12345", "counter": 1, "timeout": IMPATIENCE}
    place = await meter(line)
    with pytest.raises(Exception, match="association of client") as caught:
        await associate("asyncio", place, mechanism=mechanism, ciphered=True, **how)
    told: BaseException | None = caught.value
    while told is not None:
        assert not SHOWN.search(f"{told!r} {told} {told.args}")
        told = told.__cause__ or told.__context__
    assert not SHOWN.search(caplog.text)


def test_no_key_is_in_a_repr() -> None:
    assert repr(SECRETS) == "<Keys: guek, gak, password, hls_secret, signing_key>"
    assert repr(Keys()) == "<Keys: none>"
