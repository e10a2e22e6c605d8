"""Which line of a TOML text says what. ``tomllib`` gives values without their lines.

The text is known to be good TOML: :func:`lines` is called after ``tomllib`` has read it, so only
what separates one value from the next is looked at here.
"""

from __future__ import annotations

import re
import tomllib
from typing import TypeAlias

Path: TypeAlias = tuple[str, ...]
"""Keys from the top of the file; elements of an array go by their number, from "0"."""

_SPACE = re.compile(r"(?:[ \t]|\r?\n|#[^\n]*)*")
"""What may stand between entries: also between the elements of an array."""
_BLANK = re.compile(r"[ \t]*")
_KEY = re.compile(r'[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|' r"'[^']*'")
# As many as two quotes may stand right before the three that end a string of many lines.
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{1,2})?|'
    r"'''.*?'''(?:'{1,2})?|"
    r'"(?:[^"\\\n]|\\.)*"|'
    r"'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def lines(text: str) -> dict[Path, int]:
    """The line, from 1, on which each table, key and element of ``text`` is first written."""
    return _Locator(text).run()


class _Locator:
    """Goes through the text once; ``at`` is where it is, ``line`` the line of that."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.found: dict[Path, int] = {}
        self.tables: dict[Path, int] = {}
        """How many tables each array of tables has so far."""

    def run(self) -> dict[Path, int]:
        prefix: Path = ()
        while True:
            self._skip(_SPACE)
            if self.at == len(self.text):
                return self.found
            if self.text.startswith("[[", self.at):
                prefix = self._header(2)
            elif self.text.startswith("[", self.at):
                prefix = self._header(1)
            else:
                self._entry(prefix)

    def _header(self, brackets: int) -> Path:
        line = self.line
        self.at += brackets
        keys = self._keys()
        self.at += brackets
        path: Path = ()
        for number, key in enumerate(keys, 1):
            path = (*path, key)
            self.found.setdefault(path, line)
            last = number == len(keys)
            if last and brackets == 2:
                self.tables[path] = self.tables.get(path, 0) + 1
            if path in self.tables:
                path = (*path, str(self.tables[path] - 1))
                self.found.setdefault(path, line)
        return path

    def _entry(self, prefix: Path) -> None:
        """``key = value``, of a table or of one written in braces."""
        line = self.line
        path = prefix
        for key in self._keys():
            path = (*path, key)
            self.found.setdefault(path, line)
        self.at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: Path) -> None:
        first = self.text[self.at]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline(path)
        elif first in "\"'":
            self._skip(_STRING)
        else:
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self.at += 1
        number = 0
        while True:
            self._skip(_SPACE)
            if self.text[self.at] == "]":
                self.at += 1
                return
            element = (*path, str(number))
            self.found.setdefault(element, self.line)
            self._value(element)
            self._skip(_SPACE)
            if self.text[self.at] == ",":
                self.at += 1
            number += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while True:
            self._skip(_SPACE)
            if self.text[self.at] == "}":
                self.at += 1
                return
            self._entry(path)
            self._skip(_SPACE)
            if self.text[self.at] == ",":
                self.at += 1

    def _keys(self) -> list[str]:
        """A key with its dots, to right before the sign that ends it."""
        keys = []
        while True:
            self._skip(_BLANK)
            keys.append(_bare(self._skip(_KEY)))
            self._skip(_BLANK)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        assert match is not None  # tomllib has read the text
        self.at = match.end()
        self.line += match[0].count("\n")
        return match[0]


def _bare(written: str) -> str:
    if written[0] == '"':
        (key,) = tomllib.loads(f"{written} = 0")
        return key
    return written[1:-1] if written[0] == "'" else written
