"""The tables of the register. Rows are added to them; the database refuses anything else."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

NAME = "products"
VERSION = 1
METADATA = sa.MetaData()

ACTS = sa.Table(
    "products_acts",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("written", sa.String, nullable=False),
    sa.Column("day", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("combination", sa.String, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("chain", sa.String, nullable=False),
)
"""``chain`` is a hash of the row and of the row before: what is changed behind the back of this
program shows.
"""

PUBLICATIONS = sa.Table(
    "products_publications",
    METADATA,
    sa.Column("list", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("day", sa.String, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("content_hash", sa.String, nullable=False),
    sa.Column("acts", sa.Integer, nullable=False),
)
"""``acts`` is how many acts there were: for the DCC alone, to make the version again from them."""

_REFUSED = "the register is only ever added to"


def _only_added_to(table: sa.Table) -> None:
    name = table.name
    for what in ("UPDATE", "DELETE"):
        trigger = f"{name}_no_{what.lower()}"
        sqlite = (
            f"CREATE TRIGGER {trigger} BEFORE {what} ON {name} "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )
        _after(table, sqlite, "sqlite")
    refuse = f"{name}_refuse"
    _after(
        table,
        f"CREATE FUNCTION {refuse}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$",
        "postgresql",
    )
    for trigger, what, each in (
        (f"{name}_no_change", "UPDATE OR DELETE", "ROW"),
        (f"{name}_no_truncate", "TRUNCATE", "STATEMENT"),
    ):
        _after(
            table,
            f"CREATE TRIGGER {trigger} BEFORE {what} ON {name} "
            f"FOR EACH {each} EXECUTE FUNCTION {refuse}()",
            "postgresql",
        )


def _after(table: sa.Table, statement: str, dialect: str) -> None:
    """Say ``statement`` when the table is made, if the database is of that kind."""

    def made(_: Any, connection: sa.Connection, **__: Any) -> None:
        if connection.dialect.name == dialect:
            connection.exec_driver_sql(statement)

    sa.event.listen(table, "after_create", made)


for _table in (ACTS, PUBLICATIONS):
    _only_added_to(_table)
