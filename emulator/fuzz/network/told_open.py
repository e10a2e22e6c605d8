"""Which associations a meter has, by what it has answered on the line: whatever its clients
believe, and also where an answer never came to them.
"""

from __future__ import annotations

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.acse.aarq import TAG as AARQ_TAG
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.acse.release import RLRE_TAG, RLRQ_TAG
from dlms.errors import CodecError
from dlms.security.counters import InvocationCounters
from emulator.fuzz.in_process.bench import Bench
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.judging import of_replies
from emulator.fuzz.target import Outcome, Seen


class ToldOpen:
    """``open`` are the clients, ``pending`` those that wait for pass 4."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.pending: set[str] = set()

    def gone(self, name: str) -> None:
        """The connection of that client has ended."""
        self.open.discard(name)
        self.pending.discard(name)

    def heard(
        self, bench: Bench, client: BenchClient, apdu: bytes, replies: tuple[bytes, ...]
    ) -> None:
        """What the meter has answered to an APDU of the client's, as it came."""
        if not replies:
            return
        asked, answered = apdu[:1], replies[0][:1]
        if asked == bytes((AARQ_TAG,)) and answered == bytes((AARE_TAG,)):
            self._told(client.name, replies[0])
        elif asked == bytes((RLRQ_TAG,)) and answered == bytes((RLRE_TAG,)):
            self.gone(client.name)
        elif client.name in self.pending:
            seen = _read(bench, client, replies)
            self.pending.discard(client.name)
            if seen.outcome is Outcome.ACCEPTED:
                self.open.add(client.name)

    def _told(self, name: str, octets: bytes) -> None:
        self.gone(name)
        try:
            aare = Aare.decode(octets)
        except CodecError:
            return
        if aare.result is not AssociationResult.ACCEPTED:
            return
        is_pending = aare.diagnostic is UserDiagnostic.AUTHENTICATION_REQUIRED
        (self.pending if is_pending else self.open).add(name)


def _read(bench: Bench, client: BenchClient, replies: tuple[bytes, ...]) -> Seen:
    """What an answer says. The client does not hear of it: its floors stay where they are."""
    party = client.party
    kept, party.counters = party.counters, InvocationCounters()
    try:
        return of_replies(bench, client, replies)
    finally:
        party.counters = kept
