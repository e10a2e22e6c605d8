"""TLS_A1 and TLS_A2_FR: what a device does with sessions when it calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tlslite.constants import ExtensionType
from tlslite.sessioncache import SessionCache

from emulator.conformance.cases.tls.client_refuses import having, reading_otherwise
from emulator.conformance.cases.tls.server_psk import shared_key
from emulator.conformance.cases.tls.server_sessions import lifetime
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.tree import Node, Pointless, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer import offer
from emulator.conformance.tls_peer.expecting import closed, full_handshake, handshake, resumed
from emulator.conformance.tls_peer.outcome import Ended
from emulator.conformance.tls_peer.server import Called, Manner, answer, door
from emulator.conformance.trying.trial import Trial

_MARGIN = 0.1
_KEY_LENGTH = 32


async def _once(trial: Trial, manner: Manner) -> Called:
    called = await answer(trial, manner)
    await called.talk.close()
    return called


def _offers(called: Called, number: int) -> bool:
    return called.hello is not None and called.hello.getExtension(number) is not None


@conversation("TLS_A2_FR_05")
def extended_master_secret() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        called = await _once(trial, Manner())
        offered = _offers(called, ExtensionType.extended_master_secret)
        return called.outcome.seen(offered=offered)

    return (step("ems", send, handshake(_with("extended master secret"))),)


def _with(what: str) -> Any:
    return lambda seen: "" if seen.facts["offered"] else f"{what} is not offered"


@conversation("TLS_A2_FR_06")
def encrypt_then_mac() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        names = offer.named(offer.SUITES, offer.suites(trial)).split(", ")
        with_cbc = [offer.SUITES[name] for name in names if "_CBC_" in name]
        if not with_cbc:
            raise Pointless("no suite with CBC is declared")

        called = await _once(trial, Manner(bend=reading_otherwise(having(with_cbc))))
        return called.outcome.seen(offered=_offers(called, ExtensionType.encrypt_then_mac))

    return (step("etm", send, handshake(_with("encrypt-then-MAC"))),)


@conversation("TLS_A2_FR_08")
def end_of_lifetime() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        called = await answer(trial)
        if not called.outcome.has_session:
            raise Unjudged(f"no session: {called.outcome.seen()}")
        await trial.wait(lifetime(trial) + _MARGIN, "the lifetime of a session")
        outcome = await called.talk.comes(trial.timing.answer)
        while outcome.data:
            outcome = await called.talk.comes(trial.timing.answer)
        return outcome.seen()

    return (step("lifetime", send, closed()),)


async def _twice(trial: Trial, first: Manner, second: Manner) -> Seen:
    at = await door(trial)
    called = await answer(trial, first, at)
    await called.talk.close()
    if not called.outcome.has_session:
        raise Unjudged(f"no first session: {called.outcome.seen()}")
    again = await answer(trial, second, at)
    await again.talk.close()
    return again.outcome.seen()


@conversation("TLS_A2_FR_10")
def by_session_id() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        manner = Manner(cache=SessionCache())
        return await _twice(trial, manner, manner)

    return (step("session-id", send, resumed()),)


def _with_tickets(trial: Trial) -> Manner:
    key = bytearray(trial.rng.randbytes(_KEY_LENGTH))

    def settings(taken: Any) -> None:
        taken.ticketKeys = [key]

    return Manner(settings=settings)


@conversation("TLS_A2_FR_11")
def by_ticket() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        manner = _with_tickets(trial)
        return await _twice(trial, manner, manner)

    return (step("ticket", send, resumed()),)


@conversation("TLS_A2_FR_12_T")
def resumption_declined() -> Sequence[Node]:
    """What the tester gave the first time it does not know the second time."""

    async def send(trial: Trial) -> Seen:
        if trial.declaration.features.get("tls.ticket"):
            return await _twice(trial, _with_tickets(trial), _with_tickets(trial))
        return await _twice(trial, Manner(cache=SessionCache()), Manner(cache=SessionCache()))

    return (step("declined", send, full_handshake()),)


@conversation("TLS_A1_FR_04_T")
def pre_shared_key() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        identity, key = shared_key(trial)

        def settings(taken: Any) -> None:
            taken.pskConfigs = [(identity, key, "sha256")]

        called = await _once(trial, Manner(version=(3, 4), settings=settings))
        offered = _offers(called, ExtensionType.pre_shared_key)
        if called.outcome.ended is Ended.SESSION and not offered:
            return called.outcome.seen(("no pre-shared key was offered",))
        return called.outcome.seen()

    return (step("psk", send, handshake()),)
