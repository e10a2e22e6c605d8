"""X_TLS_HEARTBEAT and X_TLS_CLI_HEARTBEAT: RFC 6520, which nobody here has a use for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tlslite.constants import ContentType

from emulator.conformance.cases.tls.client_offers import reading
from emulator.conformance.cases.tls.server_records import session_of
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer import hello as hellos
from emulator.conformance.tls_peer.client import Talk, call
from emulator.conformance.tls_peer.expecting import alert, closed, not_selected, nothing_of_it
from emulator.conformance.tls_peer.outcome import Ended
from emulator.conformance.tls_peer.server import answer
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_ANSWER = Note[tuple[int, int, int]]("type and first octets of the record that came")

_ALLOWED = b"\x01"
"""HeartbeatMode peer_allowed_to_send."""

_REQUEST = b"\x01\x40\x00" + bytes(16)
"""A request of type 1 that announces 4000 hexadecimal octets of payload and has none."""

_KIND = int(ContentType.heartbeat)


@conversation("X_TLS_HEARTBEAT")
def to_a_server() -> Sequence[Node]:
    async def extension(trial: Trial) -> Seen:
        change = hellos.extension(hellos.HEARTBEAT, _ALLOWED)
        talk, outcome = await call(trial, hello=change)
        await talk.close()
        selected = outcome.extension(hellos.HEARTBEAT) is not None
        return outcome.seen(("heartbeat was selected",) if selected else ())

    async def request(trial: Trial) -> Seen:
        return await _asked(trial, await session_of(trial))

    return (
        step("extension", extension, not_selected()),
        step("request", request, alert(), closed(), nothing_of_it("kept")),
    )


@conversation("X_TLS_CLI_HEARTBEAT")
def to_a_client() -> Sequence[Node]:
    def complaints(trial: Trial, hello: Any) -> Iterator[str]:
        if hello.getExtension(hellos.HEARTBEAT) is not None:
            yield "heartbeat is offered"

    async def request(trial: Trial) -> Seen:
        called = await answer(trial)
        if not called.outcome.has_session:
            raise Unjudged(f"no session: {called.outcome.seen()}")
        return await _asked(trial, called.talk)

    return (
        step("extension", reading(complaints), nothing_of_it("not-offered")),
        step("request", request, alert(), closed(), nothing_of_it("kept")),
    )


async def _asked(trial: Trial, talk: Talk) -> Seen:
    """What comes of a request in a session; other records may come before."""
    await talk.say(talk.connection.send_record(_KIND, _REQUEST))
    outcome = await talk.conclude(_heartbeat(talk), trial.timing.silence)
    if outcome.ended is Ended.SESSION:
        kind, level, code = trial.notes.kept(_ANSWER)
        if kind == _KIND:
            return outcome.seen(("the heartbeat was answered",))
        if level < 2:
            return outcome.having(ended=Ended.CLOSED, why="close_notify").seen()
        return outcome.having(ended=Ended.ALERT, alert=code).seen()
    if outcome.ended is Ended.SILENCE:
        return outcome.seen(answer="kept")
    return outcome.seen()


def _heartbeat(talk: Talk) -> Iterator[Any]:
    """The next record that is a heartbeat or an alert."""
    while True:
        for result in talk.connection.next_record():
            if isinstance(result, int):
                yield result
                continue
            kind, octets = result
            if kind in (_KIND, int(ContentType.alert)) and len(octets) > 1:
                talk.trial.notes.keep(_ANSWER, (kind, octets[0], octets[1]))
                return
