"""A conversation as people read it: a line for each message, beneath it the tree of its fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from emulator.decoding.conversation import Conversation, Message
from emulator.decoding.fields import Field
from emulator.decoding.hiding import Hider

_SHOWN = 12
"""Octets of a field that stand in its line; of more, the first ones and how many there are."""


class View(NamedTuple):
    """``fields``: the tree of each APDU; ``frames``: that of what is around it, too."""

    hider: Hider
    fields: bool = True
    frames: bool = False


def conversation_lines(found: Conversation, view: View) -> Iterator[str]:
    line = found.line
    ends = f"{line.caller} -> {line.called}" if line.called else line.caller
    count = len(found.messages)
    yield f"{found.number}: {ends}, {count} message{'s' * (count != 1)}"
    for note in line.notes:
        yield f"   {note}"
    for closed in found.closed:
        yield f"   ! {closed}"
    for message in found.messages:
        yield from _message(message, view)


def _message(message: Message, view: View) -> Iterator[str]:
    unit = message.unit
    arrow = {True: "->", False: "<-", None: "  "}[message.forward]
    when = "" if unit.at is None else f" {_clock(unit.at)}"
    where = f" [{unit.head}]" if unit.head and message.layers else ""
    answers = ""
    if message.answers is not None:
        took = "" if message.took is None else f" after {message.took * 1000:.1f} ms"
        answers = f"  (answers {message.answers}{took})"
    yield view.hider.text(f"{message.number:>4}{when} {arrow} {message.says}{where}{answers}")
    if view.frames:
        if unit.packets:
            yield f"       packets {', '.join(map(str, unit.packets))}"
        for octets, cut in message.frames():
            yield from _fields(octets, cut.fields, view, "frame")
    elif not message.layers and unit.problems:
        octets = b"".join(unit.frames)
        yield f"       {len(octets)} octets: {_digits(view.hider.octets(octets), 64)}"
    for problem in unit.problems:
        yield view.hider.text(f"       ! {problem}")
    for layer in message.layers:
        if layer.origin and view.fields:
            yield view.hider.text(f"       {layer.origin}:")
        if view.fields:
            yield from _fields(layer.octets, layer.fields, view, "")
        for note in layer.notes:
            yield view.hider.text(f"       {note}")
        for problem in layer.problems:
            yield view.hider.text(f"       ! {problem}")
    if message.state:
        yield f"       == {message.state}"


def _fields(octets: bytes, fields: tuple[Field, ...], view: View, name: str) -> Iterator[str]:
    shown = view.hider.octets(octets, fields)
    if name:
        yield f"       {name} of {len(octets)} octets"
    for one in fields:
        hidden = one.secret
        value = (
            f"{one.stop - one.start} octets, not shown: may hold a secret" if hidden else one.value
        )
        label = f"{'  ' * one.depth}{one.name}"
        digits = _digits(shown[one.start : one.stop], _SHOWN)
        yield view.hider.text(
            f"    {one.start:5}  {digits:<{3 * _SHOWN}}  {label}: {value}".rstrip()
        )


def _digits(octets: list[str], most: int) -> str:
    if len(octets) <= most:
        return " ".join(octets)
    return f"{' '.join(octets[: most - 3])} ..{len(octets)}"


def _clock(at: float) -> str:
    moment = dt.datetime.fromtimestamp(at, dt.UTC)
    return moment.strftime("%H:%M:%S.%f")[:-3]
