"""HTML put together so that no text becomes markup: what is no :class:`Markup` is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias


class Markup(str):
    """Text that is HTML. Made by :func:`tag` and :func:`joined`, and of our own files."""

    __slots__ = ()


Attribute: TypeAlias = str | int | bool | None
_VOID = {"input", "meta"}
_EMPTY = {"circle", "rect", "line"}
"""Of SVG: there they end with a slash."""


def tag(name: str, /, *children: str, **attributes: Attribute) -> Markup:
    """An element. An underscore in the name of an attribute is a hyphen, one at its end nothing
    (``class_``); ``None`` and ``False`` leave it out, ``True`` gives it no value.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    if name in _EMPTY:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(children)}</{name}>")


def facts(pairs: Iterable[tuple[str, str]], class_: str | None = None) -> Markup:
    """A list of names and what each is."""
    rows = (tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs)
    return tag("dl", *rows, class_=class_)


def joined(parts: Iterable[str]) -> Markup:
    """The parts one behind the other, each escaped that is no markup."""
    return Markup("".join(one if isinstance(one, Markup) else escape(one) for one in parts))


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    key = name.rstrip("_").replace("_", "-")
    return f" {key}" if value is True else f' {key}="{escape(str(value))}"'
