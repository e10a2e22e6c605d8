"""DLMS inside a TLS session of the tester: a line like others, for probes."""

from __future__ import annotations

from emulator.bent_tls.inside import Inside
from emulator.channel import Channel, client_wrapper
from emulator.conformance.probing.line import Line
from emulator.conformance.tls_peer.client import Talk
from emulator.conformance.trying.trial import Trial


class InsideLine(Line):
    """Its octets are not recorded, those of TLS are already; its APDUs are."""

    def data_received(self, data: bytes) -> None:
        self.channel.data_received(data)

    def _sent(self, octets: bytes) -> None:
        """Recorded as it leaves, protected."""


def line_in(trial: Trial, talk: Talk, most: int = 1 << 14) -> Line:
    """A line in the session of ``talk``, whose records have so many octets. It ends with it."""
    line = trial.adopt(
        lambda number: InsideLine(talk.number, trial.record, Channel(client_wrapper))
    )
    line.connection_made(Inside(talk.connection, line, most))
    return line
