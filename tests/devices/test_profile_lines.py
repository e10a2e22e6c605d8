"""Which line of a TOML text says what, held against tomllib and against a writer that knows."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from devices.profile.locate import lines

KEYS = st.sampled_from(["a", "b", "c-d", "1", '"x y"', "'p.q'", '"\\u00e9\\""', '""'])
BLANK = st.sampled_from(["", " ", "\t"])
GAP = st.sampled_from(["", " ", "\n", "\r\n\n", "# [x] = 'y' \"\n", "  # }],\n\t"])
SCALARS = st.sampled_from(
    [
        "1", "0x1F", "1_000.5e-3", "true", "inf", "1979-05-27 07:32:00", "07:32:00",
        '"a # [b] = \\" \\\\"', "'c \\'", '""', "''",
        '"""x = 1\n[y]\n\\"""" z"""', '"""a""b"""', '"""a"""""', "'''\nq'' = 1\n'''''", '""""""',
    ]
)  # fmt: skip


class Writer:
    """Makes a TOML text piece by piece and notes the line of everything it writes."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.text = ""
        self.noted: dict[tuple[str, ...], int] = {}
        self.arrays: dict[tuple[str, ...], int] = {}

    def put(self, text: str) -> None:
        self.text += text

    def note(self, path: tuple[str, ...]) -> None:
        self.noted.setdefault(path, self.text.count("\n") + 1)

    def keys(self, path: tuple[str, ...], most: int) -> tuple[str, ...]:
        for number in range(self.draw(st.integers(1, most))):
            if number:
                self.put(self.draw(BLANK) + "." + self.draw(BLANK))
            written = self.draw(KEYS)
            path = (*path, next(iter(tomllib.loads(f"{written} = 0"))))
            self.note(path)
            self.put(written)
        return path

    def value(self, path: tuple[str, ...], depth: int) -> None:
        kind = self.draw(st.sampled_from(["scalar", "array", "table"] if depth else ["scalar"]))
        if kind == "scalar":
            self.put(self.draw(SCALARS))
        elif kind == "array":
            self.put("[" + self.draw(GAP))
            for number in range(self.draw(st.integers(0, 3))):
                if number:
                    self.put(self.draw(GAP) + "," + self.draw(GAP))
                self.note((*path, str(number)))
                self.value((*path, str(number)), depth - 1)
            self.put(self.draw(GAP) + "]")
        else:
            self.put("{" + self.draw(BLANK))
            for number in range(self.draw(st.integers(0, 3))):
                if number:
                    self.put(self.draw(BLANK) + "," + self.draw(BLANK))
                self.entry(path, depth - 1)
            self.put(self.draw(BLANK) + "}")

    def entry(self, path: tuple[str, ...], depth: int) -> None:
        path = self.keys(path, 2)
        self.put(self.draw(BLANK) + "=" + self.draw(BLANK))
        self.value(path, depth)

    def header(self) -> tuple[str, ...]:
        array = self.draw(st.booleans())
        self.put("[[" if array else "[")
        line = self.text.count("\n") + 1
        plain = []
        for number in range(self.draw(st.integers(1, 3))):
            if number:
                self.put(".")
            written = self.draw(KEYS)
            self.put(written)
            plain.append(next(iter(tomllib.loads(f"{written} = 0"))))
        self.put("]]" if array else "]")
        path: tuple[str, ...] = ()
        for number, key in enumerate(plain, 1):
            path = (*path, key)
            self.noted.setdefault(path, line)
            if array and number == len(plain):
                self.arrays[path] = self.arrays.get(path, 0) + 1
            if path in self.arrays:
                path = (*path, str(self.arrays[path] - 1))
                self.noted.setdefault(path, line)
        return path


def paths(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every path that tomllib finds."""
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, part in value.items():
            found |= paths(part, (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            found |= paths(part, (*path, str(number)))
    return found


@st.composite
def documents(draw: Any) -> tuple[str, dict[tuple[str, ...], int]]:
    """Only good TOML: a piece that makes a text bad is taken back."""
    writer = Writer(draw)
    prefix: tuple[str, ...] = ()
    for _ in range(draw(st.integers(0, 8))):
        before = writer.text, dict(writer.noted), dict(writer.arrays), prefix
        writer.put(draw(GAP))
        writer.put("" if writer.text.endswith("\n") else "\n")
        if draw(st.booleans()):
            prefix = writer.header()
        else:
            writer.entry(prefix, 2)
        try:
            tomllib.loads(writer.text)
        except tomllib.TOMLDecodeError:
            writer.text, writer.noted, writer.arrays, prefix = before
    return writer.text, writer.noted


@given(documents())
def test_everything_has_its_line(document: tuple[str, dict[tuple[str, ...], int]]) -> None:
    text, noted = document
    found = lines(text)
    assert found.keys() == paths(tomllib.loads(text))
    assert found == noted


def test_our_own_files_have_a_line_for_everything() -> None:
    from importlib import resources

    for entry in (resources.files("devices") / "profiles").iterdir():
        text = entry.read_text("utf-8")
        rows = text.split("\n")
        found = lines(text)
        assert found.keys() == paths(tomllib.loads(text))
        for path, line in found.items():
            if not path[-1].isdecimal():
                assert path[-1] in rows[line - 1]
