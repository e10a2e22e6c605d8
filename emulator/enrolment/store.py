"""What is known of each enrolment: written down when a step is done, before the next begins.

Whoever goes on from a record finds out if another process has gone on from it meanwhile.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from emulator.database import Database
from emulator.enrolment.authorisation import Authorisation
from emulator.enrolment.steps import EnrolmentError, State, Step
from emulator.enrolment.tables import ENROLMENTS, HISTORY, KEY_FILES, METADATA, NAME, VERSION
from emulator.policy import Actor


class Overtaken(EnrolmentError):
    """Another process works at the same enrolment."""


class Record(NamedTuple):
    """``step`` is the last that is done; ``turned`` is whether the point of no return is behind.
    ``attempts`` are those at the next step that have failed, ``error`` is why the last did.
    """

    title: bytes
    meter: str
    supplier: str
    authorisation: str
    step: Step
    state: State
    turned: bool
    attempts: int
    error: str
    detail: Mapping[str, Any]
    changed: str

    def to_json(self) -> dict[str, Any]:
        return {
            "meter": self.meter,
            "title": self.title.hex().upper(),
            "supplier": self.supplier,
            "kind": Authorisation.from_text(self.authorisation).kind.value,
            "step": self.step.text,
            "state": self.state.value,
            "point_of_no_return": self.turned,
            "attempts": self.attempts,
            "error": self.error,
            "changed": self.changed,
        }


class EnrolmentStore:
    """``now`` gives the time (aware)."""

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        database.use(NAME, VERSION, METADATA)
        self._database = database
        self._now = now

    def plan(self, title: bytes, meter: str, authorisation: Authorisation) -> Record:
        """A new enrolment. :class:`EnrolmentError` if there is one that was not rolled back."""
        found = self.find(title)
        if found is not None and found.state is not State.ROLLED_BACK:
            raise EnrolmentError(f"{meter}: its enrolment is {found.state.value} already")
        row = {
            "title": title.hex(),
            "meter": meter,
            "supplier": authorisation.supplier,
            "authorisation": authorisation.to_text(),
            "step": int(Step.PLANNED),
            "state": State.PLANNED.value,
            "turned": False,
            "attempts": 0,
            "error": "",
            "detail": "{}",
            "changed": self._stamp(),
        }
        with self._database.begin() as connection:
            connection.execute(ENROLMENTS.delete().where(ENROLMENTS.c.title == title.hex()))
            connection.execute(ENROLMENTS.insert().values(row))
            self._tell(connection, title, Step.PLANNED, f"planned by {authorisation.name}")
        return _record(row)

    def find(self, title: bytes) -> Record | None:
        query = sa.select(ENROLMENTS).where(ENROLMENTS.c.title == title.hex())
        with self._database.begin() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _record(row)

    def all(self) -> list[Record]:
        with self._database.begin() as connection:
            rows = connection.execute(sa.select(ENROLMENTS).order_by(ENROLMENTS.c.meter))
            return [_record(row) for row in rows.mappings()]

    def history(self, title: bytes) -> list[dict[str, Any]]:
        query = sa.select(HISTORY).where(HISTORY.c.title == title.hex()).order_by(HISTORY.c.number)
        with self._database.begin() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            {"moment": row["moment"], "step": Step(row["step"]).text, "what": row["what"]}
            for row in rows
        ]

    # Going on -----------------------------------------------------------------------------------

    def done(self, record: Record, step: Step, detail: Mapping[str, Any]) -> Record:
        """``step`` is done; ``detail`` is what it has found out."""
        state = State.ENROLLED if step is Step.COMMISSIONED else State.UNDER_WAY
        return self._change(
            record,
            f"{step.text}: done",
            step=step,
            state=state,
            attempts=0,
            error="",
            detail={**record.detail, **detail},
        )

    def note(self, record: Record, detail: Mapping[str, Any], what: str) -> Record:
        """A part of the next step is done."""
        return self._change(record, what, detail={**record.detail, **detail})

    def turn(self, record: Record) -> Record:
        """The point of no return: from now on the meter is not given back."""
        return self._change(record, "point of no return", turned=True)

    def failed(self, record: Record, why: str) -> Record:
        return self._change(
            record,
            f"failed: {why}",
            state=State.FAILED,
            attempts=record.attempts + 1,
            error=why,
        )

    def begin_again(self, record: Record) -> Record:
        """Somebody resumes it: attempts are counted anew."""
        return self._change(record, "resumed", state=State.UNDER_WAY, attempts=0, error="")

    def rolled_back(self, record: Record, why: str) -> Record:
        assert not record.turned
        self.drop_key_files(record.title)
        return self._change(record, f"rolled back: {why}", state=State.ROLLED_BACK, error=why)

    # Key files, which are wrapped ---------------------------------------------------------------

    def keep_key_file(self, title: bytes, actor: Actor, text: str) -> None:
        where = (KEY_FILES.c.title == title.hex()) & (KEY_FILES.c.actor == actor.value)
        with self._database.begin() as connection:
            connection.execute(KEY_FILES.delete().where(where))
            row = {"title": title.hex(), "actor": actor.value, "text": text}
            connection.execute(KEY_FILES.insert().values(row))

    def key_file(self, title: bytes, actor: Actor) -> str:
        where = (KEY_FILES.c.title == title.hex()) & (KEY_FILES.c.actor == actor.value)
        with self._database.begin() as connection:
            text = connection.scalar(sa.select(KEY_FILES.c.text).where(where))
        if not isinstance(text, str):
            raise EnrolmentError(f"{title.hex().upper()}: the {actor.value} has no key file")
        return text

    def drop_key_files(self, title: bytes) -> None:
        with self._database.begin() as connection:
            connection.execute(KEY_FILES.delete().where(KEY_FILES.c.title == title.hex()))

    # --------------------------------------------------------------------------------------------

    def _change(self, record: Record, what: str, **changes: Any) -> Record:
        after = record._replace(**changes, changed=self._stamp())
        table = ENROLMENTS.c
        as_it_was = (
            (table.title == record.title.hex())
            & (table.step == int(record.step))
            & (table.state == record.state.value)
            & (table.attempts == record.attempts)
            & (table.detail == _json(record.detail))
        )
        row = {
            "step": int(after.step),
            "state": after.state.value,
            "turned": after.turned,
            "attempts": after.attempts,
            "error": after.error,
            "detail": _json(after.detail),
            "changed": after.changed,
        }
        with self._database.begin() as connection:
            if connection.execute(ENROLMENTS.update().where(as_it_was).values(row)).rowcount != 1:
                raise Overtaken(f"{record.meter}: another process works at its enrolment")
            self._tell(connection, record.title, after.step, what)
        return after

    def _tell(self, connection: sa.Connection, title: bytes, step: Step, what: str) -> None:
        row = {"title": title.hex(), "moment": self._stamp(), "step": int(step), "what": what}
        connection.execute(HISTORY.insert().values(row))

    def _stamp(self) -> str:
        return self._now().astimezone(dt.UTC).isoformat(timespec="seconds")


def _json(detail: Mapping[str, Any]) -> str:
    return json.dumps(detail, sort_keys=True)


def _record(row: Any) -> Record:
    values = dict(row)
    return Record(
        **{
            **values,
            "title": bytes.fromhex(values["title"]),
            "step": Step(values["step"]),
            "state": State(values["state"]),
            "turned": bool(values["turned"]),
            "detail": json.loads(values["detail"]),
        }
    )
