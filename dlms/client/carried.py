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
"""Blocks in a row that bring nothing new. A stream may be repeated whole; a meter that goes on like
that would keep us for ever."""


def carried(carrier: Carrier, apdu: bytes) -> Dialogue[bytes]:
    """Send ``apdu`` and give the APDU that answers it.

    ``TimeoutError`` if none comes, :class:`RemoteProtocolError` if what comes breaks the rules.
    """
    answer = yield from _await(carrier, carrier.send(apdu))
    pending, idle = carrier.pending, 0
    while is_general_block(answer):
        replies: tuple[bytes, ...] = ()
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
                yield from _acknowledge(carrier)
                return received.apdu
            replies = received.replies
        idle = idle + 1 if carrier.pending == pending else 0
        pending = carrier.pending
        if idle > MAX_IDLE:
            raise RemoteProtocolError("the meter repeats itself", reason="no-progress")
        answer = yield from _await(carrier, replies)
    carrier.passed_plain()
    return answer


def awaited(carrier: Carrier) -> Dialogue[bytes]:
    """The APDU that comes next, when one that was not asked for came instead."""
    raise AssertionError


def glanced(carrier: Carrier) -> Dialogue[bytes | None]:
    """An APDU that nobody asked for, if one is here; of one in blocks, all of it."""
    apdu: bytes | None = yield Glance()
    while apdu is not None and is_general_block(apdu):
        received = carrier.receive(apdu)
        if received.replies:
            yield Post(received.replies)
        if received.apdu is not None:
            return received.apdu
        apdu = yield Glance()
    return apdu


def _acknowledge(carrier: Carrier) -> Dialogue[None]:
    blocks = carrier.acknowledge()
    if blocks:
        yield Post(blocks)


def _await(carrier: Carrier, apdus: tuple[bytes, ...]) -> Dialogue[bytes]:
    while True:
        try:
            answer: bytes = yield Transmit(apdus)
        except TimeoutError:
            if not carrier.waiting:
                raise
            apdus = carrier.timeout()
        else:
            return answer
