"""A Mealy machine: in a state, a letter gives an answer and another state."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from emulator.fuzz.learning.symbol import Symbol


class Edge(NamedTuple):
    """What is answered, in words, and the state that follows."""

    output: str
    state: str


L = TypeVar("L", bound=Enum)
"""A letter; its value is its name."""


class Machine(NamedTuple, Generic[L]):
    """``edges`` has every letter of ``alphabet`` in every state that can be reached."""

    alphabet: tuple[L, ...]
    initial: str
    edges: Mapping[tuple[str, L], Edge]

    @property
    def states(self) -> tuple[str, ...]:
        """In the order in which they are reached."""
        return tuple(self.access())

    def access(self) -> dict[str, tuple[L, ...]]:
        """The shortest word to each state that can be reached."""
        found: dict[str, tuple[L, ...]] = {self.initial: ()}
        waiting = deque([self.initial])
        while waiting:
            state = waiting.popleft()
            for symbol in self.alphabet:
                after = self.edges[state, symbol].state
                if after not in found:
                    found[after] = (*found[state], symbol)
                    waiting.append(after)
        return found

    def answers(self, word: tuple[L, ...]) -> tuple[str, ...]:
        """What is answered to each letter of ``word``."""
        state, said = self.initial, []
        for symbol in word:
            output, state = self.edges[state, symbol]
            said.append(output)
        return tuple(said)


def unfolded(alphabet: tuple[L, ...], initial: str, step: Callable[[str, L], Edge]) -> Machine[L]:
    """The machine of all that can be reached from ``initial`` by ``step``."""
    edges: dict[tuple[str, L], Edge] = {}
    waiting, known = deque([initial]), {initial}
    while waiting:
        state = waiting.popleft()
        for symbol in alphabet:
            edge = edges[state, symbol] = step(state, symbol)
            if edge.state not in known:
                known.add(edge.state)
                waiting.append(edge.state)
    return Machine(alphabet, initial, edges)


class Difference(NamedTuple, Generic[L]):
    """The shortest word to which two machines answer otherwise, in its last letter."""

    word: tuple[L, ...]
    left: str
    right: str


def difference(left: Machine[L], right: Machine[L]) -> Difference[L] | None:
    """Walk both at once through all pairs of states (the product): ``None`` if in none of them any
    letter tells them apart, so that they answer every word alike. ``ValueError`` if they have not
    the same letters.
    """
    if set(left.alphabet) != set(right.alphabet):
        raise ValueError("machines of different alphabets cannot be compared")
    start = left.initial, right.initial
    words: dict[tuple[str, str], tuple[L, ...]] = {start: ()}
    waiting = deque([start])
    while waiting:
        pair = waiting.popleft()
        for symbol in left.alphabet:
            one, other = left.edges[pair[0], symbol], right.edges[pair[1], symbol]
            word = (*words[pair], symbol)
            if one.output != other.output:
                return Difference(word, one.output, other.output)
            after = one.state, other.state
            if after not in words:
                words[after] = word
                waiting.append(after)
    return None


def minimal(machine: Machine[L]) -> Machine[L]:
    """The smallest machine that answers alike: states that no word tells apart are one, named as
    the first of them that is reached.
    """
    states = machine.states
    block = dict.fromkeys(states, 0)
    while True:
        signatures = {
            state: (
                block[state],
                *(
                    (edge.output, block[edge.state])
                    for edge in (machine.edges[state, symbol] for symbol in machine.alphabet)
                ),
            )
            for state in states
        }
        numbers: dict[object, int] = {}
        refined = {state: numbers.setdefault(signatures[state], len(numbers)) for state in states}
        if len(set(refined.values())) == len(set(block.values())):
            break
        block = refined
    first: dict[int, str] = {}
    for state in states:
        first.setdefault(block[state], state)

    def step(state: str, symbol: L) -> Edge:
        output, after = machine.edges[state, symbol]
        return Edge(output, first[block[after]])

    return unfolded(machine.alphabet, first[block[machine.initial]], step)


Mealy: TypeAlias = Machine[Symbol]
