"""X_WPDU_PORT_*, X_WPDU_TWO_AA, X_WPDU_TCP_DROP: wPorts, and associations of a connection."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.acse.names import Referencing
from emulator.conformance.cases.two_clients import reads_without, two_rows
from emulator.conformance.cases.wrapper_opening import is_read, octets, read_request
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import closed, found, gone, refused, silence
from emulator.conformance.conversing.tree import Node, Pointless, Sender, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.seen import Seen
from emulator.conformance.probing.wpdu_port import wpdu
from emulator.conformance.trying.trial import Trial

NO_STATION, ALL_STATION = 0, 0x7F

UNKNOWN = range(0x1000, 0x8000)
"""wPorts that are no SAP of anybody: those are below."""


@conversation("X_WPDU_PORT_UNK")
def unknown() -> Sequence[Node]:
    return (
        step("destination", _calling(destination=True), silence(), closed()),
        step("source", _calling(source=True), silence(), closed()),
    )


def _calling(*, destination: bool = False, source: bool = False) -> Sender:
    async def send(trial: Trial) -> Seen:
        client, server = trial.probe.pair
        drawn = trial.rng.choice(UNKNOWN)
        pair = drawn if source else client, drawn if destination else server
        return await _called(trial, pair)

    return send


@conversation("X_WPDU_PORT_RSVD")
def reserved() -> Sequence[Node]:
    async def no_station(trial: Trial) -> Seen:
        return await _called(trial, (trial.probe.pair[0], NO_STATION))

    async def all_station(trial: Trial) -> Seen:
        return await _called(trial, (trial.probe.pair[0], ALL_STATION))

    return (
        step("no-station", no_station, silence(), closed()),
        step("all-station", all_station, silence(), closed()),
    )


async def _called(trial: Trial, pair: tuple[int, int]) -> Seen:
    """An AARQ from a wPort to another, on a connection of its own: whatever comes back is shown,
    from wherever to wherever it is.
    """
    port = await octets(trial)
    return await port.exchange(wpdu(pair, trial.probe.aarq()), trial.timing.silence)


@conversation("X_WPDU_TWO_AA")
def two_clients() -> Sequence[Node]:
    async def interleaved(trial: Trial) -> Seen:
        line = trial.line
        rows = two_rows([row for row in trial.declaration.associations if _at_hand(trial, row)])
        probes = [await trial.probe_of(row, line) for row in rows]
        problems: list[str] = []
        for probe in probes:
            problems += await reads_without(trial, probe)
            seen = await probe.establish()
            if not probe.is_open:
                problems.append(f"no association of client {probe.pair[0]}: {seen}")
        if problems:
            return Seen.found(problems)
        requests = [(probe, wpdu(probe.pair, read_request(probe))) for probe in probes * 2]
        line.write(b"".join(said for _, said in requests))
        for probe, _ in requests:
            seen = await probe.hear()
            if not is_read(seen):
                problems.append(f"client {probe.pair[0]} does not get what it reads: {seen}")
        first, second = probes
        if rows[0].release:
            await first.release()
            if not is_read(seen := await second.get()):
                problems.append(f"client {second.pair[0]} is lost with the other: {seen}")
        return Seen.found(problems, clients=[probe.pair[0] for probe in probes])

    return (step("interleaved", interleaved, found("split")),)


def _at_hand(trial: Trial, row: DeclaredAssociation) -> bool:
    is_long = row.context.referencing is Referencing.LOGICAL_NAME
    return is_long and trial.target.has_keys(row)


@conversation("X_WPDU_TCP_DROP")
def dropping() -> Sequence[Node]:
    async def reset(trial: Trial) -> Seen:
        await trial.probe.line.reset()
        stranger = await trial.probe_of()
        return await stranger.exchange(read_request(stranger), trial.timing.silence)

    async def floor(trial: Trial) -> Seen:
        ciphered = [row for row in trial.declaration.associations if row.context.ciphered]
        if not ciphered:
            raise Pointless("no association has ciphering")
        row = trial.row(lambda row: row.context.ciphered and _at_hand(trial, row), "with ciphering")
        await trial.close()
        before = await trial.associated(row)
        used = read_request(before)
        seen = await before.exchange(used)
        if not is_read(seen):
            raise Unjudged(f"no answer to a read: {seen}")
        await before.line.reset()
        after = await trial.associated(row)
        return await after.exchange(used, trial.timing.silence)

    return step("reset", reset, gone()), step("floor", floor, refused())
