"""Comments of TOML: any text, also what a meter said, cannot end one or be more than one."""

from __future__ import annotations

from collections.abc import Iterator


def comment_lines(text: str) -> Iterator[str]:
    """A line of TOML for each of ``text``."""
    for line in text.splitlines():
        yield f"# {_harmless(line)}".rstrip()


def comment_of(text: str) -> str:
    """The whole of ``text`` in one line, to stand behind a value."""
    return f"# {_harmless(' '.join(text.split()))}"


def _harmless(line: str) -> str:
    """TOML has no control characters in comments."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)
