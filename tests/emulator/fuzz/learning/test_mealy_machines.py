"""Machines of our own making: the product finds the shortest word, or shows that there is none."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.fuzz.learning.mealy import Edge, Mealy, difference, minimal
from emulator.fuzz.learning.showing import dot, listed
from emulator.fuzz.learning.symbol import Symbol

LETTERS = (Symbol.AARQ, Symbol.RLRQ)


@st.composite
def machines(draw: st.DrawFn) -> Mealy:
    states = [f"{number}" for number in range(draw(st.integers(1, 4)))]
    edges = {
        (state, letter): Edge(draw(st.sampled_from("ab")), draw(st.sampled_from(states)))
        for state in states
        for letter in LETTERS
    }
    return Mealy(LETTERS, "0", edges)


@settings(max_examples=150)
@given(machines(), machines())
def test_difference_is_what_all_words_of_some_length_show(left: Mealy, right: Mealy) -> None:
    found = difference(left, right)
    shortest = next(
        (
            word
            for length in range(1, 9)  # 4 + 4 states: no shortest word is longer than 7
            for word in product(LETTERS, repeat=length)
            if left.answers(word) != right.answers(word)
        ),
        None,
    )
    assert (found is None) is (shortest is None)
    if found is not None and shortest is not None:
        assert len(found.word) == len(shortest)
        assert left.answers(found.word)[-1] == found.left
        assert right.answers(found.word)[-1] == found.right


@settings(max_examples=100)
@given(machines())
def test_minimal_machine_answers_alike_and_has_no_two_states_that_are_one(machine: Mealy) -> None:
    small = minimal(machine)
    assert difference(machine, small) is None
    for one in small.states:
        for other in small.states:
            if one != other:
                assert difference(small._replace(initial=one), small._replace(initial=other))


def test_machine_is_shown_with_every_state_and_letter() -> None:
    edges = {
        ("idle", Symbol.AARQ): Edge('AARE "accepted"', "open"),
        ("idle", Symbol.RLRQ): Edge("exception", "idle"),
        ("open", Symbol.AARQ): Edge('AARE "accepted"', "open"),
        ("open", Symbol.RLRQ): Edge("RLRE", "idle"),
    }
    machine = Mealy(LETTERS, "idle", edges)
    assert listed(machine) == [
        "idle",
        '  AARQ: AARE "accepted", then open',
        "  RLRQ: exception",
        "open",
        '  AARQ: AARE "accepted"',
        "  RLRQ: RLRE, then idle",
    ]
    drawn = dot(machine, "small")
    assert drawn.startswith('digraph "small" {')
    assert 's0 -> s1 [label="AARQ\\n/ AARE \\"accepted\\""];' in drawn
