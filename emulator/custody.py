"""The door to cryptography on the DCC side: ask the policy, tag, pick a module, execute, record.

Nothing falls through to a weaker module: in enforce mode an operation for which no module is strong
enough is refused before any key is touched; in observe mode it is carried out and the ledger says
that the module was not sufficient.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from dlms.security.keys import KeyRef
from dlms.security.ops import (
    CryptoFailure,
    CryptoOp,
    Discard,
    OperationRefused,
    Step,
    keys_of,
)
from emulator.ledger import Ledger, Outcome
from emulator.modules.module import CryptoModule
from emulator.policy import (
    Actor,
    Category,
    Decision,
    Edition,
    ModuleClass,
    Purpose,
    Question,
    decide,
    key_uses,
)
from emulator.purposes import keys_used, purpose_of

OPENSSL = "OpenSSL in this process"
OPENSSL_CLASS = ModuleClass.G2_45
"""Who holds the private key of a TLS connection, and the class that this honestly satisfies."""

DATABASE = "database"
"""Where encrypted keys are stored."""

T = TypeVar("T")


class Mode(Enum):
    OBSERVE = "observe"
    ENFORCE = "enforce"


class Errand(NamedTuple):
    """Who is about what, for which device: the part of a question the protocol cannot know."""

    actor: Actor
    device: str
    category: Category | None
    purpose: Purpose


class Custody:
    """``modules`` in order of preference; the first that is strong enough is taken."""

    def __init__(
        self, modules: Sequence[CryptoModule], edition: Edition, mode: Mode, ledger: Ledger
    ) -> None:
        if not modules:
            raise ValueError("at least one Cryptographic Module is needed")
        self._modules = tuple(modules)
        self._strongest = max(self._modules, key=lambda module: module.module_class)
        self._edition = edition
        self._mode = mode
        self._ledger = ledger

    @property
    def mode(self) -> Mode:
        return self._mode

    async def run(self, step: Step[T], errand: Errand) -> T:
        """Run a step of the protocol to its end."""
        try:
            op = next(step)
            while True:
                try:
                    result = await self._execute(op, errand)
                except CryptoFailure as failure:
                    op = step.throw(failure)
                else:
                    op = step.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value

    async def establish_tls(
        self, key: KeyRef, errand: Errand, connect: Callable[[], Awaitable[T]]
    ) -> T:
        """Establish TLS with a DCC Private Key (G2.44(b)); OpenSSL in this process does the work.

        :class:`OperationRefused` in enforce mode: that is no Level 3 module.
        """
        self.admit_tls(key, errand)
        outcome = Outcome.FAILED
        try:
            result = await connect()
            outcome = Outcome.DONE
            return result
        finally:
            self.note_tls(key, errand, outcome)

    def admit_tls(self, key: KeyRef, errand: Errand) -> None:
        """The same for who is called, and cannot choose by whom: to be asked before any handshake.
        :class:`OperationRefused` as there. Each handshake is a :meth:`note_tls`.
        """
        decision = self._decide(errand, Purpose.ESTABLISH_TLS, key_uses((key,)))
        if decision.module_class > OPENSSL_CLASS and self._mode is Mode.ENFORCE:
            self.note_tls(key, errand, Outcome.REFUSED)
            raise self._refusal(decision)

    def note_tls(self, key: KeyRef, errand: Errand, outcome: Outcome = Outcome.DONE) -> None:
        """Record a handshake with a DCC Private Key."""
        purpose = Purpose.ESTABLISH_TLS
        decision = self._decide(errand, purpose, key_uses((key,)))
        sufficient = decision.module_class <= OPENSSL_CLASS
        self._record(
            errand, "TLS handshake", purpose, (key,), decision, OPENSSL, False, sufficient, outcome
        )

    def store_encrypted(self, key: KeyRef, errand: Errand) -> None:
        """Before an encrypted key is stored: no Cryptographic Processing by the letter (paragraph
        9), Level 3 before it. A database is no module: :class:`OperationRefused` in enforce mode
        where one is asked for.
        """
        purpose = Purpose.STORE_ENCRYPTED_KEY
        decision = self._decide(errand, purpose, key_uses((key,)))
        sufficient = decision.module_class <= ModuleClass.NONE
        refused = not sufficient and self._mode is Mode.ENFORCE
        outcome = Outcome.REFUSED if refused else Outcome.DONE
        self._record(
            errand, "Store", purpose, (key,), decision, DATABASE, False, sufficient, outcome
        )
        if refused:
            raise OperationRefused(
                f"{decision.clause} needs {decision.module_class.text} even to store {key} "
                "encrypted, and a database is not that"
            )

    async def _execute(self, op: CryptoOp, errand: Errand) -> Any:
        purpose = purpose_of(op.use, errand.purpose)
        decision = self._decide(errand, purpose, keys_used(op))
        module = self._module_for(decision)
        sufficient = module.module_class >= decision.module_class
        outcome = Outcome.REFUSED
        try:
            if not sufficient and self._mode is Mode.ENFORCE:
                raise self._refusal(decision)
            outcome = Outcome.FAILED
            result = await _carry_out(module, op)
            if isinstance(op, Discard):
                # It needs no class, so any module may do it; but the key is where it was made.
                for other in self._modules:
                    if other is not module:
                        await _carry_out(other, op)
            outcome = Outcome.DONE
            return result
        finally:
            self._record(
                errand,
                type(op).__name__,
                purpose,
                keys_of(op),
                decision,
                module.name,
                module.emulated,
                sufficient,
                outcome,
            )

    def _decide(self, errand: Errand, purpose: Purpose, keys: tuple[Any, ...]) -> Decision:
        question = Question(
            actor=errand.actor, purpose=purpose, category=errand.category, keys=keys
        )
        return decide(question, self._edition)

    def _module_for(self, decision: Decision) -> CryptoModule:
        for module in self._modules:
            if module.module_class >= decision.module_class:
                return module
        return self._strongest

    def _refusal(self, decision: Decision) -> OperationRefused:
        return OperationRefused(
            f"{decision.clause} needs {decision.module_class.text}, and no module at hand is that"
        )

    def _record(
        self,
        errand: Errand,
        operation: str,
        purpose: Purpose,
        keys: tuple[KeyRef, ...],
        decision: Decision,
        module: str,
        emulated: bool,
        sufficient: bool,
        outcome: Outcome,
    ) -> None:
        self._ledger.append(
            actor=errand.actor,
            device=errand.device,
            category=errand.category,
            operation=operation,
            purpose=purpose,
            keys=keys,
            decision=decision,
            module=module,
            emulated=emulated,
            sufficient=sufficient,
            outcome=outcome,
        )


async def _carry_out(module: CryptoModule, op: CryptoOp) -> Any:
    """Execute ``op``, in a thread if the module may wait."""
    if module.blocks:
        return await asyncio.get_running_loop().run_in_executor(None, module.execute, op)
    return module.execute(op)
