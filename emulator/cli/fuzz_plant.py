"""Defects on the command line: ``FAULT[:name=value[,name=value]]``."""

from __future__ import annotations

from emulator.cli.fault import parameters
from emulator.fuzz.actions import Plant


def plant(written: str) -> Plant:
    """One of them. :class:`~emulator.control.errors.ControlError` if it is written otherwise."""
    name, _, rest = written.partition(":")
    return Plant(fault=name, parameters=tuple(parameters(rest.split(",") if rest else []).items()))
