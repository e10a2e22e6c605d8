"""A whole declaration out of its TOML file. All that is wrong with it is said at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from devices.profile.place import Place, Problems
from devices.profile.table import Table, maybe, need, only
from emulator import toml_file
from emulator.conformance.catalogue.holdings import Catalogue, built_in
from emulator.conformance.catalogue.words import text_of
from emulator.conformance.declaration.associations import associations, logical_devices
from emulator.conformance.declaration.clients import client
from emulator.conformance.declaration.exempting import read_exclusions, read_expected
from emulator.conformance.declaration.features import derived, read_features, values
from emulator.conformance.declaration.fields import path, title
from emulator.conformance.declaration.model import Declaration, DeclaredWay, WayKind
from emulator.conformance.declaration.ways import hdlc, timing, way
from emulator.conformance.declaration.writes import sta, writes
from emulator.toml_file import Written

_TABLES = {
    "way", "hdlc", "timing", "logical_devices", "associations", "exclusions", "expected",
    "client", "features", "settings",
}  # fmt: skip
_TOP = {"name", "title", "key_file", "image", "writes", "sta", *_TABLES}
_NOWHERE = DeclaredWay(kind=WayKind.TCP, host="")


def load(file: Path, catalogue: Catalogue | None = None) -> Declaration:
    """:class:`~devices.profile.ProfileError` says file, line, place and what was expected, of each
    entry that is wrong. The key file is not opened.
    """
    return declaration_of(toml_file.read(file), file.parent, catalogue or built_in())


def parse(
    text: str, file: str = "declaration.toml", catalogue: Catalogue | None = None
) -> Declaration:
    """The same of a text; ``file`` is what errors call it, and files are looked for beside it."""
    written = toml_file.parse(text, file)
    return declaration_of(written, Path(file).parent, catalogue or built_in())


def declaration_of(written: Written, folder: Path, catalogue: Catalogue) -> Declaration:
    """Paths in it are relative to ``folder``."""
    table, place = written
    problems = Problems()
    with problems.collected():
        only(table, _TOP, place)
    found = _Reader(table, folder, catalogue, place, problems).read()
    problems.settle()
    says = maybe(table, "features", dict, {}, place)
    features = read_features(says, derived(found), catalogue.words, place.at("features"))
    return replace(found, features=features)


class _Reader:
    """Table by table; those that are wrong are left out of what comes of it."""

    def __init__(
        self, table: Table, folder: Path, catalogue: Catalogue, place: Place, problems: Problems
    ) -> None:
        self.table = table
        self.folder = folder
        self.catalogue = catalogue
        self.place = place
        self.problems = problems

    def read(self) -> Declaration:
        said: dict[str, Any] = {"name": "", "features": {}, "way": _NOWHERE}
        with self.problems.collected():
            said["name"] = text_of(self.table, "name", self.place)
        with self.problems.collected():
            said["title"] = title(self.table, "title", self.place)
        for key in ("key_file", "image"):
            with self.problems.collected():
                said[key] = path(self.table, key, self.folder, self.place)
        self._device(said)
        self._what_to_run(said)
        with self.problems.collected():
            said["settings"] = self._settings()
        # What contradicts the rest is looked for when the rest is right.
        with self.problems.collected():
            values(self._of("features"), self.catalogue.words, self.place.at("features"))
        return Declaration(**said)

    def _device(self, said: dict[str, Any]) -> None:
        calls = "client" in self.table
        with self.problems.collected():
            need(self.table, "way", dict, self.place)
            said["way"] = way(self._of("way"), self.folder, self.place.at("way"), calls=calls)
        if said["way"] is not _NOWHERE:
            with self.problems.collected():
                kind = said["way"].kind
                said["hdlc"] = hdlc(self._of("hdlc"), kind, self.place.at("hdlc"))
        with self.problems.collected():
            said["timing"] = timing(self._of("timing"), self.place.at("timing"))
        with self.problems.collected():
            said["logical_devices"] = logical_devices(
                self._of("logical_devices"), self.place.at("logical_devices")
            )
        with self.problems.collected():
            said["associations"] = associations(
                self._of("associations"),
                "key_file" in self.table,
                self.place.at("associations"),
            )
        with self.problems.collected():
            said["client"] = client(self._of("client"), self.place.at("client"))
            if calls and not said["client"].command:
                raise self.place.at("client").error("the command of the head end is missing")

    def _what_to_run(self, said: dict[str, Any]) -> None:
        rows = self.table.get("associations")
        names = tuple(rows) if isinstance(rows, dict) else ()  # _device() has said so
        for key, read in (("writes", writes), ("sta", sta)):
            with self.problems.collected():
                written = maybe(self.table, key, list, [], self.place)
                said[key] = read(written, names, self.place.at(key))
        with self.problems.collected():
            said["exclusions"] = read_exclusions(
                self._of("exclusions"), self.catalogue, self.place.at("exclusions")
            )
        with self.problems.collected():
            said["expected"] = read_expected(
                self._of("expected"),
                said.get("exclusions", ()),
                self.catalogue,
                self.place.at("expected"),
            )

    def _settings(self) -> dict[str, str]:
        settings = self._of("settings")
        return {key: text_of(settings, key, self.place.at("settings")) for key in settings}

    def _of(self, key: str) -> Table:
        return maybe(self.table, key, dict, {}, self.place)
