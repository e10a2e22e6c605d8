"""TLS_B2_FR_05, _13, _15, _16 and X_TLS_RESUMED_EMS: sessions that are taken up again, and how long
they last. ``tls.lifetime`` is in hours; the setting ``tls.lifetime-seconds`` says it finer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tlslite.constants import ExtensionType

from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer import hello
from emulator.conformance.tls_peer.client import call
from emulator.conformance.tls_peer.expecting import alert, closed, full_handshake, resumed
from emulator.conformance.trying.trial import Trial

_HOUR = 3600.0
_MARGIN = 0.1


def lifetime(trial: Trial) -> float:
    """Seconds that a session lasts by the declaration."""
    declared = trial.declaration.settings.get("tls.lifetime-seconds", "")
    return float(declared) if declared else trial.declaration.features["tls.lifetime"] * _HOUR


async def _first(trial: Trial, *, ticket: bool = False, change: hello.Change | None = None) -> Any:
    """A session that may be resumed. :class:`Unjudged` if the device gives no means."""
    without = hello.without(ExtensionType.session_ticket)
    change = hello.changes(*(() if ticket else (without,)), *((change,) if change else ()))
    talk, outcome = await call(trial, hello=change)
    if not outcome.has_session:
        raise Unjudged(f"no first session: {outcome.seen()}")
    await talk.close()
    session = talk.connection.session
    if not (session.tls_1_0_tickets if ticket else session.sessionID):
        what = "ticket" if ticket else "session id"
        trial.record.note(f"the device gives no {what}")
        return None
    session.resumable = True
    return session


async def _resumable(trial: Trial) -> tuple[Any, bool]:
    """A first session, and whether a ticket is what resumes it. :class:`Unjudged` without one."""
    ticket = not trial.declaration.features.get("tls.session-id")
    session = await _first(trial, ticket=ticket)
    if session is None:
        raise Unjudged("the device gives no means to resume the session")
    return session, ticket


def _again(trial: Trial, session: Any, ticket: bool, *changes: hello.Change) -> dict[str, Any]:
    """A second handshake that offers to go on with a session, by that means alone."""
    if ticket:
        session.sessionID = bytearray(b"")
        return {"session": session, "hello": hello.changes(*changes)}
    session.tls_1_0_tickets[:] = []
    without = hello.without(ExtensionType.session_ticket)
    return {"session": session, "hello": hello.changes(without, *changes)}


async def _twice(trial: Trial, ticket: bool) -> Seen:
    session = await _first(trial, ticket=ticket)
    if session is None:
        what = "ticket" if ticket else "session id"
        return Seen.found((f"the device gives no {what}, and declares that it does",))
    talk, outcome = await call(trial, **_again(trial, session, ticket))
    await talk.close()
    return outcome.seen()


@conversation("TLS_B2_FR_15")
def by_session_id() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        return await _twice(trial, ticket=False)

    return (step("session-id", send, resumed()),)


@conversation("TLS_B2_FR_16")
def by_ticket() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        return await _twice(trial, ticket=True)

    return (step("ticket", send, resumed()),)


@conversation("TLS_B2_FR_05")
def too_old() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        session, ticket = await _resumable(trial)
        await trial.wait(lifetime(trial) + _MARGIN, "the lifetime of a session")
        talk, outcome = await call(trial, **_again(trial, session, ticket))
        await talk.close()
        return outcome.seen()

    return (step("old", send, full_handshake(), alert()),)


@conversation("TLS_B2_FR_13")
def end_of_lifetime() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        talk, outcome = await call(trial)
        if not outcome.has_session:
            raise Unjudged(f"no session: {outcome.seen()}")
        await trial.wait(lifetime(trial) + _MARGIN, "the lifetime of a session")
        return (await talk.comes(trial.timing.answer)).seen()

    return (step("lifetime", send, closed()),)


@conversation("X_TLS_RESUMED_EMS")
def without_extended_master_secret() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        session, ticket = await _resumable(trial)
        if not session.extendedMasterSecret:
            raise Unjudged("the first session is without extended master secret")
        without = hello.without(ExtensionType.extended_master_secret)
        talk, outcome = await call(trial, **_again(trial, session, ticket, without))
        await talk.close()
        return outcome.seen()

    return (step("without", send, alert(), full_handshake()),)
