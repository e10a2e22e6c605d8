"""A machine as a table for people, and as a graph for Graphviz."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import Any

from emulator.fuzz.learning.comparing import Compared
from emulator.fuzz.learning.mealy import Mealy
from emulator.fuzz.learning.symbol import Symbol


def rows(machine: Mealy) -> list[tuple[str, str, str, str]]:
    """State, letters, answer, state that follows; letters that do the same share a row."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for state in machine.states:
        for symbol in machine.alphabet:
            output, after = machine.edges[state, symbol]
            found.setdefault((state, output, after), []).append(symbol.value)
    return [
        (state, ", ".join(letters), output, "" if after == state else after)
        for (state, output, after), letters in found.items()
    ]


def listed(machine: Mealy) -> list[str]:
    """Lines for people: each state, and under it what is answered to which letters."""
    lines: list[str] = []
    last = None
    for state, letters, output, after in rows(machine):
        if state != last:
            lines.append(state)
            last = state
        then = f", then {after}" if after else ""
        lines += wrap(
            f"{letters}: {output}{then}",
            width=100,
            initial_indent="  ",
            subsequent_indent="      ",
        )
    return lines


def dot(machine: Mealy, name: str) -> str:
    """Graphviz: an arrow for each answer between two states, with the letters that get it."""
    lines = [f"digraph {_quoted(name)} {{", "  rankdir=LR;", '  start [shape=point, label=""];']
    numbers = {state: f"s{number}" for number, state in enumerate(machine.states)}
    lines += [f"  {number} [label={_quoted(state)}];" for state, number in numbers.items()]
    lines.append(f"  start -> {numbers[machine.initial]};")
    for state, letters, output, after in rows(machine):
        label = f"{letters.replace(', ', chr(10))}\n/ {output}"
        lines.append(f"  {numbers[state]} -> {numbers[after or state]} [label={_quoted(label)}];")
    return "\n".join((*lines, "}"))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def word(symbols: Iterable[Symbol]) -> str:
    return " . ".join(symbol.value for symbol in symbols)


def verdict(found: Compared) -> str:
    """One line: equal, or where it is not."""
    learned = found.learned
    asked = f"{len(learned.machine.states)} states, {learned.words} words of {learned.letters}"
    if found.difference is None:
        but = f", but for {len(found.explained)} explained" if found.explained else ""
        return f"{found.name}: as the table has it{but} ({asked} letters)"
    where, said, due = found.difference
    return f"{found.name}: {word(where)} is answered by {said!r}, and the table says {due!r}"


def as_json(found: Compared) -> dict[str, Any]:
    machine, different = found.learned.machine, found.difference
    return {
        "association": found.name,
        "states": list(machine.states),
        "words": found.learned.words,
        "letters": found.learned.letters,
        "sure_for_more_states": found.learned.extra,
        "edges": [
            {"state": state, "letter": symbol.value, "answer": output, "then": after}
            for (state, symbol), (output, after) in machine.edges.items()
        ],
        "explained": [
            {"state": row.state, "letter": row.letter.value, "answer": row.edge.output,
             "then": row.edge.state, "why": row.why}
            for row in found.explained
        ],
        "difference": None if different is None else {
            "word": [symbol.value for symbol in different.word],
            "meter": different.left,
            "table": different.right,
        },
    }  # fmt: skip
