"""Differences to the tables that have an explanation (``explained.toml``)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from emulator import toml_file
from emulator.fuzz.learning.mealy import Edge, Mealy, unfolded
from emulator.fuzz.learning.symbol import Symbol

FILE = Path(__file__).with_name("explained.toml")


class Explained(NamedTuple):
    """In ``state``, ``letter`` is answered by ``edge`` and not as the table says, because of
    ``why``.
    """

    association: str
    state: str
    letter: Symbol
    edge: Edge
    why: str


def explained(path: Path = FILE) -> tuple[Explained, ...]:
    """All rows, one for each letter in each state.
    :class:`~devices.profile.ProfileError` if the file cannot be read.
    """
    written = toml_file.read(path)
    found = []
    for number, row in enumerate(written.table["difference"]):
        place = written.place.at("difference").at(str(number))
        try:
            edge = Edge(row["answer"], row["then"])
            found += [
                Explained(association, state, Symbol(letter), edge, row["why"])
                for association in row["associations"]
                for state in row["states"]
                for letter in row["letters"]
            ]
        except (KeyError, ValueError) as error:
            raise place.error(f"cannot be used: {error}") from None
    return tuple(found)


def amended(machine: Mealy, rows: tuple[Explained, ...]) -> Mealy:
    """``machine`` with other answers where there is an explanation. A state that is not in it is
    passed over.
    """
    changes = {(row.state, row.letter): row.edge for row in rows}

    def step(state: str, symbol: Symbol) -> Edge:
        return changes.get((state, symbol)) or machine.edges[state, symbol]

    return unfolded(machine.alphabet, machine.initial, step)
