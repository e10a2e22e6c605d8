"""Meters of the running sandbox, by their names."""

from __future__ import annotations

from devices.profile import Profile, profile_of
from emulator.cli.plugins import say_plugins
from emulator.meter_address import MeterAddress
from emulator.workspace import Workspace, WorkspaceError


def find_meter(workspace: Workspace, name: str) -> tuple[MeterAddress, Profile]:
    """The meter of a running sandbox. :class:`WorkspaceError` if there is none of that name."""
    meters = workspace.meters()
    if name not in meters:
        raise WorkspaceError(f"no meter {name!r}; there are: {', '.join(meters)}")
    say_plugins()
    return meters[name], profile_of(workspace.document(name))
