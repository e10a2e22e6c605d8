"""The machine that AALpy learns of our meter is the one of the tables in dlms/, exactly."""

from __future__ import annotations

import asyncio

import pytest

from dlms.association import authenticating, server
from dlms.association.server import ServerAssociation
from dlms.xdlms.action import ActionRequest
from emulator.cli.fuzz_learn import over_tcp
from emulator.fuzz.actions import Plant
from emulator.fuzz.learning.comparing import compared
from emulator.fuzz.learning.explaining import amended, explained
from emulator.fuzz.learning.learner import Enough, Unsteady
from emulator.fuzz.learning.mealy import difference
from emulator.fuzz.learning.subject import associations, in_process
from emulator.fuzz.learning.symbol import Symbol

EVERY = associations()
OVER_HDLC = ("public", "reader", "suite2", "pre_established")
"""The link below the others is the same."""


@pytest.mark.parametrize("association", EVERY)
def test_machine_in_process_is_that_of_the_table(association: str) -> None:
    found = compared(in_process(association), extra=0)
    assert found.difference is None, found.difference
    assert len(found.learned.machine.states) == len(found.table.states)


@pytest.mark.parametrize("association", OVER_HDLC)
def test_machine_over_hdlc_is_that_of_both_tables(association: str) -> None:
    found = compared(in_process(association, hdlc=True), extra=0)
    assert found.difference is None, found.difference
    assert len(found.learned.machine.states) == len(found.table.states)


@pytest.mark.parametrize("association", ["public", "reader", "dco"])
def test_no_state_more_is_hidden_behind_the_machine(association: str) -> None:
    """The conformance test of depth 1: right for every meter with up to one state more."""
    found = compared(in_process(association), extra=1)
    assert found.difference is None, found.difference


def test_machine_over_tcp_is_that_of_the_table() -> None:
    with asyncio.Runner() as runner, over_tcp("laboratory", ["dco"], runner) as subjects:
        for subject in subjects:
            assert compared(subject, extra=0).difference is None, subject.name


def test_every_kind_of_authentication_is_among_them() -> None:
    mechanisms = {in_process(name).config.mechanism.value for name in EVERY}
    assert mechanisms >= {0, 1, 3, 4, 5, 6, 7}


@pytest.mark.parametrize("association", sorted({row.association for row in explained()}))
def test_what_is_explained_is_exactly_the_difference(association: str) -> None:
    subject = in_process(association)
    learned = subject.learned(extra=0).machine
    rows = tuple(row for row in explained() if row.association == association)
    assert difference(learned, amended(subject.tabled(), rows)) is None
    for row in rows:
        fewer = tuple(one for one in rows if one is not row)
        found = difference(learned, amended(subject.tabled(), fewer))
        assert found is not None, f"{row} explains nothing"
        assert row.letter in found.word


# It can fail ------------------------------------------------------------------------------------


def test_association_that_outlives_its_release_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    release = ServerAssociation._receive_rlrq

    def outlives(self, apdu, aa):  # type: ignore[no-untyped-def]
        state, services = self.state, self._services
        event = yield from release(self, apdu, aa)
        self.state, self._services = state, services
        return event

    monkeypatch.setattr(ServerAssociation, "_receive_rlrq", outlives)
    found = compared(in_process("reader"), extra=0).difference
    assert found is not None
    assert found.word[:2] == (Symbol.AARQ, Symbol.RLRQ)
    assert len(found.word) == 3  # and no shorter word shows it
    assert found.right == "exception"


def test_meter_for_which_any_action_is_pass_3_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        authenticating, "is_pass_3", lambda request: isinstance(request, ActionRequest)
    )

    def takes(taken, aa, offer):  # type: ignore[no-untyped-def]
        judged = yield from judge(taken, aa, offer)
        return judged._replace(failure="")

    judge = authenticating.judge_pass_3
    monkeypatch.setattr(server.authenticating, "judge_pass_3", takes)
    found = compared(in_process("md5"), extra=0).difference
    assert found is not None
    assert found.word[0] is Symbol.AARQ
    assert found.word[1] in (Symbol.ACTION, Symbol.PASS_3_WRONG, Symbol.PASS_3_REPLAYED)


@pytest.mark.parametrize(
    ("fault", "association", "letter"),
    [
        ("any-password", "reader", Symbol.AARQ_LLS),
        ("no-policy", "dco", Symbol.AARQ_PLAIN),
    ],
)
def test_fault_of_the_emulator_is_found(fault: str, association: str, letter: Symbol) -> None:
    subject = in_process(association, plants=(Plant(fault=fault),))
    found = compared(subject, extra=0).difference
    assert found is not None
    assert found.word == (letter,)


def test_limit_on_words_is_kept() -> None:
    subject = in_process("dco")
    with pytest.raises(Enough, match="50 words"):
        subject.learned(most=50)


def test_meter_that_answers_otherwise_each_time_is_no_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subject = in_process("reader")
    say, turns = subject.way.say, iter(range(10**9))
    monkeypatch.setattr(
        subject.way, "say", lambda apdu: say(apdu if next(turns) % 7 else b"\x99"), raising=False
    )
    with pytest.raises(Unsteady):
        subject.learned(extra=0)
