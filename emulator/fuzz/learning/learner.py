"""AALpy asks a meter words until it knows the machine that answers so.

Algorithm: KV (Kearns and Vazirani) with Rivest and Schapire's counterexamples. Whether a
hypothesis is right is asked by the W-method (Chow 1978): all words that go over each edge, on by up
to ``extra`` more letters, and end in one that tells states apart. If the meter has at most
``extra`` states more than were found, the learned machine is right for certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

from emulator.fuzz.learning.aalpy_needed import SUL, WMethodEqOracle, run_KV
from emulator.fuzz.learning.mealy import Edge, L, Machine, Mealy, unfolded
from emulator.fuzz.learning.speaker import Party, Speaker
from emulator.fuzz.learning.symbol import Kind, Symbol
from emulator.fuzz.learning.way import Way


class Enough(Exception):
    """So many words have been asked, and the machine is not known yet."""


class Unsteady(Exception):
    """The same word was answered in two ways: what answers is no such machine."""


class Learned(NamedTuple):
    """``words`` were asked, of ``letters`` together; ``extra`` is what the machine is sure for."""

    machine: Mealy
    words: int
    letters: int
    extra: int


class Asked(SUL):  # type: ignore[misc]  # the package has no types
    """A meter as AALpy asks it, each word from the beginning. ``most`` words are asked."""

    def __init__(self, party: Party, way: Way, most: int | None = None) -> None:
        super().__init__()
        self._party = party
        self._way = way
        self._most = most
        self.words = self.letters = 0
        self._old_pass_3 = self._earlier()
        self._speaker = Speaker(party, self._old_pass_3)

    def _earlier(self) -> bytes:
        """Pass 3 of an association that there has been: right then, and never again."""
        if not self._party.config.mechanism.is_hls:
            return b""
        way, speaker = self._way, Speaker(self._party)
        way.begin()
        if Symbol.SNRM in way.lower:
            way.do(Symbol.SNRM)
        for symbol in (Symbol.AARQ, Symbol.PASS_3):
            heard = way.say(speaker.octets(symbol))
            if isinstance(heard, bytes):
                speaker.kind(symbol, heard)
        return speaker.last_pass_3

    def pre(self) -> None:
        if self._most is not None and self.words >= self._most:
            raise Enough(f"{self.words} words were asked, and that is the limit")
        self.words += 1
        self._way.begin()
        self._speaker = Speaker(self._party, self._old_pass_3)

    def post(self) -> None:
        """Nothing: :meth:`pre` begins anew."""

    def step(self, letter: Symbol) -> str:
        self.letters += 1
        way = self._way
        if letter in way.lower:
            return way.do(letter).value
        heard = way.say(self._speaker.octets(letter))
        if isinstance(heard, Kind):
            return heard.value
        return self._speaker.kind(letter, heard)


class Deeper(WMethodEqOracle):  # type: ignore[misc]  # the package has no types
    """The W-method, for ``extra`` states more than each hypothesis has. Before that it goes over
    each edge and on by any one letter: what a hypothesis of few states has not seen yet is mostly
    told apart by one, and not by the letters that tell its states apart.
    """

    def __init__(self, letters: Sequence[Enum], asked: SUL, extra: int) -> None:
        super().__init__(list(letters), asked, 0)
        self._extra = extra

    def find_cex(self, hypothesis: Any) -> Any:
        size = len(hypothesis.states)
        telling = hypothesis.compute_characterization_set() if size > 1 else []
        for words, extra in (([(letter,) for letter in self.alphabet], 0), (telling, self._extra)):
            if not words:
                continue
            self.m = size + extra
            hypothesis.characterization_set = words
            found = super().find_cex(hypothesis)
            if found is not None:
                return found
        return None


def learn(
    party: Party,
    way: Way,
    alphabet: tuple[Symbol, ...],
    *,
    extra: int = 1,
    most: int | None = None,
) -> Learned:
    """:class:`Enough` if ``most`` words do not do, :class:`Unsteady` if answers contradict each
    other.
    """
    letters = list(alphabet)
    try:
        asked = Asked(party, way, most)
        oracle = Deeper(letters, asked, extra)
        found = run_KV(letters, asked, oracle, "mealy", print_level=0)
    except SystemExit as error:  # AALpy's word for contradictory answers
        raise Unsteady(str(error)) from error
    finally:
        way.close()
    return Learned(machine_of(found, alphabet), asked.words, asked.letters, extra)


def machine_of(found: Any, alphabet: tuple[L, ...]) -> Machine[L]:
    """Our own form of AALpy's, its states named in the order in which they are reached."""

    def step(name: str, symbol: L) -> Edge:
        state = states[name]
        after = state.transitions[symbol]
        known = names.setdefault(after.state_id, f"{len(names)}")
        states[known] = after
        return Edge(state.output_fun[symbol], known)

    initial = found.initial_state
    names, states = {initial.state_id: "0"}, {"0": initial}
    return unfolded(alphabet, "0", step)
