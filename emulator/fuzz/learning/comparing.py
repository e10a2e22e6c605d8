"""What was learned beside what the tables say, and what is left without an explanation."""

from __future__ import annotations

from typing import NamedTuple

from emulator.fuzz.learning.explaining import Explained, amended, explained
from emulator.fuzz.learning.learner import Learned
from emulator.fuzz.learning.mealy import Difference, Mealy, difference, minimal
from emulator.fuzz.learning.subject import Subject
from emulator.fuzz.learning.symbol import Symbol


class Compared(NamedTuple):
    """``table`` is the machine of the tables with what is ``explained``; ``difference`` is what
    is left: the shortest word to which the meter answers otherwise.
    """

    name: str
    learned: Learned
    table: Mealy
    explained: tuple[Explained, ...]
    difference: Difference[Symbol] | None


def compared(subject: Subject, *, extra: int = 1, most: int | None = None) -> Compared:
    """Raises as :func:`.learner.learn` does."""
    learned = subject.learned(extra=extra, most=most)
    rows = tuple(row for row in explained() if subject.is_ours and row.association == subject.name)
    table = amended(subject.tabled(), rows)
    found = difference(learned.machine, table)
    return Compared(subject.name, named(learned, table), minimal(table), rows, found)


def named(learned: Learned, table: Mealy) -> Learned:
    """The learned machine with the names of the states of ``table`` that are reached by the same
    words; states that are one to every word share a name of several.
    """
    machine = learned.machine
    names: dict[str, list[str]] = {state: [] for state in machine.states}
    pairs, waiting = set(), [(machine.initial, table.initial)]
    while waiting:
        pair = waiting.pop()
        if pair in pairs:
            continue
        pairs.add(pair)
        names[pair[0]].append(pair[1])
        for symbol in machine.alphabet:
            one, other = machine.edges[pair[0], symbol], table.edges[pair[1], symbol]
            if one.output == other.output:
                waiting.append((one.state, other.state))
    called = {
        state: f"{state}: {' | '.join(sorted(found)) or 'of no table'}"
        for state, found in names.items()
    }
    edges = {
        (called[state], symbol): edge._replace(state=called[edge.state])
        for (state, symbol), edge in machine.edges.items()
    }
    return learned._replace(machine=Mealy(machine.alphabet, called[machine.initial], edges))
