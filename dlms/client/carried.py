"""One APDU out and one in, over general block transfer where the association has it (GB Ed. 8,
9.4.6.13).

The client has the clock: where nothing comes although the meter has to acknowledge or to go on, the
client says again what it said last, up to :data:`~dlms.transfer.general.MAX_REPEATS` times.
"""

from __future__ import annotations

from dlms.association.carrying import Carrier, is_general_block
from dlms.client.effects import Dialogue, Glance, Post, Transmit
from dlms.errors import RemoteProtocolError
from dlms.xdlms.general_block import MAX_WINDOW

MAX_IDLE = 2 * MAX_WINDOW
"""Blocks in a row that bring a message no further than it has been. A stream may be repeated whole;
a meter that goes on like that would keep us for ever. So would one that begins again and again:
what it had come to before counts. Numbers end, so every message does."""


def carried(carrier: Carrier, apdu: bytes) -> Dialogue[bytes]:
    """Send ``apdu`` and give the APDU that comes next, which may be one that was not asked for.

    ``TimeoutError`` if none comes, however often blocks are said again;
    :class:`RemoteProtocolError` if what comes breaks the rules.
    """
    return (yield from _collected(carrier, carrier.send(apdu)))


def awaited(carrier: Carrier) -> Dialogue[bytes]:
    """The APDU that comes next, when one that was not asked for came instead."""
    return (yield from _collected(carrier, ()))


def _collected(carrier: Carrier, apdus: tuple[bytes, ...]) -> Dialogue[bytes]:
    furthest, idle = carrier.taken, 0
    while True:
        answer = yield from _next(carrier, apdus)
        if not is_general_block(answer):
            return answer
        apdus = ()
        try:
            received = carrier.receive(answer)
        except RemoteProtocolError as error:
            if error.reply is not None:
                yield Post((error.reply,))
            if not carrier.waiting:
                raise
            # Otherwise it is as if it were lost.
        else:
            if received.apdu is not None:
                blocks = carrier.acknowledge()
                if blocks:
                    yield Post(blocks)
                return received.apdu
            apdus = received.replies
        idle = idle + 1 if carrier.taken <= furthest else 0
        furthest = max(furthest, carrier.taken)
        if idle > MAX_IDLE:
            raise RemoteProtocolError("the meter repeats itself", reason="no-progress")


def glanced(carrier: Carrier) -> Dialogue[bytes | None]:
    """An APDU that nobody asked for, if one is here; of one in blocks, all of it."""
    apdu: bytes | None = yield Glance()
    while apdu is not None:
        carrier.check_length(apdu)
        if not is_general_block(apdu):
            break
        received = carrier.receive(apdu)
        if received.apdu is not None:
            return received.apdu
        if received.replies:
            yield Post(received.replies)
        apdu = yield Glance()
    return apdu


def _next(carrier: Carrier, apdus: tuple[bytes, ...]) -> Dialogue[bytes]:
    while True:
        try:
            answer: bytes = yield Transmit(apdus)
        except TimeoutError as nothing:
            if not carrier.waiting:
                raise
            try:
                apdus = carrier.timeout()
            except RemoteProtocolError as error:
                if error.reply is not None:
                    yield Post((error.reply,))
                raise nothing from error
        else:
            carrier.check_length(answer)
            return answer
