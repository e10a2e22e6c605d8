"""A declaration as TOML, as :func:`~emulator.conformance.declaration.loading.load` reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from devices.profile.writing import scalar, text, value_text
from dlms.cosem import classes, obis
from dlms.security.control import Protection
from emulator.conformance.catalogue.holdings import built_in
from emulator.conformance.declaration.comments import comment_lines, comment_of
from emulator.conformance.declaration.features import said
from emulator.conformance.declaration.model import (
    Declaration,
    DeclaredAssociation,
    DeclaredWay,
    LogicalDevice,
    WayKind,
    WriteData,
)
from emulator.conformance.declaration.ways import TLS_FILES

Remarks = Mapping[tuple[str, ...], str]
"""Comments by place: ``("associations", "public", "suite")``. That of a table stands before it;
that of an entry behind its value, or in the place of an entry that is left out.
"""

NO_REMARKS: Remarks = MappingProxyType({})
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
FILL_IN = "fill in:"
"""How the remark of an entry begins that somebody has to write."""
_TOP = ("title", "key_file", "image")
"""Entries at the top that may be left out; other remarks there are those of tables."""


def render(
    declaration: Declaration, remarks: Remarks = NO_REMARKS, folder: Path | None = None
) -> str:
    """``folder`` is where the text is to lie: paths of files below it are written without it.

    ``ValueError`` for a value to write that has no form in TOML (compact-array).
    """
    page = _Page(remarks)
    relative = _Relative(folder)
    top = {"name": text(declaration.name)}
    if declaration.title:
        top["title"] = _hex(declaration.title)
    for key in ("key_file", "image"):
        if getattr(declaration, key):
            top[key] = relative(getattr(declaration, key))
    page.entries((), top)
    page.table(("way",), _way(declaration.way, relative))
    page.table(("hdlc",), _different(declaration.hdlc, page.sure(("hdlc",))))
    page.table(("timing",), _different(declaration.timing, page.sure(("timing",))))
    page.table(
        ("logical_devices",),
        {str(one.sap): _name(one) for one in declaration.logical_devices},
    )
    page.note(("associations",))
    for one in declaration.associations:
        place = ("associations", one.name)
        page.table(place, dict(_association(one, page.sure(place))), always=True)
    page.note(("writes",))
    for key in ("writes", "sta"):
        for number, write in enumerate(getattr(declaration, key)):
            page.table((key, str(number)), _write(write), header=f"[[{key}]]")
    page.table(("exclusions",), {x.pattern: text(x.reason) for x in declaration.exclusions})
    page.table(("expected",), {one.id: text(one.reason) for one in declaration.expected})
    if declaration.client.command:
        tasks = sorted(declaration.client.tasks)
        command = declaration.client.command
        page.table(("client",), {"command": _texts(command), "tasks": _texts(tasks)})
    features = said(declaration, built_in().words)
    page.table(("features",), {name: scalar(value) for name, value in features.items()})
    page.table(("settings",), {key: text(one) for key, one in declaration.settings.items()})
    return page.text()


class _Page:
    """Lines of TOML, with remarks where they belong."""

    def __init__(self, remarks: Remarks) -> None:
        self._remarks = remarks
        self._lines: list[str] = []

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    def table(
        self,
        path: tuple[str, ...],
        row: Mapping[str, str],
        *,
        header: str = "",
        always: bool = False,
    ) -> None:
        """Nothing for an empty one of which nothing is said."""
        said_of = [place for place in self._remarks if place[: len(path)] == path]
        if not row and not said_of and not always:
            return
        self._lines.append("")
        self._comment(self._remarks.get(path, ""))
        self._lines.append(header or f"[{'.'.join(map(_key, path))}]")
        self.entries(path, row)

    def sure(self, path: tuple[str, ...]) -> frozenset[str]:
        """Entries that stand there also where they are as by default: their remark says whence."""
        return frozenset(
            key
            for (*above, key), remark in self._remarks.items()
            if tuple(above) == path and not remark.startswith(FILL_IN)
        )

    def note(self, path: tuple[str, ...]) -> None:
        """A remark of something that has no header of its own."""
        if path in self._remarks:
            self._lines.append("")
            self._comment(self._remarks[path])

    def entries(self, path: tuple[str, ...], row: Mapping[str, str]) -> None:
        for key, written in row.items():
            remark = self._remarks.get((*path, key), "")
            behind = f"  {comment_of(remark)}" if remark else ""
            self._lines.append(f"{_key(key)} = {written}{behind}")
        for place, remark in self._remarks.items():
            *above, key = place
            if tuple(above) == path and key not in row and (path or key in _TOP):
                self._lines.append(comment_of(f"{_key(key)}: {remark}"))

    def _comment(self, remark: str) -> None:
        self._lines += comment_lines(remark)


class _Relative:
    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def __call__(self, path: str) -> str:
        found = Path(path)
        if self._folder is not None and found.is_relative_to(self._folder):
            found = found.relative_to(self._folder)
        return text(str(found))


def _way(way: DeclaredWay, relative: _Relative) -> dict[str, str]:
    row = {"kind": text(way.kind.value), "host": text(way.host)}
    if way.port:
        row["port"] = str(way.port)
    if way.kind is WayKind.SERIAL:
        row["baud"] = str(way.baud)
    return row | {key: relative(getattr(way, key)) for key in TLS_FILES if getattr(way, key)}


def _different(row: Any, sure: frozenset[str]) -> dict[str, str]:
    """The entries that are not as by default, and those in ``sure``."""
    plain = type(row)()
    return {
        one.name: scalar(getattr(row, one.name))
        for one in fields(row)
        if getattr(row, one.name) != getattr(plain, one.name) or one.name in sure
    }


def _association(one: DeclaredAssociation, sure: frozenset[str]) -> Iterator[tuple[str, str]]:
    yield "client_sap", str(one.client_sap)
    yield "server_sap", str(one.server_sap)
    yield "context", text(one.context.name)
    yield "mechanism", text(one.mechanism.name)
    yield "conformance", _texts(bit.name for bit in type(one.conformance) if bit & one.conformance)
    if one.max_pdu_size:
        yield "max_pdu_size", str(one.max_pdu_size)
    if one.suite or "suite" in sure:
        yield "suite", str(one.suite)
    if one.policy or "policy" in sure:
        yield (
            "policy",
            _texts(
                bit.name
                for bit in (Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.SIGNED)
                if bit & one.policy
            ),
        )
    for key, plain in (("dedicated", False), ("release", True), ("protected_release", False)):
        if getattr(one, key) is not plain or key in sure:
            yield key, scalar(getattr(one, key))
    if one.keys:
        yield "keys", text(one.keys)
    if one.own_title:
        yield "own_title", _hex(one.own_title)
    for key in ("counter_from", "security_setup"):
        if getattr(one, key):
            yield key, text(obis.text(getattr(one, key)))
    if one.users:
        yield "users", f"[{', '.join(map(str, one.users))}]"


def _write(one: WriteData) -> dict[str, str]:
    attribute = one.attribute
    known = classes.BY_ID.get(attribute.class_id)
    return {
        "association": text(one.association),
        "class": str(attribute.class_id) if known is None else text(known.name),
        "object": text(obis.text(attribute.instance)),
        "attribute": str(attribute.attribute),
        "value": value_text(one.value),
    }


def _name(one: LogicalDevice) -> str:
    shown = one.name.decode("ascii", "replace")
    printable = one.name.isascii() and shown.isprintable()
    return text(shown) if printable else f'{{ hex = "{one.name.hex().upper()}" }}'


def _hex(octets: bytes) -> str:
    return text(octets.hex().upper())


def _texts(words: Any) -> str:
    return f"[{', '.join(map(text, words))}]"


def _key(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else text(name)
