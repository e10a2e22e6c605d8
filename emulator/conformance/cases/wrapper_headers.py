"""X_WPDU_VER, X_WPDU_LEN*, X_WPDU_SPLIT: headers, and where WPDUs begin and end."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.framing.wrapper import MAX_APDU
from dlms.xdlms.codes import ServiceErrorCode
from dlms.xdlms.get import GetResponse
from emulator.conformance.cases.wrapper_opening import is_read, octets, read_request
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import alive, closed, exception, found, silence
from emulator.conformance.conversing.tree import Node, Pointless, Unjudged, step
from emulator.conformance.probing.probe import LOGICAL_NAME
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.probing.wpdu_port import wpdu
from emulator.conformance.trying.trial import Trial

VERSIONS = (0, 2, 0x0100)
"""Of the wrapper: none, the next, and 1 with its octets exchanged."""

MISSING = 16
"""Octets that a header announces and that do not come."""

BEHIND = 64
"""Octets of the longest APDU that come behind its header."""


@conversation("X_WPDU_VER")
def versions() -> Sequence[Node]:
    async def version(trial: Trial) -> Seen:
        probe = trial.probe
        seen = Seen.silence(trial.timing.silence)
        for number in VERSIONS:
            port = await octets(trial)
            said = wpdu(probe.pair, probe.aarq(), version=number)
            seen = await port.exchange(said, trial.timing.silence)
            if seen.what is What.APDU:
                break
        return seen

    return (step("version", version, closed(), silence()),)


@conversation("X_WPDU_LEN_SHORT")
def two_in_one() -> Sequence[Node]:
    async def two(trial: Trial) -> Seen:
        probe = trial.probe
        seen = await probe.establish()
        if not probe.is_open:
            raise Unjudged(f"no association: {seen}")
        wanted = [probe.get_request(LOGICAL_NAME) for _ in range(2)]
        said = b"".join(wpdu(probe.pair, probe.protected(one.encode())) for one in wanted)
        probe.line.write(said)
        problems = []
        for request in wanted:
            seen = await probe.hear()
            if not is_read(seen):
                problems.append(f"no value for invoke-id {request.invoke & 15}: {seen}")
                break
            problems += _wrong_invoke(request.invoke, seen)
        return Seen.found(problems)

    return (step("two", two, found("split")),)


def _wrong_invoke(invoke: int, seen: Seen) -> list[str]:
    response = seen.message
    if not isinstance(response, GetResponse) or response.invoke & 15 == invoke & 15:
        return []
    return [f"invoke-id {response.invoke & 15} instead of {invoke & 15}: not in their order"]


@conversation("X_WPDU_LEN_LONG")
def stalling() -> Sequence[Node]:
    async def stall(trial: Trial) -> Seen:
        probe = trial.probe
        request = read_request(probe)
        said = wpdu(probe.pair, request, announced=len(request) + MISSING)
        probe.line.write(said)
        seen = await probe.hear(trial.timing.silence)
        if seen.what is not What.SILENCE:
            return Seen.found([f"before all octets are there: {seen}"])
        probe.line.write(bytes(MISSING))
        seen = await probe.hear(trial.timing.silence)
        problems = [f"a part is carried out by itself: {seen}"] if is_read(seen) else []
        return Seen.found(problems, notes=[f"once all octets are there: {seen}"])

    return (step("stall", stall, found("waits")),)


@conversation("X_WPDU_SPLIT")
def pieces() -> Sequence[Node]:
    async def split(trial: Trial) -> Seen:
        probe = trial.probe
        await probe.line.trickle(wpdu(probe.pair, probe.aarq()))
        seen = probe.taken(await probe.hear())
        if not seen.problems and probe.config.mechanism.is_hls and probe.accepted.challenge:
            seen = await probe.authenticate()
        if not probe.is_open:
            return Seen.found((*seen.problems, f"no association: {seen}"))
        seen = await probe.get()
        return Seen.found([] if is_read(seen) else [f"no value: {seen}"])

    return (step("pieces", split, found("delivered")),)


@conversation("X_WPDU_LEN0")
def nothing() -> Sequence[Node]:
    async def empty(trial: Trial) -> Seen:
        probe = trial.probe
        probe.line.write(wpdu(probe.pair, b""))
        return await probe.hear(trial.timing.silence)

    async def association(trial: Trial) -> Seen:
        return await trial.probe.get()

    return step("empty", empty, silence()), step("association", association, alive())


@conversation("X_WPDU_LEN_MAX")
def longest() -> Sequence[Node]:
    async def most(trial: Trial) -> Seen:
        probe = trial.probe
        if probe.server_max_pdu in (0, MAX_APDU):
            raise Pointless("the device takes APDUs of any length")
        behind = read_request(probe).ljust(BEHIND, b"\x00")
        probe.line.write(wpdu(probe.pair, behind, announced=MAX_APDU))
        return await probe.hear(trial.timing.silence)

    pdu_too_long = exception(service=ServiceErrorCode.PDU_TOO_LONG)
    return (step("largest", most, closed(), pdu_too_long, silence()),)
