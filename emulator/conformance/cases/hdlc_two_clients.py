"""X_HDLC_TWO_CLIENTS: links of two clients on one line, frame by frame in turn."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.framing.hdlc import llc
from emulator.conformance.cases.hdlc_negotiation import much
from emulator.conformance.cases.hdlc_opening import hdlc_line, usable
from emulator.conformance.cases.two_clients import reads_without, two_rows
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_of, found
from emulator.conformance.conversing.tree import Node, step
from emulator.conformance.probing.hdlc_line import HdlcLine
from emulator.conformance.probing.hdlc_link import HdlcLink
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial


@conversation("X_HDLC_TWO_CLIENTS")
def two_clients() -> Sequence[Node]:
    async def interleaved(trial: Trial) -> Seen:
        line = await hdlc_line(trial)
        probes = [await trial.probe_of(row, line) for row in two_rows(usable(trial))]
        problems = await _links(line, probes) or await _in_turn(trial, line, probes)
        clients = [probe.pair[0] for probe in probes]
        return Seen.found((*line.problems, *problems), clients=clients)

    return (step("interleaved", interleaved, found("split")),)


async def _links(line: HdlcLine, probes: Sequence[Probe]) -> list[str]:
    """Both links, the one made while the other is there."""
    problems = []
    for probe in probes:
        await line.unlink(probe.pair)  # the counter may have been asked for
    for probe in probes:
        link = line.link_between(probe.pair)
        seen = await link.connect(much())
        if not link.is_up:
            problems.append(f"no link of client {link.client}: {seen}")
    return problems


async def _in_turn(trial: Trial, line: HdlcLine, probes: Sequence[Probe]) -> list[str]:
    """Associations and reads of both; then the one link ends, and the other goes on."""
    first, second = probes
    problems = []
    for probe in probes:
        problems += await reads_without(trial, probe)
        seen = await probe.establish()
        if not probe.is_open:
            problems.append(f"no association of client {probe.pair[0]}: {seen}")
    if problems:
        return problems
    problems += await _reads(trial, probes, [line.link_between(probe.pair) for probe in probes])
    await line.unlink(first.pair)
    seen = await second.get()
    if data_of(seen) is None:
        problems.append(f"client {second.pair[0]} is lost with the link of the other: {seen}")
    return problems


async def _reads(trial: Trial, probes: Sequence[Probe], links: Sequence[HdlcLink]) -> list[str]:
    """A read of each, in two segments where the device takes segments: the first of both go
    before the second of either.
    """
    rests, problems = [], []
    for probe, link in zip(probes, links, strict=True):
        request = probe.protected(probe.get_request(LOGICAL_NAME).encode())
        rest = llc.COMMAND + request
        if trial.declaration.features.get("hdlc.segmented"):
            half, rest = rest[: len(rest) // 2], rest[len(rest) // 2 :]
            failed = await link.send_segment(half)
            if failed is not None:
                problems.append(f"no RR to a segment of client {link.client}: {failed}")
        rests.append(rest)
    for probe, link, rest in zip(probes, links, rests, strict=True):
        link.put(rest)
        seen = await probe.hear()
        if data_of(seen) is None:
            problems.append(f"client {link.client} does not get what it reads: {seen}")
    return problems
