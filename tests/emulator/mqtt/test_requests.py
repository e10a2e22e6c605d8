"""Control over MQTT: what is asked is done once and answered; so is what is no request."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from typing import Any

import jsonschema
import pytest

from emulator.control import Argument, Control, Kind, Scope
from emulator.control.errors import refused
from emulator.mqtt import requests as module
from emulator.mqtt.link import Arrived
from emulator.mqtt.outgoing import Outgoing
from emulator.mqtt.publisher import Publisher
from emulator.mqtt.requests import MAX_CORRELATION, MAX_REQUEST, MAX_WAITING, Requests
from emulator.mqtt.topics import Tree, schema

TREE = Tree("cosemlab", "lab")
TURN = Arrived(TREE.topic("control", action="turn"), b'{"meter":"aclara"}', "answers/here", b"1")


class Desk:
    """Requests with a control whose one action can be held up, and what they are answered."""

    def __init__(self, check: Any) -> None:
        self._check = check
        self.calls: list[tuple[str | None, dict[str, Any]]] = []
        self.called, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()
        self.control = Control(lambda: ["aclara"])
        self.control.register(
            "turn",
            self._turn,
            arguments=[Argument(name="times", kind=Kind.INTEGER, help="how often", most=9)],
            help="turn",
            meter=Scope.METER,
        )
        self.outgoing = Outgoing()
        self.outgoing.connected()
        now = lambda: dt.datetime(2019, 3, 26, 12, tzinfo=dt.UTC)  # noqa: E731
        self.requests = Requests(self.control, Publisher(TREE, self.outgoing, now))

    async def _turn(self, meter: str | None, given: dict[str, Any]) -> dict[str, object]:
        self.calls.append((meter, given))
        self.called.set()
        await self.open.wait()
        if given.get("times") == 7:
            raise refused("not seven times")
        return {"turned": len(self.calls)}

    async def answer(self, arrived: Arrived) -> Any:
        """What is said next, after ``arrived`` is heard."""
        self.requests.hear(arrived)
        return await self.next()

    async def next(self) -> Any:
        async with asyncio.timeout(30):
            number, message = await self.outgoing.take()
        self.outgoing.acknowledge(number)
        payload = json.loads(message.payload)
        self._check(message.schema, payload)
        if message.schema == "reply/1":
            assert message.topic == "answers/here"
            self.correlation = message.correlation
        else:
            assert message.topic == "cosemlab/lab/refusals"
        return payload


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk(lambda name, payload: jsonschema.validate(payload, schema(name)))
    task = asyncio.create_task(desk.requests.run())
    yield desk
    assert not task.done(), task
    task.cancel()


async def test_a_request_is_carried_out_and_answered(desk: Desk) -> None:
    asked = TURN._replace(payload=b'{"meter":"aclara","arguments":{"times":3}}')
    assert await desk.answer(asked) == {"action": "turn", "result": {"turned": 1}}
    assert desk.correlation == b"1"
    assert desk.calls == [("aclara", {"times": 3})]


BAD: list[tuple[str, Any, str, str]] = [
    ("no JSON", b"turn it", "malformed", "no JSON"),
    ("nothing", b"", "malformed", "no JSON"),
    ("no UTF-8", b'{"meter":"\xff"}', "malformed", "no UTF-8"),
    ("no object", b"[1]", "malformed", "an object is expected"),
    ("unknown member", b'{"metre":"aclara"}', "malformed", "unknown member 'metre'"),
    ("meter no string", b'{"meter":1}', "malformed", "meter is a string"),
    ("arguments no object", b'{"arguments":[]}', "malformed", "arguments is an object"),
    ("twice", b'{"meter":"a","meter":"aclara"}', "malformed", "a member is there twice"),
    (
        "deep",
        b'{"meter":"aclara","arguments":{"times":' + b"[" * 9 + b"]" * 9 + b"}}",
        "malformed",
        "nested more than 8 deep",
    ),
    ("very deep", b'{"arguments":' + b"[" * 8000, "malformed", "nested more than 8 deep"),
    ("digits", b'{"arguments":{"times":' + b"9" * 5000 + b"}}", "malformed", "no JSON"),
    ("too long", b'{"meter":"' + b"a" * MAX_REQUEST + b'"}', "too-long", "at most 16384"),
    ("unknown meter", b'{"meter":"nobody"}', "unknown-meter", "no meter 'nobody'"),
    ("no meter", b"{}", "bad-argument", "turn is for a meter"),
    (
        "unknown argument",
        b'{"meter":"aclara","arguments":{"speed":1}}',
        "bad-argument",
        "no argument 'speed'",
    ),
    (
        "out of range",
        b'{"meter":"aclara","arguments":{"times":10}}',
        "bad-argument",
        "times is a whole number (at most 9)",
    ),
    ("refused", b'{"meter":"aclara","arguments":{"times":7}}', "refused", "not seven times"),
]


@pytest.mark.parametrize(
    ("payload", "code", "text"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
async def test_what_cannot_be_done_is_answered(
    desk: Desk, payload: bytes, code: str, text: str
) -> None:
    reply = await desk.answer(TURN._replace(payload=payload))
    assert reply["error"]["code"] == code
    assert text in reply["error"]["text"]
    assert "\n" not in reply["error"]["text"]
    assert desk.correlation == b"1"
    assert desk.calls == ([] if code != "refused" else [("aclara", {"times": 7})])
    assert await desk.answer(TURN._replace(correlation=b"2")) == {
        "action": "turn",
        "result": {"turned": len(desk.calls)},
    }


async def test_an_unknown_action(desk: Desk) -> None:
    reply = await desk.answer(TURN._replace(topic=TREE.topic("control", action="explode")))
    assert reply["action"] == "explode"
    assert reply["error"]["code"] == "unknown-action"
    reply = await desk.answer(
        TURN._replace(topic=TREE.topic("control", action="e" * 60_000), correlation=None)
    )
    assert reply["action"] == "e" * 100


async def test_correlation_data_that_are_too_long(desk: Desk) -> None:
    reply = await desk.answer(TURN._replace(correlation=bytes(MAX_CORRELATION + 1)))
    assert reply["error"]["code"] == "too-long"
    assert desk.correlation is None
    assert "result" in await desk.answer(TURN._replace(correlation=bytes(MAX_CORRELATION)))


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("", "no-response-topic"),
        ("answers/+", "bad-response-topic"),
        ("answers/#", "bad-response-topic"),
        ("$SYS/answers", "bad-response-topic"),
        ("a" * 1025, "bad-response-topic"),
        ("cosemlab/lab/control/turn", "bad-response-topic"),
        ("cosemlab/lab", "bad-response-topic"),
    ],
)
async def test_without_a_place_for_the_reply_nothing_is_done(
    desk: Desk, topic: str, code: str
) -> None:
    said = await desk.answer(TURN._replace(response_topic=topic))
    assert said["topic"] == TURN.topic
    assert said["error"]["code"] == code
    assert await desk.answer(TURN) == {"action": "turn", "result": {"turned": 1}}


async def test_what_comes_twice_is_done_once_and_answered_alike(desk: Desk) -> None:
    first = await desk.answer(TURN)
    assert await desk.answer(TURN) == first == {"action": "turn", "result": {"turned": 1}}
    assert desk.correlation == b"1"
    # Of another client, or with other correlation data, or with none, it is another request.
    for n, other in enumerate((TURN._replace(correlation=b"2"), TURN._replace(correlation=None))):
        assert (await desk.answer(other))["result"] == {"turned": n + 2}
    assert (await desk.answer(TURN._replace(correlation=None)))["result"] == {"turned": 4}
    assert await desk.answer(TURN) == first


async def test_what_comes_again_while_it_is_carried_out_is_answered_once(desk: Desk) -> None:
    desk.open.clear()
    desk.requests.hear(TURN)
    desk.requests.hear(TURN)
    desk.open.set()
    assert (await desk.next())["result"] == {"turned": 1}
    assert (await desk.answer(TURN._replace(correlation=b"2")))["result"] == {"turned": 2}
    assert desk.correlation == b"2"


async def test_a_refusal_is_remembered_too(desk: Desk) -> None:
    asked = TURN._replace(payload=b'{"meter":"aclara","arguments":{"times":7}}')
    assert await desk.answer(asked) == await desk.answer(asked)
    assert len(desk.calls) == 1


@pytest.mark.parametrize(
    "other",
    [
        TURN._replace(payload=b'{"meter":"aclara","arguments":{}}'),
        TURN._replace(topic=TREE.topic("control", action="tur")),
    ],
)
async def test_correlation_data_of_another_request(desk: Desk, other: Arrived) -> None:
    await desk.answer(TURN)
    reply = await desk.answer(other)
    assert reply["error"]["code"] == "correlation-reused"
    assert len(desk.calls) == 1


async def test_the_window_of_repetition_is_bounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    for correlation in (b"1", b"2", b"3"):
        await desk.answer(TURN._replace(correlation=correlation))
    assert (await desk.answer(TURN._replace(correlation=b"2")))["result"] == {"turned": 2}
    assert (await desk.answer(TURN._replace(correlation=b"1")))["result"] == {"turned": 4}


async def test_too_many_at_once(desk: Desk) -> None:
    desk.open.clear()
    desk.requests.hear(TURN)
    async with asyncio.timeout(30):
        await desk.called.wait()
    for n in range(MAX_WAITING):
        desk.requests.hear(TURN._replace(correlation=b"w%d" % n))
    reply = await desk.answer(TURN._replace(correlation=b"too many"))
    assert reply["error"]["code"] == "busy"
    desk.open.set()
    replies = [await desk.next() for _ in range(MAX_WAITING + 1)]
    assert [reply["result"]["turned"] for reply in replies] == list(range(1, MAX_WAITING + 2))
    # It was not carried out, so it may be asked again.
    assert "result" in await desk.answer(TURN._replace(correlation=b"too many"))
