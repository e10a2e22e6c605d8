"""The tables of enrolments and of the inventory. Times are ISO 8601 in UTC."""

from __future__ import annotations

import sqlalchemy as sa

NAME, VERSION = "enrolment", 1

METADATA = sa.MetaData()

ENROLMENTS = sa.Table(
    "enrolments",
    METADATA,
    sa.Column("title", sa.String, primary_key=True),
    sa.Column("meter", sa.String, nullable=False),
    sa.Column("supplier", sa.String, nullable=False),
    sa.Column("authorisation", sa.Text, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("turned", sa.Boolean, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("changed", sa.String, nullable=False),
)

KEY_FILES = sa.Table(
    "enrolment_key_files",
    METADATA,
    sa.Column("title", sa.String, primary_key=True),
    sa.Column("actor", sa.String, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)

HISTORY = sa.Table(
    "enrolment_history",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("title", sa.String, nullable=False, index=True),
    sa.Column("moment", sa.String, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
)

INVENTORY = sa.Table(
    "inventory",
    METADATA,
    sa.Column("device", sa.String, primary_key=True),
    sa.Column("meter", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("manufacturer", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("hardware", sa.String, nullable=False),
    sa.Column("firmware", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("since", sa.String, nullable=False),
    sa.Column("supplier", sa.String, nullable=False),
)

INVENTORY_HISTORY = sa.Table(
    "inventory_history",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("device", sa.String, nullable=False, index=True),
    sa.Column("moment", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("supplier", sa.String, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)
