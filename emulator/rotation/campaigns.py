"""Campaigns in the database: which key of which meter, and how far it is.

A step knows which version its key had, or was given last, when it was planned: it is done when the
key store has a later one in force. So nothing has to be written at the very moment at which a meter
takes a key, and whoever goes on after a crash finds out by asking the store and the meter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, NamedTuple

import sqlalchemy as sa

from dlms.security.keys import KeyKind
from emulator.database import Database
from emulator.journal import StoreError
from emulator.policy import Actor

NAME, VERSION = "rotation", 1
"""Of the tables, as the database knows them."""

METADATA = sa.MetaData()

CAMPAIGNS = sa.Table(
    "campaigns",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("begun_at", sa.String, nullable=False),
    sa.Column("cancelled_at", sa.String),
)

STEPS = sa.Table(
    "campaign_steps",
    METADATA,
    sa.Column("campaign", sa.ForeignKey("campaigns.number"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("meter", sa.String, nullable=False),
    sa.Column("party", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("beyond", sa.Integer, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("changed_at", sa.String, nullable=False),
)


class StepState(Enum):
    PLANNED = "planned"
    SENT = "sent"
    """Somebody is about it, or was when the process ended."""
    IN_DOUBT = "in doubt"
    """The meter may have the key; its answer was lost."""
    DONE = "done"
    REFUSED = "refused"
    NEEDLESS = "needless"
    """There is no such key to be rotated."""


SETTLED = frozenset({StepState.DONE, StepState.NEEDLESS})


class Step(NamedTuple):
    """``beyond`` is the version that the new key's is above; ``tries`` how often it was tried;
    ``reason`` why it is not done, empty if there is nothing to say.
    """

    position: int
    meter: str
    party: Actor
    kind: KeyKind
    beyond: int
    state: StepState = StepState.PLANNED
    tries: int = 0
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "meter": self.meter,
            "party": self.party.value.lower(),
            "kind": self.kind.name.lower(),
            "state": self.state.value,
            "tries": self.tries,
            "reason": self.reason,
        }


class Campaign(NamedTuple):
    number: int
    begun_at: dt.datetime
    cancelled: bool
    steps: tuple[Step, ...]

    @property
    def is_done(self) -> bool:
        return all(step.state in SETTLED for step in self.steps)

    def count(self, state: StepState) -> int:
        return sum(step.state is state for step in self.steps)

    @property
    def text(self) -> str:
        """How far it is, in one line."""
        counts = [f"{self.count(state)} {state.value}" for state in StepState if self.count(state)]
        return ", ".join(counts) or "no keys"


class Campaigns:
    """``now`` is the time that is written down. Every method may raise
    :class:`~emulator.database.DatabaseError`.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        database.use(NAME, VERSION, METADATA)
        self._database = database
        self._now = now

    def begin(self, steps: Iterable[Step]) -> int:
        """Write a campaign down; its number. :class:`StoreError` if another is not at its end."""
        latest = self.latest()
        if latest is not None and not latest.is_done and not latest.cancelled:
            raise StoreError(f"campaign {latest.number} is not done ({latest.text}): resume it")
        at = self._now().isoformat()
        with self._database.begin() as connection:
            number = (connection.scalar(sa.select(sa.func.max(CAMPAIGNS.c.number))) or 0) + 1
            connection.execute(CAMPAIGNS.insert().values(number=number, begun_at=at))
            for step in steps:
                row = step._asdict() | {
                    "party": step.party.name,
                    "kind": step.kind.name,
                    "state": step.state.name,
                }
                connection.execute(STEPS.insert().values(campaign=number, changed_at=at, **row))
        return number

    def latest(self) -> Campaign | None:
        with self._database.begin() as connection:
            number = connection.scalar(sa.select(sa.func.max(CAMPAIGNS.c.number)))
        return None if number is None else self.campaign(number)

    def campaign(self, number: int) -> Campaign:
        """:class:`StoreError` if there is none of that number."""
        with self._database.begin() as connection:
            found = connection.execute(
                sa.select(CAMPAIGNS).where(CAMPAIGNS.c.number == number)
            ).first()
            rows = connection.execute(
                sa.select(STEPS).where(STEPS.c.campaign == number).order_by(STEPS.c.position)
            ).all()
        if found is None:
            raise StoreError(f"there is no campaign {number}")
        steps = tuple(map(_step, rows))
        begun_at = dt.datetime.fromisoformat(found.begun_at)
        return Campaign(number, begun_at, found.cancelled_at is not None, steps)

    def is_cancelled(self, number: int) -> bool:
        query = sa.select(CAMPAIGNS.c.cancelled_at).where(CAMPAIGNS.c.number == number)
        with self._database.begin() as connection:
            return connection.scalar(query) is not None

    def cancel(self, number: int) -> None:
        """What is sent is not taken back; nothing more is."""
        with self._database.begin() as connection:
            connection.execute(
                CAMPAIGNS.update()
                .where(CAMPAIGNS.c.number == number, CAMPAIGNS.c.cancelled_at.is_(None))
                .values(cancelled_at=self._now().isoformat())
            )

    def mark(self, number: int, step: Step) -> None:
        """Write down how a step is now."""
        with self._database.begin() as connection:
            connection.execute(
                STEPS.update()
                .where(STEPS.c.campaign == number, STEPS.c.position == step.position)
                .values(
                    state=step.state.name,
                    tries=step.tries,
                    reason=step.reason,
                    changed_at=self._now().isoformat(),
                )
            )


def _step(row: sa.Row[Any]) -> Step:
    return Step(
        row.position,
        row.meter,
        Actor[row.party],
        KeyKind[row.kind],
        row.beyond,
        StepState[row.state],
        row.tries,
        row.reason,
    )
