"""No operation without a decision in the ledger: of the clients in process, and of the head end."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from dlms.axdr.data import octet_string
from dlms.security.keys import KeyKind
from dlms.security.ops import CryptoOp, Random, Use, keys_of
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.custody import Custody, Mode
from emulator.custody.purposes import keys_used, purpose_of
from emulator.fuzz import actions
from emulator.fuzz.in_process import tagging
from emulator.fuzz.in_process.client import Party
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import Otherwise, Twist
from emulator.head_end.party import CATEGORIES
from emulator.ledger import Entry, Ledger
from emulator.modules.software import SoftwareModule
from emulator.policy import (
    LETTER,
    Actor,
    Edition,
    ModuleClass,
    Purpose,
    Question,
    Rule,
    decide,
)
from emulator.policy.rule import ANY_KEY, ANY_TARGET

OPEN = actions.Open(client="dco")
ROTATE = actions.Rotate(client="dco", kinds=("GUEK", "GAK"))
NOTHING_NEEDED = Edition(
    name="nothing is needed",
    authority="this test",
    rules=(
        Rule(
            id="all",
            categories=ANY_TARGET,
            kinds=ANY_KEY | {None},
            module_class=ModuleClass.NONE,
            clause="none",
            why="It is a mistake.",
            paragraph="none",
        ),
    ),
)


LOWEST = decide(
    Question(actor=Actor.DCO, purpose=Purpose.OTHER, category=None, keys=()), NOTHING_NEEDED
)


def breaches(target: InProcess) -> list[str]:
    return [one for one in target.look().breaches if one.startswith("I-LEDGER")]


def test_each_operation_of_a_run_is_in_the_ledger(
    target: Callable[..., InProcess],
    note: AttributeDescriptor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries: list[Entry] = []
    note_it = tagging.Tagging._note

    def noted(self: tagging.Tagging, entry: Entry) -> None:
        entries.append(entry)
        note_it(self, entry)

    monkeypatch.setattr(tagging.Tagging, "_note", noted)
    it = target()
    for action in (OPEN, actions.Get(client="dco", attribute=note), ROTATE):
        assert it.do(action).outcome is Outcome.ACCEPTED
    assert breaches(it) == []
    assert {one.actor for one in entries} == {Actor.DCO}
    assert {"Seal", "Open", "Mac", "Wrap", "GenerateKey"} <= {one.operation for one in entries}
    assert {one.purpose for one in entries} >= {
        Purpose.ESTABLISH_ASSOCIATION,
        Purpose.GENERATE_INSTRUCTION,
        Purpose.PROCESS_RESPONSE,
        Purpose.TRANSFER_KEY,
    }
    assert {one.decision.module_class for one in entries if one.keys} == {ModuleClass.LEVEL_3}


def test_what_an_attacker_makes_is_decided_too(target: Callable[..., InProcess]) -> None:
    it = target()
    wrong = Twist(seal=Otherwise(counter=7, title=bytes(8)))
    assert it.do(actions.Open(client="dco", twist=wrong)).outcome is Outcome.REFUSED
    assert breaches(it) == []


def test_client_that_goes_past_the_policy_is_found(
    target: Callable[..., InProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Party, "execute", lambda party, op: party.module.execute(op))
    it = target()
    it.do(OPEN)
    found = breaches(it)
    assert found
    assert all(one.endswith("without a decision") for one in found)


def test_one_operation_past_the_policy_among_many_is_found(
    target: Callable[..., InProcess], note: AttributeDescriptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = target()
    it.do(OPEN)
    party, seals = it.world.client("dco").party, []
    decided = party.execute

    def execute(op: CryptoOp) -> Any:
        if type(op).__name__ == "Open":
            seals.append(op)
            return party.module.execute(op)
        return decided(op)

    monkeypatch.setattr(party, "execute", execute)
    assert it.do(actions.Get(client="dco", attribute=note)).outcome is Outcome.ACCEPTED
    assert len(seals) == 1
    assert breaches(it) == ["I-LEDGER: Open (open a response) without a decision"]


def test_decision_of_too_low_a_class_is_found(target: Callable[..., InProcess]) -> None:
    it = target()
    party = it.world.client("dco").party
    ledger = Ledger(party.tagging._note, keep=False)
    party.tagging._custody = Custody([party.module], NOTHING_NEEDED, Mode.ENFORCE, ledger)
    it.do(OPEN)
    assert any("under none not Cryptographic Processing" in one for one in breaches(it))


def test_module_that_is_too_weak_is_found(target: Callable[..., InProcess]) -> None:
    it = target()
    party = it.world.client("dco").party
    party.module.module_class = ModuleClass.G2_45
    ledger = Ledger(party.tagging._note, keep=False)
    party.tagging._custody = Custody([party.module], LETTER, Mode.OBSERVE, ledger)
    it.do(OPEN)
    assert any("wants FIPS 140-2 Level 3" in one for one in breaches(it))


def test_too_weak_a_module_does_nothing_for_a_client(target: Callable[..., InProcess]) -> None:
    it = target()
    party = it.world.client("dco").party
    party.module.module_class = ModuleClass.G2_45
    seen = it.do(OPEN)
    assert (seen.outcome, seen.line) == (Outcome.DISTRUSTED, ())
    assert "no module at hand is that" in seen.says
    assert breaches(it) == []


def test_entry_of_what_was_never_done_is_found(target: Callable[..., InProcess]) -> None:
    it = target()
    it.do(OPEN)
    party = it.world.client("dco").party
    party.execute(Random(Use.ASSOCIATION, 8))
    party.module.executed.clear()  # type: ignore[union-attr]
    it.do(actions.Hang(client="dco"))
    assert breaches(it) == ["I-LEDGER: Random is in the ledger and was not done"]


def test_token_of_a_client_goes_in_a_command_to_add_credit(
    target: Callable[..., InProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    it = target()
    it.do(OPEN)
    purposes: list[Purpose] = []
    monkeypatch.setattr(tagging, "purpose_of", lambda use, errand: purposes.append(errand))
    monkeypatch.setattr(tagging, "_due", lambda *question: LOWEST)
    it.do(actions.Token(client="dco", pence=100, counter=1))
    assert Purpose.GENERATE_ADD_CREDIT_COMMAND in purposes
    assert it.world.client("dco").party.tagging.errand.purpose is Purpose.GENERATE_INSTRUCTION


def test_a_snapshot_has_its_own_ledger(
    target: Callable[..., InProcess], note: AttributeDescriptor
) -> None:
    it = target()
    it.do(OPEN)
    snapshot = it.snapshot()
    for _ in range(2):
        it.restore(snapshot)
        seen = it.do(actions.Set(client="dco", attribute=note, value=octet_string(b"x")))
        assert seen.outcome is Outcome.ACCEPTED
        assert breaches(it) == []


# The head end ---------------------------------------------------------------------------------


class Recording(SoftwareModule):
    """One that remembers what it was asked to carry out."""

    def __init__(self, ring: Any) -> None:
        super().__init__(ring)
        self.executed: list[CryptoOp] = []

    def execute(self, op: CryptoOp) -> Any:
        self.executed.append(op)
        return super().execute(op)


@pytest.mark.parametrize("name", ["secure", "itron", "landis_gyr"])
async def test_head_end_writes_down_what_its_module_does_and_nothing_else(
    name: str, make_head_end: Any, place: Any, ring: Any, ledger: Ledger
) -> None:
    meter = place(name)
    module = Recording(ring)
    head_end = make_head_end(modules=[module])
    await head_end.status(meter.address, meter.profile)
    await head_end.top_up(meter.address, meter.profile, Decimal("1.00"))
    await head_end.rotate(meter.address, meter.profile, Actor.DCO, (KeyKind.GUEK,))
    await head_end.status(meter.address, meter.profile)
    entries = [one for one in ledger if one.module == module.name]
    assert [(one.operation, one.keys) for one in entries] == [
        (type(op).__name__, keys_of(op)) for op in module.executed
    ]
    assert len(entries) > 20
    category = CATEGORIES[meter.profile.category]
    for op, entry in zip(module.executed, entries, strict=True):
        purpose = purpose_of(op.use, entry.purpose)
        assert entry.purpose is purpose
        question = Question(
            actor=entry.actor, purpose=purpose, category=entry.category, keys=keys_used(op)
        )
        assert entry.category is category
        assert entry.decision == decide(question, LETTER)
        assert entry.sufficient is (module.module_class >= entry.decision.module_class)
    assert {one.actor for one in entries} >= {Actor.S1SP, Actor.DCO}
