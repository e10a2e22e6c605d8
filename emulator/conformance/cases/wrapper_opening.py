"""What the conversations on the wrapper share."""

from __future__ import annotations

from emulator.conformance.conversing.expect import data_of
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.probing.wpdu_port import WpduPort
from emulator.conformance.trying.trial import Trial


async def octets(trial: Trial) -> WpduPort:
    """A new connection that is octets and nothing else. Those before it are closed: a device may
    take one at a time.
    """
    await trial.close()
    return WpduPort(await trial.open(framed=False), trial.clocks.now)


def read_request(probe: Probe) -> bytes:
    """A read as this association protects it."""
    return probe.protected(probe.get_request(LOGICAL_NAME).encode())


def is_read(seen: Seen) -> bool:
    return data_of(seen) is not None
