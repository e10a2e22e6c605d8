"""Any report of a run, into a file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from emulator.conformance.reports.document import Document
from emulator.conformance.reports.junit import junit
from emulator.conformance.reports.page import html
from emulator.conformance.reports.pcapng import pcapng
from emulator.conformance.reports.sarif import sarif
from emulator.conformance.reports.terminal import Painter, summary


class Kind(Enum):
    """What can be made of a run."""

    JSON = "json"
    TEXT = "text"
    JUNIT = "junit"
    SARIF = "sarif"
    HTML = "html"
    PCAPNG = "pcapng"

    __hash__ = object.__hash__


class NotWritten(ValueError):
    """A report could not be written; in one line, which and why."""


_PRIVATE = (Kind.JSON, Kind.PCAPNG)
"""They have the octets as they were on the line: what was sent in clear too, and keys of TLS."""


def write(document: Document, kind: Kind, path: Path) -> None:
    """Write a report, whole or not at all; one that may hold secrets for its owner alone.

    :class:`NotWritten` if it cannot be written,
    :class:`~emulator.conformance.reports.conversations.NoPackets` for pcapng without scapy.
    """
    octets = _MAKERS[kind](document)
    try:
        replace_file(path, octets, 0o600 if kind in _PRIVATE else 0o666)
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written: {error.strerror}") from None


def replace_file(path: Path, octets: bytes, mode: int = 0o666) -> None:
    """Write a file whole or not at all. ``OSError`` if it cannot be written."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(descriptor, "wb") as file:
            file.write(octets)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def _json(document: Document) -> bytes:
    return f"{json.dumps(document, indent=1)}\n".encode("ascii")


def _text(document: Document) -> bytes:
    lines = summary(document, Painter(colours=False))
    return "".join(f"{line}\n" for line in lines).encode()


def _sarif(document: Document) -> bytes:
    return f"{json.dumps(sarif(document), indent=1)}\n".encode("ascii")


_MAKERS: dict[Kind, Callable[[Document], bytes]] = {
    Kind.JSON: _json,
    Kind.TEXT: _text,
    Kind.JUNIT: lambda document: junit(document).encode(),
    Kind.SARIF: _sarif,
    Kind.HTML: lambda document: html(document).encode(),
    Kind.PCAPNG: pcapng,
}
