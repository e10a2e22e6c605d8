"""X_TLS: handshake messages that are wrong or out of place, and early data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tlslite.constants import ContentType
from tlslite.messages import (
    Certificate,
    ChangeCipherSpec,
    ClientHello,
    ClientKeyExchange,
    Finished,
)

from emulator.bent_tls.bend import Bend, Message
from emulator.bent_tls.connection import BentConnection
from emulator.conformance.cases.tls.calling import each, is_refused
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.tree import Node, Sender, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer import hello
from emulator.conformance.tls_peer.client import call
from emulator.conformance.tls_peer.expecting import alert, refused
from emulator.conformance.trying.trial import Trial

UNEXPECTED_MESSAGE = 10

Instead = Callable[[BentConnection, Message], Iterable[Message] | None]
"""What to send in the place of a message, ``None`` for the message itself."""


def bending(instead: Instead) -> Sender:
    """A handshake in which something else is sent once. :class:`Unjudged` if it did not come to
    that.
    """

    async def send(trial: Trial) -> Seen:
        done = False

        def outgoing(connection: BentConnection, message: Message) -> Iterable[Message]:
            nonlocal done
            others = None if done else instead(connection, message)
            if others is None:
                return (message,)
            done = True
            return others

        talk, outcome = await call(trial, bend=Bend(outgoing=outgoing))
        await talk.close()
        if not done:
            raise Unjudged(f"it did not come to that: {outcome.seen()}")
        return outcome.seen()

    return send


@conversation("X_TLS_CCS_EARLY")
def early_change_cipher_spec() -> Sequence[Node]:
    def instead(connection: BentConnection, message: Message) -> Iterable[Message] | None:
        if isinstance(message, ClientHello):
            return message, ChangeCipherSpec()
        return None

    return (step("early", bending(instead), alert(UNEXPECTED_MESSAGE)),)


@conversation("X_TLS_FINISHED")
def wrong_finished() -> Sequence[Node]:
    def instead(connection: BentConnection, message: Message) -> Iterable[Message] | None:
        if not isinstance(message, Finished):
            return None
        message.verify_data = bytearray((message.verify_data[0] ^ 1,)) + message.verify_data[1:]
        return (message,)

    return (step("finished", bending(instead), alert()),)


@conversation("X_TLS_ORDER")
def out_of_order() -> Sequence[Node]:
    """ClientKeyExchange in the place of Certificate; the certificate comes after it."""

    async def send(trial: Trial) -> Seen:
        late: list[Message] = []
        done = False

        def outgoing(connection: BentConnection, message: Message) -> Iterable[Message]:
            nonlocal done
            if isinstance(message, Certificate):
                late.append(message)
                return ()
            if isinstance(message, ClientKeyExchange) and late:
                done = True
                return message, late.pop()
            return (message,)

        talk, outcome = await call(trial, bend=Bend(outgoing=outgoing))
        await talk.close()
        if not done:
            raise Unjudged(f"the device asks for no certificate: {outcome.seen()}")
        return outcome.seen()

    return (step("order", send, alert(UNEXPECTED_MESSAGE)),)


@conversation("TLS_B2_FR_17")
def early_data() -> Sequence[Node]:
    """Application data behind the ClientHello, with the extension that announces it in TLS 1.3 and
    without.
    """

    def early(octets: bytes) -> Callable[[], Bend]:
        def bend() -> Bend:
            def outgoing(connection: BentConnection, message: Message) -> Iterable[Message]:
                if isinstance(message, ClientHello) and not connection.seen:
                    return message, EarlyData(octets)
                return (message,)

            return Bend(outgoing=outgoing)

        return bend

    async def send(trial: Trial) -> Seen:
        octets = b"\x00\x01\x00\x10\x00\x01\x00\x00"  # the header of a WPDU: whatever it is
        make = early(octets)
        ways: list[tuple[str, dict[str, Any]]] = [
            ("the extension", {"bend": make(), "hello": hello.extension(hello.EARLY_DATA)}),
            ("nothing that announces it", {"bend": make()}),
        ]
        return await each(trial, ways, is_refused)

    return (step("early", send, refused(), alert()),)


class EarlyData:
    """Application data, as tlslite sends messages."""

    contentType = ContentType.application_data

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def write(self) -> bytearray:
        return bytearray(self._octets)
