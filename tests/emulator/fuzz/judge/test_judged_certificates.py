"""Certificates that are removed, and what the meter says unasked: the judge sees what is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dlms.axdr.data import Data, integer, octet_string
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.fuzz import actions
from emulator.fuzz.judge.judge import Judge
from emulator.fuzz.target import Direction, Facts, Outcome, Passed, Seen

Make = Callable[..., Facts]

SETUP = bytes((0, 0, 43, 0, 1, 255))
NOTE = AttributeDescriptor(1, bytes((0, 0, 96, 1, 9, 255)), 2)
SEEN = Seen(outcome=Outcome.ACCEPTED)


def act(method: int, parameter: Data = octet_string(b"it")) -> actions.Act:  # noqa: B008
    return actions.Act(client="c", method=MethodDescriptor(64, SETUP, method), parameter=parameter)


def broken(
    judge: Judge, action: actions.Action, seen: Seen, before: Facts, after: Facts
) -> set[str]:
    return {one.invariant for one in judge.watch(action, seen, before, after)}


def test_what_was_removed_is_not_shown(judge: Judge, facts: Make) -> None:
    one, two = facts(), facts(digest="two")
    assert broken(judge, act(8), SEEN, one, two) == set()
    assert broken(judge, act(7, integer(1)), SEEN, two, two) == set()
    assert broken(judge, act(7), Seen(outcome=Outcome.REFUSED), two, two) == set()
    assert broken(judge, act(7), SEEN, two, two) == {"R-KEY-7"}


def test_what_is_put_back_may_be_shown(judge: Judge, facts: Make) -> None:
    one, two, three = facts(), facts(digest="two"), facts(digest="three")
    assert broken(judge, act(8), SEEN, one, two) == set()
    assert broken(judge, actions.Certify(client="c"), SEEN, two, three) == set()
    assert broken(judge, act(7), SEEN, three, three) == set()


def test_a_removal_changes_something_and_who_reads_nothing(judge: Judge, facts: Make) -> None:
    one, two = facts(), facts(digest="two")
    assert broken(judge, act(8), SEEN, one, one) == {"R-KEY-7"}
    assert broken(judge, act(7, integer(1)), SEEN, one, two) == {"I3"}


@pytest.mark.parametrize(
    ("apdu", "breaches"),
    [
        ("CA2C30000000030000", set()),
        ("381B30000000030000", set()),
        ("CA2C20000000030000", {"R-PROT-5"}),
        ("C20000010000600109FF020900", {"R-PROT-5"}),
    ],
)
def test_what_is_said_unasked_is_protected(
    judge: Judge, facts: Make, apdu: str, breaches: set[str]
) -> None:
    line = (Passed(Direction.RECEIVED, "c", bytes.fromhex(apdu)),)
    seen = Seen(outcome=Outcome.ACCEPTED, line=line)
    told = actions.Announce(attribute=NOTE)
    assert broken(judge, told, seen, facts(), facts()) == breaches


def test_who_has_done_everything_right_understands_it(judge: Judge, facts: Make) -> None:
    told, distrusts = (
        actions.Announce(attribute=NOTE),
        Seen(outcome=Outcome.DISTRUSTED, says="c: it does not verify"),
    )
    assert broken(judge, told, distrusts, facts(), facts()) == set()
    there = facts()
    assert broken(judge, actions.Open(client="c"), SEEN, there, there) == set()
    assert broken(judge, told, distrusts, there, there) == {"R-KEY-3"}
