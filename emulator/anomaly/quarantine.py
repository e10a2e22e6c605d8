"""Requests that the S1SP holds, for its operator to release or delete. No other party has any."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa

from emulator.anomaly.tables import METADATA, NAME, QUARANTINE, VERSION
from emulator.database import Database
from emulator.requests.documents import CountersignedRequest


class NotHeld(ValueError):
    """No request of that number is in quarantine."""


class Held(NamedTuple):
    """``document`` is the Countersigned Service Request."""

    number: int
    moment: dt.datetime
    request: str
    device: bytes
    variant: str
    why: str
    document: bytes

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "since": self.moment.isoformat(),
            "request_id": self.request,
            "device": self.device.hex().upper(),
            "variant": self.variant,
            "why": self.why,
        }


class Quarantine:
    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now
        database.use(NAME, VERSION, METADATA)

    def hold(self, document: CountersignedRequest, why: str) -> int:
        """Hold a request; its number in quarantine."""
        request = document.request
        with self._database.begin() as connection:
            done = connection.execute(
                QUARANTINE.insert().values(
                    moment=self._now().timestamp(),
                    request=request.id,
                    device=request.device.hex().upper(),
                    variant=request.variant,
                    why=why,
                    document=document.to_octets(),
                )
            )
            assert done.inserted_primary_key is not None
            number: int = done.inserted_primary_key[0]
        return number

    def held(self) -> list[Held]:
        """The oldest first."""
        with self._database.begin() as connection:
            rows = connection.execute(sa.select(QUARANTINE).order_by(QUARANTINE.c.number)).all()
        return [_held(row) for row in rows]

    def get(self, number: int) -> Held:
        """:class:`NotHeld` if there is none."""
        with self._database.begin() as connection:
            return self._one(connection, number)

    def take_out(self, number: int) -> Held:
        """To release or delete it: whoever takes it out has it, and nobody else.
        :class:`NotHeld` if there is none.
        """
        with self._database.begin() as connection:
            held = self._one(connection, number)
            connection.execute(QUARANTINE.delete().where(QUARANTINE.c.number == number))
        return held

    def _one(self, connection: sa.Connection, number: int) -> Held:
        wanted = sa.select(QUARANTINE).where(QUARANTINE.c.number == number).with_for_update()
        row = connection.execute(wanted).one_or_none()
        if row is None:
            raise NotHeld(f"no request {number} is in quarantine")
        return _held(row)


def _held(row: Any) -> Held:
    moment = dt.datetime.fromtimestamp(row.moment, dt.UTC)
    device = bytes.fromhex(row.device)
    return Held(row.number, moment, row.request, device, row.variant, row.why, row.document)
