"""Scenarios: what is done and what must come of it, as data, and how it is played."""
