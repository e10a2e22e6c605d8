"""One party's eye on requests: it counts them in rolling periods of its clock, and looks at values.

A request counts whatever becomes of it afterwards; the one that is judged is among the count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa

from emulator.anomaly.tables import METADATA, NAME, NOTICES, SEEN, SETTINGS, VERSION
from emulator.anomaly.thresholds import Thresholds, Volume, read_thresholds
from emulator.database import Database
from emulator.requests.documents import ServiceRequest


class Breach(NamedTuple):
    """``of_value``: of a value; otherwise of a volume."""

    of_value: bool
    text: str


class Notice(NamedTuple):
    party: str
    moment: dt.datetime
    request: str
    text: str


class Watch:
    """``party`` is ``s1sp`` or ``dco``; ``now`` gives aware times."""

    def __init__(self, database: Database, party: str, now: Callable[[], dt.datetime]) -> None:
        self.database = database
        self.party = party
        self.now = now
        database.use(NAME, VERSION, METADATA)

    def set(self, text: str) -> None:
        """Take thresholds from a file. :class:`~emulator.anomaly.thresholds.ThresholdError`, and
        nothing is changed, if they are not right.
        """
        read_thresholds(text)
        with self.database.begin() as connection:
            connection.execute(SETTINGS.delete().where(SETTINGS.c.party == self.party))
            connection.execute(SETTINGS.insert().values(party=self.party, text=text))

    @property
    def thresholds(self) -> Thresholds:
        """None at all until they are set."""
        with self.database.begin() as connection:
            return self._thresholds(connection)

    def judge(self, request: ServiceRequest) -> Breach | None:
        """Count a request, and say what it breaches. A value comes first: it is the graver."""
        moment = self.now().timestamp()
        with self.database.begin() as connection:
            thresholds = self._thresholds(connection)
            connection.execute(
                SEEN.insert().values(
                    party=self.party,
                    originator=request.originator.hex().upper(),
                    variant=request.variant,
                    moment=moment,
                )
            )
            horizon = moment - max((v.period for v in thresholds.volumes), default=0)
            mine = SEEN.c.party == self.party
            connection.execute(SEEN.delete().where(mine, SEEN.c.moment <= horizon - 1))
            for limit in thresholds.limits:
                if limit.breached_by(request):
                    value = request.arguments[limit.argument]
                    return Breach(True, f"{limit.argument} is {value}; the threshold: {limit}")
            for volume in thresholds.volumes:
                if volume.concerns(request):
                    found = self._count(connection, volume, request, moment)
                    if found > volume.allowed:
                        return Breach(False, f"{found} requests; the threshold: {volume}")
        return None

    def notify(self, request: ServiceRequest, text: str) -> None:
        """Keep a notice: the S1SP's are for the User, the DCO's for its operator."""
        self.notify_id(request.id, text)

    def notify_id(self, request: str, text: str) -> None:
        """The same, of a request that is not at hand any more but for its ID."""
        with self.database.begin() as connection:
            connection.execute(
                NOTICES.insert().values(
                    party=self.party,
                    moment=self.now().timestamp(),
                    request=request,
                    text=text,
                )
            )

    def notices(self) -> list[Notice]:
        """The latest last."""
        wanted = sa.select(NOTICES).where(NOTICES.c.party == self.party).order_by(NOTICES.c.number)
        with self.database.begin() as connection:
            rows = connection.execute(wanted).all()
        return [
            Notice(row.party, dt.datetime.fromtimestamp(row.moment, dt.UTC), row.request, row.text)
            for row in rows
        ]

    def _thresholds(self, connection: sa.Connection) -> Thresholds:
        wanted = sa.select(SETTINGS.c.text).where(SETTINGS.c.party == self.party)
        text = connection.scalar(wanted)
        return Thresholds() if text is None else read_thresholds(text)[self.party]

    def _count(
        self, connection: sa.Connection, volume: Volume, request: ServiceRequest, moment: float
    ) -> int:
        wanted = [
            SEEN.c.party == self.party,
            SEEN.c.moment > moment - volume.period,
            SEEN.c.moment <= moment,
        ]
        if volume.user:  # then it is this one, or each by itself
            wanted.append(SEEN.c.originator == request.originator.hex().upper())
        if volume.variant:
            wanted.append(SEEN.c.variant == volume.variant)
        found = connection.scalar(sa.select(sa.func.count()).select_from(SEEN).where(*wanted))
        assert found is not None  # a count is always one row
        return found
