"""What makes targets that are reached over a network, fit to be given to another process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from emulator.fuzz.network.declared_rows import setting_for
from emulator.fuzz.network.external import External
from emulator.fuzz.network.external_meter import ExternalMeter, read_meter
from emulator.fuzz.network.over_sockets import OverSockets
from emulator.fuzz.network.socket_wire import SocketWay
from emulator.fuzz.setting import Setting


def over_tcp(setting: Setting) -> OverSockets:
    """Our own meter behind a TCP port."""
    return OverSockets(setting, SocketWay.TCP)


def over_tls(setting: Setting) -> OverSockets:
    """Our own meter behind a TLS port."""
    return OverSockets(setting, SocketWay.TLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredMake:
    """Another's meter, by the path of its declaration. All runs of a process are on one
    :class:`~.external_meter.ExternalMeter`; no two processes may do this at once, for the second
    would be refused for its counters.
    """

    path: Path
    destructive: bool = False

    @property
    def meter(self) -> ExternalMeter:
        """:class:`~devices.profile.ProfileError` and ``OSError`` say what is wrong with it."""
        return _meter(self.path, self.destructive)

    def setting(self, seed: str = "0") -> Setting:
        """A run with all clients that are declared."""
        return setting_for(self.meter.device, seed)

    def __call__(self, setting: Setting) -> External:
        return External(self.meter, setting)


@cache
def _meter(path: Path, destructive: bool) -> ExternalMeter:
    return read_meter(path, destructive=destructive)
