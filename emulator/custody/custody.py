"""The door to cryptography on the DCC side: ask the policy, tag, pick a module, execute, record.

Nothing falls through to a weaker module: in enforce mode an operation for which no module is strong
enough is refused before any key is touched; in observe mode it is carried out and the ledger says
that the module was not sufficient.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from dlms.security.keys import KeyRef
from dlms.security.ops import (
    CryptoFailure,
    CryptoOp,
    Discard,
    OperationRefused,
    Step,
    keys_of,
)
from emulator.custody.purposes import keys_used, purpose_of
from emulator.custody.routing import Routing
from emulator.ledger import Ledger, Outcome
from emulator.modules.module import CryptoModule
from emulator.modules.tls_module import TlsModule
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
from tls.external_key import why_not

T = TypeVar("T")


class Place(Protocol):
    """Where an operation is carried out: a module, or what stands for one."""

    @property
    def name(self) -> str: ...

    @property
    def module_class(self) -> ModuleClass: ...

    @property
    def emulated(self) -> bool: ...


class Other(NamedTuple):
    """A place that is no module, and the class that it honestly satisfies."""

    name: str
    module_class: ModuleClass
    emulated: bool = False


OPENSSL = Other("OpenSSL in this process", ModuleClass.G2_45)
"""Where the private key of a TLS connection is if no module has it."""

DATABASE = Other("database", ModuleClass.NONE)
"""Where encrypted keys are stored."""


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
    """``modules`` are a routing, or in order of preference: the first that is strong enough is
    taken.
    """

    def __init__(
        self,
        modules: Routing | Sequence[CryptoModule],
        edition: Edition,
        mode: Mode,
        ledger: Ledger,
    ) -> None:
        self._routing = modules if isinstance(modules, Routing) else Routing.in_order(modules)
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
        self,
        key: KeyRef,
        errand: Errand,
        connect: Callable[[], Awaitable[T]],
        *,
        holder: TlsModule | None = None,
        took_key: Callable[[], bool] = lambda: True,
    ) -> T:
        """Establish TLS with a DCC Private Key (G2.44(b)), which ``holder`` has, or else OpenSSL in
        this process. ``connect`` makes the handshake, with a signature of the holder's in it.

        :class:`OperationRefused` in enforce mode, if the holder is not strong enough, which OpenSSL
        never is; and in both if this platform cannot use a key where the holder has it.

        If ``connect`` does well, ``took_key`` is asked whether it took the key at all: to resume a
        session does not.
        """
        self.admit_tls(key, errand, holder=holder)
        outcome = Outcome.FAILED
        try:
            result = await connect()
            outcome = Outcome.DONE
            return result
        finally:
            if outcome is Outcome.FAILED or took_key():
                self.note_tls(key, errand, outcome, holder=holder)

    def admit_tls(self, key: KeyRef, errand: Errand, *, holder: TlsModule | None = None) -> None:
        """The same for who is called, and cannot choose by whom: to be asked before any handshake.
        :class:`OperationRefused` as there. Each handshake is a :meth:`note_tls`.
        """
        decision = self._decide(errand, Purpose.ESTABLISH_TLS, key_uses((key,)))
        refusal = self._tls_refusal(decision, holder)
        if refusal is not None:
            self.note_tls(key, errand, Outcome.REFUSED, holder=holder)
            raise refusal

    def note_tls(
        self,
        key: KeyRef,
        errand: Errand,
        outcome: Outcome = Outcome.DONE,
        *,
        holder: TlsModule | None = None,
    ) -> None:
        """Record a handshake with a DCC Private Key."""
        purpose = Purpose.ESTABLISH_TLS
        decision = self._decide(errand, purpose, key_uses((key,)))
        self._record(errand, "TLS handshake", purpose, (key,), decision, holder or OPENSSL, outcome)

    def _tls_refusal(self, decision: Decision, holder: TlsModule | None) -> OperationRefused | None:
        if self._mode is Mode.ENFORCE and not _suffices(holder or OPENSSL, decision):
            if holder is None:
                return self._refusal(decision)
            return OperationRefused(
                f"{decision.clause} needs {decision.module_class.text}, and {holder.name}, "
                "which has the private key, is not that"
            )
        # Not by the policy, but there is no other way: nothing falls through to OpenSSL.
        obstacle = None if holder is None else why_not()
        if holder is not None and obstacle is not None:
            return OperationRefused(
                f"TLS cannot use the private key that {holder.name} has: {obstacle}"
            )
        return None

    def store_encrypted(self, key: KeyRef, errand: Errand) -> None:
        """Before an encrypted key is stored: no Cryptographic Processing by the letter (paragraph
        9), Level 3 before it. A database is no module: :class:`OperationRefused` in enforce mode
        where one is asked for.
        """
        purpose = Purpose.STORE_ENCRYPTED_KEY
        decision = self._decide(errand, purpose, key_uses((key,)))
        refused = self._mode is Mode.ENFORCE and not _suffices(DATABASE, decision)
        outcome = Outcome.REFUSED if refused else Outcome.DONE
        self._record(errand, "Store", purpose, (key,), decision, DATABASE, outcome)
        if refused:
            raise OperationRefused(
                f"{decision.clause} needs {decision.module_class.text} even to store {key} "
                "encrypted, and a database is not that"
            )

    async def _execute(self, op: CryptoOp, errand: Errand) -> Any:
        purpose = purpose_of(op.use, errand.purpose)
        decision = self._decide(errand, purpose, keys_used(op))
        module = self._routing.module_for(errand.actor, decision, op)
        outcome = Outcome.REFUSED
        try:
            if self._mode is Mode.ENFORCE and not _suffices(module, decision):
                raise self._refusal(decision)
            outcome = Outcome.FAILED
            for key, giver in self._routing.gifts(op, module):
                await self._give(key, giver, module, errand)
            result = await _carry_out(module, op)
            if isinstance(op, Discard):
                # It needs no class, so any module may do it; but the key is where it was made.
                for other in self._routing.modules:
                    if other is not module:
                        await _carry_out(other, op)
            outcome = Outcome.DONE
            return result
        finally:
            name = type(op).__name__
            self._record(errand, name, purpose, keys_of(op), decision, module, outcome)

    async def _give(
        self, key: KeyRef, giver: CryptoModule, module: CryptoModule, errand: Errand
    ) -> None:
        """A key goes to a module of no lower class, which is to use it: it is generated in one
        module and then used in another.
        """
        purpose = Purpose.TRANSFER_KEY
        decision = self._decide(errand, purpose, key_uses((key,)))
        outcome = Outcome.FAILED
        try:
            await _in_thread(module, partial(module.admit, key, giver.export(key)))
            outcome = Outcome.DONE
        finally:
            self._record(errand, "Import", purpose, (key,), decision, module, outcome)

    def _decide(self, errand: Errand, purpose: Purpose, keys: tuple[Any, ...]) -> Decision:
        question = Question(
            actor=errand.actor, purpose=purpose, category=errand.category, keys=keys
        )
        return decide(question, self._edition)

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
        place: Place,
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
            module=place.name,
            emulated=place.emulated,
            sufficient=_suffices(place, decision),
            outcome=outcome,
            edition=self._edition.name,
            mode=self._mode.value,
        )

    async def flush(self) -> None:
        """Wait until all that was recorded lasts. :class:`~emulator.ledger.LedgerError` if not."""
        await self._ledger.flushed()


def _suffices(place: Place, decision: Decision) -> bool:
    return place.module_class >= decision.module_class


async def _carry_out(module: CryptoModule, op: CryptoOp) -> Any:
    return await _in_thread(module, partial(module.execute, op))


async def _in_thread(module: CryptoModule, call: Callable[[], T]) -> T:
    """In a thread if the module may wait."""
    if module.blocks:
        return await asyncio.get_running_loop().run_in_executor(None, call)
    return call()
