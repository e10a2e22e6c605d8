"""Profiles of plug-ins, at the command line."""

from __future__ import annotations

from emulator.cli import failures
from emulator.profiles import use_plugins


def say_plugins() -> None:
    """Use the plug-ins that are installed; a line for each that is left out."""
    for error in use_plugins():
        failures.say(error)
