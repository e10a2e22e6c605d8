"""XML of strangers, as a small tree with line numbers.

It is read by expat itself, with everything refused that a dump has no need of: a document type is
the only way to entities, so there is neither an external file nor an expansion. Size, depth and
number of elements are bounded. That is what ``defusedxml`` would do, and it has no lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MAX_OCTETS = 16 * 1024 * 1024
"""Dumps of meters with a month of half-hourly values have one or two megabytes."""
MAX_ELEMENTS = 500_000
MAX_DEPTH = 64
"""The format nests some ten deep; a value may nest as deep as A-XDR allows."""


class XmlError(ValueError):
    """No XML, or more of it than is read; the text begins with the line."""


@dataclass(slots=True)
class Node:
    """An element: its tag, attributes, own text, children, and the line on which it begins."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def child(self, tag: str) -> Node | None:
        """The first child of that tag."""
        return next((one for one in self.children if one.tag == tag), None)

    def all(self, tag: str) -> Iterator[Node]:
        return (one for one in self.children if one.tag == tag)

    def said(self, tag: str) -> str | None:
        """The text of a child; ``None`` if there is none, or it says nothing."""
        found = self.child(tag)
        return None if found is None else found.text.strip() or None


def parse(octets: bytes) -> Node:
    """The root element. :class:`XmlError` if this is no XML, or is refused."""
    if len(octets) > MAX_OCTETS:
        raise XmlError(f"1: more than {MAX_OCTETS} octets")
    builder = _Builder()
    try:
        builder.parser.Parse(octets, True)
    except expat.ExpatError as error:
        raise XmlError(f"{error.lineno}: {expat.ErrorString(error.code)}") from None
    except (LookupError, UnicodeError, ValueError) as error:
        if isinstance(error, XmlError):
            raise
        raise XmlError(f"1: {error}") from None  # an encoding that Python does not know
    assert builder.root is not None  # a document without an element is an error of expat's
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self.open: list[Node] = []
        self.count = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.doctype

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        self.count += 1
        if self.count > MAX_ELEMENTS:
            raise XmlError(f"{line}: more than {MAX_ELEMENTS} elements")
        if len(self.open) >= MAX_DEPTH:
            raise XmlError(f"{line}: nested deeper than {MAX_DEPTH}")
        node = Node(tag, attributes, line)
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node
        self.open.append(node)

    def end(self, tag: str) -> None:
        self.open.pop()

    def characters(self, text: str) -> None:
        if self.open:
            self.open[-1].text += text

    def doctype(self, *_: object) -> None:
        line = self.parser.CurrentLineNumber
        raise XmlError(f"{line}: a document type is refused: it could bring entities with it")
