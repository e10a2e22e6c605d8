"""Execution counters (SMETS1 Supporting Requirements, clause 11): no request is carried out twice.

The meters know nothing of Users, so each party keeps the counters on their behalf. Requests may
overtake each other on their way: one that is a little late is taken, but none a second time.
"""

from __future__ import annotations

import sqlalchemy as sa

from emulator.database import Database
from emulator.requests.documents import ServiceRequest
from emulator.requests.refusal import RequestRefused

WINDOW = 64
"""By how much a counter may be behind the highest that was taken; as anti-replay windows of IPsec
(RFC 4303, 3.4.3)."""

_METADATA = sa.MetaData()
_COUNTERS = sa.Table(
    "execution_counters",
    _METADATA,
    sa.Column("party", sa.String, primary_key=True),
    sa.Column("originator", sa.String, primary_key=True),
    sa.Column("device", sa.String, primary_key=True),
    sa.Column("counter", sa.BigInteger, primary_key=True, autoincrement=False),
)
_C = _COUNTERS.c


class ExecutionCounters:
    """Of one ``party``."""

    def __init__(self, database: Database, party: str) -> None:
        self._database = database
        self._party = party
        database.use("execution counters", 1, _METADATA)

    def take(self, request: ServiceRequest) -> None:
        """Spend the counter of a request that is right in every other way. It lasts when this
        returns. :class:`~emulator.requests.refusal.RequestRefused` if it was taken before.
        """
        mine = self._mine(request.originator, request.device)
        counter = request.counter
        with self._database.begin() as connection:
            highest = connection.scalar(sa.select(sa.func.max(_C.counter)).where(mine)) or 0
            again = connection.scalar(
                sa.select(_C.counter).where(mine, _C.counter == counter).limit(1)
            )
            if again is not None or counter <= highest - WINDOW:
                raise RequestRefused(
                    self._party, "replayed", f"execution counter {counter} was used before"
                )
            connection.execute(
                _COUNTERS.insert().values(
                    party=self._party,
                    originator=request.originator.hex().upper(),
                    device=request.device.hex().upper(),
                    counter=counter,
                )
            )
            lowest = max(highest, counter) - WINDOW
            connection.execute(_COUNTERS.delete().where(mine, _C.counter <= lowest))

    def next(self, originator: bytes, device: bytes) -> int:
        """One above the highest that was taken: for what the party orders itself."""
        with self._database.begin() as connection:
            mine = self._mine(originator, device)
            return (connection.scalar(sa.select(sa.func.max(_C.counter)).where(mine)) or 0) + 1

    def _mine(self, originator: bytes, device: bytes) -> sa.ColumnElement[bool]:
        return sa.and_(
            _C.party == self._party,
            _C.originator == originator.hex().upper(),
            _C.device == device.hex().upper(),
        )
