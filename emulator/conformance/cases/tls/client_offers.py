"""TLS_A2: what a device offers in its ClientHello when it calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tlslite.constants import ExtensionType

from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.tree import Node, Sender, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer import hello as hellos
from emulator.conformance.tls_peer import offer
from emulator.conformance.tls_peer.expecting import handshake, nothing_of_it
from emulator.conformance.tls_peer.server import Manner, answer, door
from emulator.conformance.trying.trial import Trial

_GREASE = {0x0A0A + 0x1010 * number for number in range(16)}
"""Numbers that are offered so that servers learn to pass over them (RFC 8701)."""

_HELLOS = 3
_NEAR = 24 * 3600
"""Seconds from the true time within which a number is taken for a time."""

Complaints = Callable[[Trial, Any], Iterable[str]]


def reading(complaints: Complaints) -> Sender:
    """Read the ClientHello of a call: what is amiss with it, if anything is."""

    async def send(trial: Trial) -> Seen:
        hello = await _hello(trial)
        return Seen.found(complaints(trial, hello))

    return send


async def _hello(trial: Trial) -> Any:
    called = await answer(trial)
    await called.talk.close()
    if called.hello is None:
        raise Unjudged(f"no ClientHello came: {called.outcome.seen()}")
    return called.hello


def _is_real(number: int) -> bool:
    return number not in offer.SIGNALS and number not in _GREASE


def _compared(what: str, known: Any, wanted: Sequence[Any], got: Sequence[Any]) -> Iterator[str]:
    """In their order."""
    if list(wanted) != list(got):
        yield f"{what}: {offer.named(known, got)}; declared: {offer.named(known, wanted)}"


def _extension(hello: Any, number: int, field: str) -> list[Any]:
    found = hello.getExtension(number)
    return [] if found is None else list(getattr(found, field) or [])


@conversation("TLS_A2_GP_01_T")
def what_is_offered() -> Sequence[Node]:
    def complaints(trial: Trial, hello: Any) -> Iterator[str]:
        got = [one for one in hello.cipher_suites if _is_real(one)]
        yield from _compared("suites", offer.SUITES, offer.suites(trial), got)
        offered = _extension(hello, ExtensionType.supported_versions, "versions")
        versions = sorted(one for one in offered or [hello.client_version] if one[0] == 3)
        yield from _compared("versions", offer.VERSIONS, offer.versions(trial), versions)
        features = trial.declaration.features
        for number, feature in _OF_FEATURES.items():
            is_there = hello.getExtension(number) is not None
            if is_there != bool(features.get(feature)):
                said = "is offered" if is_there else "is not offered"
                yield f"extension {number} {said}, otherwise than {feature} says"

    async def taken(trial: Trial) -> Seen:
        called = await answer(trial)
        await called.talk.close()
        return called.outcome.seen()

    return (
        step("offer", reading(complaints), nothing_of_it("declared")),
        step("taken", taken, handshake()),
    )


_OF_FEATURES = {
    int(ExtensionType.extended_master_secret): "tls.ems",
    int(ExtensionType.session_ticket): "tls.ticket",
}


@conversation("TLS_A2_GP_02_T")
def signature_algorithms() -> Sequence[Node]:
    def complaints(trial: Trial, hello: Any) -> Iterator[str]:
        got = _extension(hello, ExtensionType.signature_algorithms, "sigalgs")
        wanted = offer.signatures(trial)
        yield from _compared("signature algorithms", offer.SCHEMES, sorted(wanted), sorted(got))

    return (step("signatures", reading(complaints), nothing_of_it("declared")),)


@conversation("TLS_A2_GP_03_T")
def groups() -> Sequence[Node]:
    def complaints(trial: Trial, hello: Any) -> Iterator[str]:
        offered = _extension(hello, ExtensionType.supported_groups, "groups")
        got = [one for one in offered if _is_real(one)]
        yield from _compared("groups", offer.CURVES, offer.curves(trial), got)

    return (step("groups", reading(complaints), nothing_of_it("declared")),)


@conversation("TLS_A2_CH_10_T")
def signature_algorithms_of_certificates() -> Sequence[Node]:
    def complaints(trial: Trial, hello: Any) -> Iterator[str]:
        got = _extension(hello, ExtensionType.signature_algorithms_cert, "sigalgs")
        wanted = offer.signatures(trial, "tls.signatures-cert")
        yield from _compared("of certificates", offer.SCHEMES, sorted(wanted), sorted(got))

    return (step("signatures", reading(complaints), nothing_of_it("declared")),)


@conversation("TLS_A2_FR_07")
def truncated_hmac() -> Sequence[Node]:
    def complaints(trial: Trial, hello: Any) -> Iterator[str]:
        if hello.getExtension(hellos.TRUNCATED_HMAC) is not None:
            yield "truncated_hmac is offered"

    return (step("hmac", reading(complaints), nothing_of_it("not-offered")),)


@conversation("TLS_A2_FR_09")
def compression() -> Sequence[Node]:
    def complaints(trial: Trial, hello: Any) -> Iterator[str]:
        if any(hello.compression_methods):
            yield f"compression methods {list(hello.compression_methods)} are offered"

    return (step("compression", reading(complaints), nothing_of_it("not-offered")),)


@conversation("TLS_A2_FR_13")
def random_time() -> Sequence[Node]:
    """Three numbers that are all within a day of now are times; by chance that happens once in
    10^13.
    """

    async def send(trial: Trial) -> Seen:
        at = await door(trial)
        times = []
        for _ in range(_HELLOS):
            called = await answer(trial, Manner(), at)
            await called.talk.close()
            if called.hello is None:
                raise Unjudged(f"no ClientHello came: {called.outcome.seen()}")
            times.append(int.from_bytes(bytes(called.hello.random[:4]), "big"))
        now = trial.clocks.today().timestamp()
        problems = []
        if all(abs(time - now) < _NEAR for time in times):
            problems.append(f"gmt_unix_time is the time: {times}")
        if len(set(times)) < len(times):
            problems.append(f"gmt_unix_time comes again: {times}")
        return Seen.found(problems)

    return (step("time", send, nothing_of_it("declared")),)
