"""Conversations as trees: alternatives, what follows them, and what cannot be judged."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from dlms.errors import LocalProtocolError, RemoteProtocolError
from emulator.conformance import built_in
from emulator.conformance.conversing import binding
from emulator.conformance.conversing.expect import closed, found, silence
from emulator.conformance.conversing.tree import (
    Expect,
    Mismatch,
    Node,
    Pointless,
    Skipped,
    Unjudged,
    step,
)
from emulator.conformance.probing.line import LineClosed
from emulator.conformance.probing.record import Recorder
from emulator.conformance.probing.seen import Seen
from emulator.conformance.running.result import Verdict
from emulator.conformance.running.runner import real_clocks
from emulator.conformance.running.walking import walk
from emulator.conformance.trying.trial import Trial

CHECK = built_in().checks["X_WPDU_PORT_RSVD"]
"""Two steps, each with silence or the end of the connection."""


async def walked(nodes: Sequence[Node]) -> Any:
    clocks = real_clocks()
    trial = Trial(CHECK, None, random.Random(0), clocks, Recorder(clocks.now))  # type: ignore
    return await walk(trial, nodes)


def sees(what: Seen | Exception) -> Any:
    async def send(trial: Trial) -> Seen:
        if isinstance(what, Exception):
            raise what
        return what

    return send


SILENCE, CLOSED = Seen.silence(1), Seen.closed("gone")


def both(first: Any, second: Any = SILENCE) -> tuple[Node, ...]:
    return (
        step("no-station", sees(first), silence(), closed()),
        step("all-station", sees(second), silence(), closed()),
    )


async def test_the_first_alternative_that_holds() -> None:
    first, second = await walked(both(SILENCE, CLOSED))
    assert (first.answer, second.answer) == ("silence", "closed")
    assert {first.verdict, second.verdict} == {Verdict.PASSED}
    assert first.differences == second.differences == ()


async def test_none_of_them_ends_the_conversation_with_a_difference_for_each() -> None:
    (failed,) = await walked(both(Seen.found(["odd"])))
    assert failed.verdict is Verdict.FAILED
    assert [one.answer for one in failed.differences] == ["silence", "closed"]
    assert failed.seen == "odd"


async def test_a_line_that_ends_amid_sending_is_an_answer() -> None:
    first, _ = await walked(both(LineClosed("gone")))
    assert first.answer == "closed"


async def test_what_a_client_that_behaves_cannot_take_is_a_difference() -> None:
    (failed,) = await walked(both(RemoteProtocolError("odd response")))
    assert failed.verdict is Verdict.FAILED
    assert failed.differences[0].actual == "odd response"


async def test_what_it_cannot_take_is_said_by_the_difference() -> None:
    nodes = both(RemoteProtocolError("odd response"))
    (failed,) = await walked((nodes[0]._replace(expect=(found("silence"), closed())), nodes[1]))
    assert failed.differences[0].actual == "error; odd response"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LocalProtocolError("SET was not negotiated"), "SET was not negotiated"),
        (ConnectionRefusedError("refused"), "no connection: refused"),
        (TimeoutError(), "no connection: TimeoutError"),
    ],
)
async def test_what_is_no_answer_of_the_device(error: Exception, reason: str) -> None:
    (left,) = await walked(both(error))
    assert (left.verdict, left.reason) == (Verdict.INCONCLUSIVE, reason)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(Unjudged("no keys"), Verdict.INCONCLUSIVE), (Pointless("no rows"), Verdict.INAPPLICABLE)],
)
async def test_what_cannot_be_judged(error: Exception, verdict: Verdict) -> None:
    (left,) = await walked(both(error))
    assert (left.verdict, left.reason) == (verdict, str(error))


async def test_an_alternative_leads_on() -> None:
    child = step("then", sees(CLOSED), closed())
    other = step("then", sees(CLOSED), silence())

    def leading(*then: Node) -> Expect:
        return silence()._replace(then=then)

    nodes = both(SILENCE)
    good = (nodes[0]._replace(expect=(leading(child), closed())), nodes[1])
    assert [one.verdict for one in await walked(good)] == [Verdict.PASSED] * 2
    wrong = (nodes[0]._replace(expect=(leading(child, other), closed())), nodes[1])
    (failed,) = await walked(wrong)
    assert failed.verdict is Verdict.FAILED
    assert "the connection" in failed.differences[-1].actual


async def test_entries_of_the_record_belong_to_their_step() -> None:
    first, second = await walked(both(SILENCE))
    assert first.entries[1] == second.entries[0]
    assert first.entries[0] < first.entries[1]


def test_a_conversation_is_what_its_check_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binding, "_BOUND", {})
    binding.conversation(CHECK.id)(lambda: both(SILENCE)[:1])
    with pytest.raises(binding.Unbound, match="has the steps"):
        binding.nodes_of(CHECK)
    with pytest.raises(binding.Unbound, match="has a conversation already"):
        binding.conversation(CHECK.id)(lambda: both(SILENCE))
    monkeypatch.setattr(
        binding,
        "_BOUND",
        {
            CHECK.id: lambda: (
                both(SILENCE)[0]._replace(expect=(closed(), silence())),
                both(SILENCE)[1],
            )
        },
    )
    with pytest.raises(binding.Unbound, match="no-station accepts"):
        binding.nodes_of(CHECK)
    monkeypatch.setattr(binding, "_BOUND", {})
    assert binding.nodes_of(CHECK) is None


def test_what_was_found_says_which_answer_it_is() -> None:
    judge = found("done").judge
    assert judge(None, Seen.found(answer="done")) is None  # type: ignore[arg-type]
    assert judge(None, Seen.found(answer="refused")) == Mismatch("done", "refused")  # type: ignore
    assert judge(None, SILENCE) is not None  # type: ignore[arg-type]


async def test_behind_a_step_that_is_skipped_it_goes_on() -> None:
    first, second = await walked(both(Skipped("no such association")))
    assert (first.verdict, first.reason) == (Verdict.INAPPLICABLE, "no such association")
    assert second.verdict is Verdict.PASSED


async def test_behind_one_that_is_not_for_the_device_it_does_not() -> None:
    (only,) = await walked(both(Pointless("not for this device")))
    assert only.verdict is Verdict.INAPPLICABLE
