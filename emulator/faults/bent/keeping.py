"""What a meter keeps over a loss of power, written too late, in two parts, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devices.device import Device
from devices.objects.token_gateway import TOKEN_SCOPE, TokenStatus
from devices.profile.model import AssociationRow
from devices.remembering import Changed, RememberedSet
from dlms.axdr.data import Data
from dlms.security.control import Protection
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import CryptoOp, Discard, Step
from dlms.security.spent_keys import SpentKeys
from dlms.xdlms.get import GetResponse
from dlms.xdlms.registry import AnyResponse
from emulator.faults.bent.reaching import concerns, forgotten_with_power, over
from emulator.faults.fault import Fault
from emulator.memory.meter_memory import MeterMemory
from emulator.memory.sections import KEYS
from emulator.serving.workings import Execute


def late(fault: Fault) -> None:
    """What has changed is written when the next message comes, behind the answer (R-KEY-4)."""
    waits = False

    class Bent(MeterMemory):
        __slots__ = ()

        def commit(self) -> None:
            nonlocal waits
            if fault.is_over or waits:
                waits = False
                return super().commit()
            if self._changes.any or self._keys_changes.any:
                waits = True
                fault.has_acted("a change waits to be written")
            return None

    _over_memory(fault, Bent)


def in_two(fault: Fault) -> None:
    """Versions of keys are written first, and the keys themselves after them (R-KEY-4, I4)."""

    class Bent(MeterMemory):
        __slots__ = ()

        def _commit(self) -> None:
            keep = self._keep

            def in_two(changed: Mapping[str, Changed[Any, Any]]) -> None:
                keys = {name: now for name, now in changed.items() if name == KEYS}
                rest = {name: now for name, now in changed.items() if name != KEYS}
                if not keys or not rest:
                    return keep(changed)
                keep(rest)
                fault.has_acted("versions are written, and keys are not yet")
                keep(keys)
                return None

            self._keep = in_two
            try:
                super()._commit()
            finally:
                if self._keep is in_two:
                    self._keep = keep

    _over_memory(fault, Bent)


def _over_memory(fault: Fault, bent: type[MeterMemory]) -> None:
    memory = fault.reach.mains.host.memory
    if isinstance(memory, MeterMemory):  # a meter without one forgets all of it anyway
        over(fault, memory, bent)


# Tokens -------------------------------------------------------------------------------------------


def tokens_in_memory(fault: Fault) -> None:
    """The counters of tokens are in volatile memory: after a loss of power a token is good once
    more (KL-PP-03).
    """
    tokens = fault.reach.mains.host.device.state.used_tokens
    added: set[int] = set()

    class Bent(RememberedSet[int]):
        __slots__ = ()

        def add(self, value: int) -> None:
            added.add(value)
            fault.has_acted("a token is remembered in volatile memory alone")

        def __contains__(self, member: object) -> bool:
            return member in added or member in self.of

        def clear(self) -> None:
            added.clear()
            super().clear()

    over(fault, tokens, Bent)
    forgotten_with_power(fault, added.clear)


def credit_first(fault: Fault) -> None:
    """Credit is written before the token is remembered (KL-PP-03)."""
    memory = fault.reach.mains.host.memory

    class Bent(RememberedSet[int]):
        __slots__ = ()

        def add(self, value: int) -> None:
            fault.has_acted("the credit is written, and its token is not yet")
            memory.commit()
            super().add(value)

    over(fault, fault.reach.mains.host.device.state.used_tokens, Bent)


def former_token_key(fault: Fault) -> None:
    """A token is tried under the key of before as well (KL-PP-02)."""
    former = False

    class Bent(Device):
        def key(self, scope: str, kind: KeyKind) -> KeyRef:
            ref = super().key(scope, kind)
            return ref._replace(version=ref.version - 1) if former and scope == TOKEN_SCOPE else ref

        def keyed_in(self, digits: bytes, now: Any) -> Step[TokenStatus]:
            nonlocal former
            status = yield from super().keyed_in(digits, now)
            if status is not TokenStatus.AUTHENTICATION_FAILURE or fault.is_over:
                return status
            if not super().key(TOKEN_SCOPE, KeyKind.TOKEN).version:
                return status
            former = True
            try:
                status = yield from super().keyed_in(digits, now)
            finally:
                former = False
            if status is TokenStatus.EXECUTION_OK:
                fault.has_acted("a token under the key of before is good")
            return status

    over(fault, fault.reach.mains.host.device, Bent)


# Others -------------------------------------------------------------------------------------------


def spent_keys(fault: Fault) -> None:
    """Keys of single messages are not remembered (KL-PK-05)."""

    class Bent(SpentKeys):
        __slots__ = ()

        def check(self, mark: bytes) -> None:
            fault.has_acted("the key of a message is taken without a look at those before")

        def add(self, mark: bytes) -> None:
            return

    device = fault.reach.mains.host.device
    for row in device.profile.associations.values():
        if concerns(fault, row.name):
            over(fault, device.state.spent[row.name], Bent)


def handed_key(fault: Fault) -> None:
    """An authentication key for one association is not crossed out when it has begun (letter,
    paragraph 7 (c)(iii)).
    """

    class Bent(Device):
        def association_begun(self, row: AssociationRow, used: KeyRef | None) -> None:
            if not concerns(fault, row.name):
                return super().association_begun(row, used)
            fault.has_acted("the key that was handed over waits for another association")
            return None

    def detour(op: CryptoOp, execute: Execute) -> Any:
        if not isinstance(op, Discard) or op.key.kind is not KeyKind.GAK:
            return execute(op)
        single = op.key.lifetime is KeyLifetime.SINGLE_ASSOCIATION
        return None if single and concerns(fault, op.key.scope) else execute(op)

    over(fault, fault.reach.mains.host.device, Bent)
    fault.detour(detour)


def over_read(fault: Fault) -> None:
    """What an association without protection reads has behind it what is behind it in memory: a
    key (I5). An octet-string is copied with the length of the buffer, not its own.
    """
    ring = fault.reach.ring

    class Bent(Device):
        def handle(
            self,
            request: Any,
            row: AssociationRow,
            now: Any,
            protection: Protection = Protection.NONE,
            user: int | None = None,
        ) -> Step[AnyResponse | None]:
            response = yield from super().handle(request, row, now, protection, user)
            if isinstance(response, GetResponse) and isinstance(response.result, Data):
                data = response.result
                if isinstance(data.value, bytes) and not row.config.policy and not fault.is_over:
                    scope = next(
                        one.name
                        for one in self.profile.associations.values()
                        if one.security_setup is not None
                    )
                    behind = ring.get(self.key(scope, KeyKind.GUEK))
                    fault.has_acted("an answer has a key behind it")
                    return response._replace(result=data._replace(value=data.value + behind))
            return response

    over(fault, fault.reach.mains.host.device, Bent)


HOW = {
    "late": late,
    "in-two": in_two,
    "tokens-in-memory": tokens_in_memory,
    "credit-first": credit_first,
    "former-token-key": former_token_key,
    "spent-keys": spent_keys,
    "handed-key": handed_key,
    "over-read": over_read,
}
