"""The clients' operations as those of the DCC side: each is decided by the policy and written into
a ledger, by the same door as the head end's.

The look-out compares what a client's module has carried out with what is in its ledger, one to one,
and asks the policy itself once more.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from dlms.security.keys import KeyRef
from dlms.security.ops import CryptoOp, Discard, Step, keys_of
from emulator.custody import Custody, Errand, Mode
from emulator.custody.purposes import purpose_of
from emulator.fuzz.in_process.seeded import LoosedModule
from emulator.ledger import Entry, Ledger, Outcome
from emulator.policy import LETTER, Actor, Category, Decision, Purpose, Question, decide, key_uses

EDITION = LETTER
_ANY_TIME = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
"""When an entry was made is of no interest here."""
NOBODY = Errand(Actor.DCC, "", None, Purpose.GENERATE_INSTRUCTION)
"""A client that belongs to neither party, of a meter that is no SMETS1 Device."""


class Tagging:
    """``module`` carries the operations of one party out, and remembers which. ``errand`` is who it
    is about what.
    """

    def __init__(self, module: LoosedModule, errand: Errand = NOBODY) -> None:
        self.errand = errand
        self._module = module
        module.executed = []
        self._entries: list[Entry] = []
        ledger = Ledger(self._note, now=lambda: _ANY_TIME, keep=False)
        self._custody = Custody([module], EDITION, Mode.ENFORCE, ledger)

    def _note(self, entry: Entry) -> None:
        self._entries.append(entry)

    def execute(self, op: CryptoOp) -> Any:
        """Decide, carry out, write down. Raises what the module does, and
        :class:`~dlms.security.ops.OperationRefused`.
        """
        course = self._custody.run(_only(op), self.errand)
        try:
            course.send(None)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("this module never waits")

    @contextmanager
    def about(self, purpose: Purpose) -> Iterator[None]:
        """The operations to come are for that."""
        before, self.errand = self.errand, self.errand._replace(purpose=purpose)
        try:
            yield
        finally:
            self.errand = before

    def look_out(self) -> list[str]:
        """What was carried out since the last time without a right entry, in words."""
        executed = self._module.executed or []
        if not executed and not self._entries:
            return []
        breaches: list[str] = []
        entries = deque(one for one in self._entries if one.outcome is not Outcome.REFUSED)
        for op in executed:
            if entries and _is_of(entries[0], op):
                self._judge(op, entries.popleft(), breaches)
            else:
                breaches.append(
                    f"I-LEDGER: {type(op).__name__} ({op.use.value}) without a decision"
                )
        breaches += [
            f"I-LEDGER: {one.operation} is in the ledger and was not done" for one in entries
        ]
        executed.clear()
        self._entries.clear()
        return breaches

    def _judge(self, op: CryptoOp, entry: Entry, breaches: list[str]) -> None:
        errand, decision = self.errand, entry.decision
        due = _due(
            errand.actor,
            # What a request is for only the errand knows that it was made on.
            purpose_of(op.use, entry.purpose),
            errand.category,
            () if isinstance(op, Discard) else entry.keys,
        )
        if decision.module_class < due.module_class:
            breaches.append(
                f"I-LEDGER: {entry.operation} ({op.use.value}) under {decision.clause}"
                f" {decision.module_class.text}, and the policy says {due.clause}"
                f" {due.module_class.text}"
            )
        if self._module.module_class < due.module_class:
            breaches.append(
                f"I-LEDGER: {entry.operation} ({op.use.value}) by {entry.module}, and the policy"
                f" wants {due.module_class.text}"
            )


@lru_cache(maxsize=1024)
def _due(
    actor: Actor, purpose: Purpose, category: Category | None, keys: tuple[KeyRef, ...]
) -> Decision:
    """What the policy says, whatever an entry says that it said."""
    question = Question(actor=actor, purpose=purpose, category=category, keys=key_uses(keys))
    return decide(question, EDITION)


def _is_of(entry: Entry, op: CryptoOp) -> bool:
    return entry.operation == type(op).__name__ and entry.keys == keys_of(op)


def _only(op: CryptoOp) -> Step[Any]:
    return (yield op)
