"""X_TLS: records that are wrong, empty, short or no records at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from tlslite.constants import ContentType
from tlslite.messages import ClientHello
from tlslite.messages import Message as Octets

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult
from emulator.bent_tls.bend import Bend, Message
from emulator.bent_tls.connection import BentConnection
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer.client import Talk, call, connect
from emulator.conformance.tls_peer.expecting import alert, closed, handshake, nothing_of_it
from emulator.conformance.tls_peer.outcome import Ended
from emulator.conformance.tls_peer.under import line_in
from emulator.conformance.trying.trial import Trial

BAD_RECORD_MAC, RECORD_OVERFLOW = 20, 22
MOST = 1 << 14
"""Octets of plain text in a record (RFC 5246, 6.2.1)."""

_EMPTY = 200
"""Empty records in a flood: more than anybody has a use for."""


async def session_of(trial: Trial) -> Talk:
    """A session as it should be. :class:`Unjudged` if there is none."""
    talk, outcome = await call(trial)
    if not outcome.has_session:
        raise Unjudged(f"no session: {outcome.seen()}")
    return talk


@conversation("X_TLS_BAD_MAC")
def bad_mac() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        talk = await session_of(trial)
        talk.connection.bend.record = lambda kind, body: body[:-1] + bytes((body[-1] ^ 1,))
        await talk.say(talk.connection.send_record(ContentType.application_data, bytes(16)))
        return (await talk.comes(trial.timing.answer)).seen()

    return (step("record", send, alert(BAD_RECORD_MAC)),)


@conversation("X_TLS_RECORD_LONG")
def long_record() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        talk = await session_of(trial)
        octets = bytes(MOST + 1)
        await talk.say(talk.connection.send_record(ContentType.application_data, octets))
        return (await talk.comes(trial.timing.answer)).seen()

    return (step("long", send, alert(RECORD_OVERFLOW)),)


@conversation("X_TLS_RECORD_EMPTY")
def empty_records() -> Sequence[Node]:
    async def fragment(trial: Trial) -> Seen:
        """Nobody must send it (RFC 5246, 6.2.1); what is to be done with it no clause says."""

        def outgoing(connection: BentConnection, message: Message) -> Iterable[Message]:
            if isinstance(message, ClientHello):
                return Octets(ContentType.handshake, bytearray()), message
            return (message,)

        talk, outcome = await call(trial, bend=Bend(outgoing=outgoing))
        await talk.close()
        return outcome.seen()

    async def flood(trial: Trial) -> Seen:
        talk = await session_of(trial)
        for _ in range(_EMPTY):
            await talk.say(talk.connection.send_record(ContentType.application_data, b""))
        outcome = await talk.comes(trial.timing.silence)
        if not outcome.has_session:
            return outcome.seen()
        seen = await spoken_to(trial, talk)
        return outcome.seen(seen.problems, answer="kept")

    return (
        step("handshake", fragment, alert(), handshake()),
        step("flood", flood, closed(), alert(), nothing_of_it("kept")),
    )


async def spoken_to(trial: Trial, talk: Talk, most: int = MOST) -> Seen:
    """An AARQ inside the session, in records of so many octets, as it should be: whether it is
    answered.
    """
    row = trial.row()
    probe = await trial.probe_of(row, line_in(trial, talk, most))
    seen = await probe.associate()
    aare = seen.message
    if isinstance(aare, Aare) and aare.result is AssociationResult.ACCEPTED:
        return Seen.found()
    return Seen.found((f"an AARQ in the session: {seen}",))


@conversation("X_TLS_SPLIT")
def split_apdu() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        talk = await session_of(trial)
        return await spoken_to(trial, talk, 1)

    return (step("split", send, nothing_of_it("delivered")),)


@conversation("X_TLS_TRUNCATED")
def truncated_apdu() -> Sequence[Node]:
    """An AARQ but its last octet, then the end of the TCP connection on our side: an answer to it
    would show that the rest was made up.
    """

    async def send(trial: Trial) -> Seen:
        talk = await session_of(trial)
        row = trial.row(lambda row: not row.context.ciphered, "without ciphering")
        probe = await trial.probe_of(row, await trial.open())
        aarq = probe.aarq()
        client, server = row.client_sap, row.server_sap
        header = b"".join(one.to_bytes(2, "big") for one in (1, client, server, len(aarq)))
        await talk.say(talk.connection.writeAsync(header + aarq[:-1]))
        talk.wire.half_close()
        outcome = await talk.comes(trial.timing.answer)
        made_up = ("an APDU that never came whole was answered",) if outcome.data else ()
        return outcome.seen(made_up)

    return (step("truncated", send, nothing_of_it("refused")),)


@conversation("X_TLS_PLAIN")
def no_tls() -> Sequence[Node]:
    async def plain(trial: Trial) -> Seen:
        row = trial.row(lambda row: not row.context.ciphered, "without ciphering")
        probe = await trial.probe_of(row, await trial.open())
        aarq = probe.aarq()
        header = b"".join(
            one.to_bytes(2, "big") for one in (1, row.client_sap, row.server_sap, len(aarq))
        )
        talk = await connect(trial)
        talk.wire.send(header + aarq)
        return await _heard_plainly(trial, talk)

    async def after(trial: Trial) -> Seen:
        talk, outcome = await call(trial)
        await talk.close()
        return outcome.seen()

    return (
        step("plain", plain, closed(), alert()),
        step("after", after, handshake()),
    )


async def _heard_plainly(trial: Trial, talk: Talk) -> Seen:
    """What comes, octet by octet: an alert is a record that begins with 21, 3."""
    octets = b""
    try:
        async with asyncio.timeout(trial.timing.answer):
            while not talk.wire.ended or talk.wire.has_news:
                await talk.wire.news()
                try:
                    octets += talk.wire.recv(4096)
                except BlockingIOError:
                    continue
    except TimeoutError:
        if not octets:
            return Seen.found(ended=Ended.SILENCE.value)
    if octets[:2] == b"\x15\x03" and len(octets) >= 7:
        return Seen.found(ended=Ended.ALERT.value, code=octets[6])
    if octets:
        said = f"{len(octets)} octets that are no alert: {octets[:16].hex(' ')}"
        return Seen.found((said,), ended=Ended.SESSION.value)
    return Seen.found(ended=Ended.CLOSED.value)
