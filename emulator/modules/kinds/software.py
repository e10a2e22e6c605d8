"""The software module, as a custody file has it. It has no options."""

from __future__ import annotations

from devices.profile.place import Place
from emulator.modules.keyring import KeyRing
from emulator.modules.kinds.kind import Kind, Options, Supply
from emulator.modules.software import SoftwareModule


def _check(options: Options, place: Place) -> None:
    """There is nothing to be wrong."""


def _make(name: str, options: Options, supply: Supply) -> SoftwareModule:
    return SoftwareModule(KeyRing(supply.secrets, supply.suite_of), name=name)


KIND = Kind(
    name="software",
    help="in this process, on OpenSSL; G2.45",
    options=frozenset(),
    check=_check,
    make=_make,
)
