"""Two clients at one logical device, on one connection."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.conformance.conversing.expect import data_of
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.trying.trial import Trial


def two_rows(
    rows: Sequence[DeclaredAssociation],
) -> tuple[DeclaredAssociation, DeclaredAssociation]:
    """Two of different clients at one logical device, with keys of their own if there are such.
    :class:`Unjudged` if there are not two.
    """
    pairs = [
        (one, other)
        for one in rows
        for other in rows
        if one.client_sap != other.client_sap and one.server_sap == other.server_sap
    ]
    if not pairs:
        raise Unjudged("the keys of two clients of one logical device are not at hand")
    return max(pairs, key=lambda pair: sum(row.context.ciphered for row in pair))


async def reads_without(trial: Trial, probe: Probe) -> list[str]:
    """What is wrong if a client that has no association reads; nothing if it is refused."""
    apdu = probe.protected(probe.get_request(LOGICAL_NAME).encode())
    seen = await probe.exchange(apdu, trial.timing.silence)
    if data_of(seen) is None:
        return []
    return [f"client {probe.pair[0]} reads without an association: {seen}"]
