"""Control requests over MQTT: looked at as they come, carried out one after the other, answered.

A request is JSON on ``.../control/{action}`` with a response topic. At QoS 1 it may come twice:
with correlation data it is carried out once, and what comes again gets the same reply.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict, deque
from typing import Any, NamedTuple, NoReturn

from emulator.control import Control, ControlError
from emulator.control.errors import MALFORMED
from emulator.mqtt import payloads
from emulator.mqtt.link import Arrived
from emulator.mqtt.payloads import Payload
from emulator.mqtt.publisher import Publisher
from emulator.mqtt.topics import Tree

MAX_REQUEST = 16 * 1024
"""Octets of a request: no action takes as much."""

MAX_TOPIC = 1024
"""Octets of a response topic."""

MAX_CORRELATION = 256
"""Octets of correlation data; what clients use is 16 or so."""

MAX_ACTION = 100
"""Characters of an action that are looked at, and said again in the reply."""

MAX_DEPTH = 8
"""Of objects and arrays inside each other."""

MAX_WAITING = 64
"""Requests that wait for the one that is carried out."""

REMEMBERED = 1024
"""Requests whose replies are remembered, to say them again: the window of repetition."""

TOO_LONG = "too-long"
BUSY = "busy"
NO_RESPONSE_TOPIC = "no-response-topic"
BAD_RESPONSE_TOPIC = "bad-response-topic"
CORRELATION_REUSED = "correlation-reused"
"""Stable codes besides those of :mod:`emulator.control.errors`."""


class Request(NamedTuple):
    """A request that can be carried out, as far as can be seen from outside."""

    action: str
    meter: str | None
    arguments: dict[str, object]


class Known(NamedTuple):
    """A request by its correlation data: ``digest`` is of what it asked; ``reply`` is ``None``
    until it has been carried out.
    """

    digest: bytes
    reply: Payload | None


class Requests:
    """:meth:`hear` whatever comes; :meth:`run` carries out. Nothing that comes raises anything."""

    def __init__(self, control: Control, publisher: Publisher) -> None:
        self._control = control
        self._publisher = publisher
        self._waiting: deque[tuple[Request, Arrived]] = deque()
        self._news = asyncio.Event()
        self._known: OrderedDict[tuple[str, bytes], Known] = OrderedDict()

    def hear(self, arrived: Arrived) -> None:
        """Take a request, or answer at once why not."""
        try:
            _check_response_topic(self._publisher.tree, arrived.response_topic)
        except ControlError as error:
            self._publisher.refusal(arrived.topic, error.code, error.text)
            return
        action = (self._publisher.tree.action(arrived.topic) or "")[:MAX_ACTION]
        try:
            _check_lengths(arrived)
            if self._is_repeated(arrived):
                return
            request = read(action, arrived.payload)
            if len(self._waiting) >= MAX_WAITING:
                raise ControlError(BUSY, f"{MAX_WAITING} requests wait already; ask again")
        except ControlError as error:
            self._answer(arrived, _refused(action, error))
            return
        self._remember(arrived, None)
        self._waiting.append((request, arrived))
        self._news.set()

    async def run(self) -> NoReturn:
        """Carry out what has been taken, in its order."""
        while True:
            while self._waiting:
                request, arrived = self._waiting.popleft()
                reply = await self._carry_out(request)
                self._remember(arrived, reply)
                self._answer(arrived, reply)
            self._news.clear()
            await self._news.wait()

    async def _carry_out(self, request: Request) -> Payload:
        action, meter, arguments = request
        try:
            result = await self._control.call(action, meter, arguments)
        except ControlError as error:
            return _refused(action, error)
        return {"action": action, "result": result}

    def _answer(self, arrived: Arrived, reply: Payload) -> None:
        correlation = arrived.correlation
        if correlation is not None and len(correlation) > MAX_CORRELATION:
            correlation = None
        self._publisher.reply(arrived.response_topic, correlation, reply)

    # Repetition ---------------------------------------------------------------------------------

    def _is_repeated(self, arrived: Arrived) -> bool:
        """Whether the request has come before; then it has been or will be answered. What has the
        correlation data of another request is refused.
        """
        if arrived.correlation is None:
            return False
        known = self._known.get((arrived.response_topic, arrived.correlation))
        if known is None:
            return False
        if known.digest != _digest(arrived):
            raise ControlError(
                CORRELATION_REUSED, "another request had this correlation data; use new ones"
            )
        if known.reply is not None:
            self._answer(arrived, known.reply)
        return True

    def _remember(self, arrived: Arrived, reply: Payload | None) -> None:
        if arrived.correlation is None:
            return
        key = arrived.response_topic, arrived.correlation
        self._known[key] = Known(_digest(arrived), reply)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def read(action: str, payload: bytes) -> Request:
    """:class:`ControlError` if it is no request; what it asks is not looked at here."""
    try:
        document = json.loads(payload.decode("utf-8"), object_pairs_hook=_without_repetition)
    except UnicodeDecodeError:
        raise ControlError(MALFORMED, "no UTF-8") from None
    except json.JSONDecodeError as error:
        raise ControlError(MALFORMED, f"no JSON: {error}") from None
    except RecursionError:
        raise ControlError(MALFORMED, f"nested more than {MAX_DEPTH} deep") from None
    except ValueError as error:
        raise ControlError(MALFORMED, f"no JSON: {error}") from None
    if not isinstance(document, dict):
        raise ControlError(MALFORMED, "an object is expected, with meter and arguments")
    unknown = sorted(set(document) - {"meter", "arguments"})
    if unknown:
        raise ControlError(
            MALFORMED, f"unknown member {unknown[0][:40]!r}; there are: meter, arguments"
        )
    meter, arguments = document.get("meter"), document.get("arguments", {})
    if meter is not None and not isinstance(meter, str):
        raise ControlError(MALFORMED, "meter is a string")
    if not isinstance(arguments, dict):
        raise ControlError(MALFORMED, "arguments is an object")
    if _is_deeper(arguments, MAX_DEPTH):
        raise ControlError(MALFORMED, f"nested more than {MAX_DEPTH} deep")
    return Request(action, meter, arguments)


def _check_response_topic(tree: Tree, topic: str) -> None:
    if not topic:
        raise ControlError(NO_RESPONSE_TOPIC, "a request needs a response topic (MQTT 5)")
    if any(c in "+#\0" for c in topic) or len(topic.encode()) > MAX_TOPIC or topic[0] == "$":
        raise ControlError(BAD_RESPONSE_TOPIC, "the response topic is none to publish to")
    if tree.holds(topic):
        raise ControlError(BAD_RESPONSE_TOPIC, "the response topic is one of the sandbox's own")


def _check_lengths(arrived: Arrived) -> None:
    if len(arrived.payload) > MAX_REQUEST:
        raise ControlError(TOO_LONG, f"{len(arrived.payload)} octets; at most {MAX_REQUEST}")
    if arrived.correlation is not None and len(arrived.correlation) > MAX_CORRELATION:
        raise ControlError(TOO_LONG, f"correlation data of more than {MAX_CORRELATION} octets")


def _digest(arrived: Arrived) -> bytes:
    return hashlib.sha256(arrived.topic.encode() + b"\0" + arrived.payload).digest()


def _refused(action: str, error: ControlError) -> Payload:
    return {"action": action, "error": payloads.error(error.code, error.text)}


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is there twice")
    return found


def _is_deeper(value: object, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_is_deeper(part, depth - 1) for part in parts)
