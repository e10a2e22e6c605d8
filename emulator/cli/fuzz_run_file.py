"""The file about a search, beside its findings."""

from __future__ import annotations

RUN = "run.json"
