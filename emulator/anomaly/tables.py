"""What anomaly detection keeps in the database of a party."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()
NAME, VERSION = "anomaly detection", 1

SETTINGS = sa.Table(
    "anomaly_settings",
    METADATA,
    sa.Column("party", sa.String, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)
"""The file of thresholds, as it was given."""

SEEN = sa.Table(
    "anomaly_seen",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("party", sa.String, nullable=False),
    sa.Column("originator", sa.String, nullable=False),
    sa.Column("variant", sa.String, nullable=False),
    sa.Column("moment", sa.Float, nullable=False),
)
"""A row for each request; ``moment`` in seconds since 1970."""

NOTICES = sa.Table(
    "anomaly_notices",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("party", sa.String, nullable=False),
    sa.Column("moment", sa.Float, nullable=False),
    sa.Column("request", sa.String, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)

QUARANTINE = sa.Table(
    "anomaly_quarantine",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("moment", sa.Float, nullable=False),
    sa.Column("request", sa.String, nullable=False),
    sa.Column("device", sa.String, nullable=False),
    sa.Column("variant", sa.String, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
)
sa.Index("anomaly_seen_by", SEEN.c.party, SEEN.c.moment)
