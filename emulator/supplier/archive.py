"""What a supplier's system leaves behind: key files in a folder, for meters that are dormant."""

from __future__ import annotations

from pathlib import Path

from devices.profile import Profile
from emulator.enrolment.sources import KeysNotHad
from emulator.policy import Actor
from emulator.supplier.exporting import export_keys
from emulator.supplier.system import SupplierSystem
from tls.files import private_directory, write_private


class Archive:
    """``folder`` is made when something is first put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, system: SupplierSystem, profile: Profile, title: bytes) -> None:
        """Leave the keys of a meter, for each party. What is there already stays."""
        private_directory(self.folder)
        for actor in (Actor.S1SP, Actor.DCO):
            path = self._path(title, actor)
            if not path.exists():
                write_private(path, export_keys(system, profile, title, actor).encode())

    async def keys(self, profile: Profile, title: bytes, actor: Actor) -> str:
        """:class:`~emulator.enrolment.sources.KeysNotHad` if they are not there."""
        path = self._path(title, actor)
        try:
            return path.read_text("utf-8")
        except FileNotFoundError:
            raise KeysNotHad(f"the archive has no keys for the {actor.value}: {path}") from None

    def _path(self, title: bytes, actor: Actor) -> Path:
        return self.folder / f"keys-{actor.value.lower()}-{title.hex()}.json"


class Export:
    """The same of a system that is there, and makes the file when it is asked."""

    def __init__(self, system: SupplierSystem) -> None:
        self._system = system

    async def keys(self, profile: Profile, title: bytes, actor: Actor) -> str:
        return export_keys(self._system, profile, title, actor)
