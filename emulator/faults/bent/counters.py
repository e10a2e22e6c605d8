"""Invocation counters that are kept, judged or begun anew otherwise than R-IC has it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dlms.association.events import Event
from dlms.association.offer import Admitted
from dlms.association.server import ServerAssociation
from dlms.security.counters import MAXIMUM, CounterTooLow, InvocationCounters
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CryptoOp, Open, Step, VerificationFailed
from emulator.faults.bent.reaching import concerns, forgotten_with_power, over_counters
from emulator.faults.fault import Fault
from emulator.memory.kept_counters import KeptCounters
from emulator.serving.workings import Execute


def before_the_tag(fault: Fault) -> None:
    """The floor has moved when the tag is looked at, and is not put back if that is wrong
    (R-IC-6).
    """
    counters = fault.reach.mains.host.device.state.counters

    def detour(op: CryptoOp, execute: Execute) -> Any:
        try:
            return execute(op)
        except VerificationFailed:
            if isinstance(op, Open) and op.lift is None and concerns(fault, op.ek.scope):
                counters._floor[op.ek] = max(counters.floor(op.ek), op.counter + 1)
                fault.has_acted("the floor has moved for a message that does not verify")
            raise

    fault.detour(detour)


def equal_again(fault: Fault) -> None:
    """The floor is the last counter that was taken, not the one behind it (R-IC-5)."""

    class Bent(InvocationCounters):
        __slots__ = ()

        def accept(self, ek: KeyRef, received: int) -> None:
            super().accept(ek, received)
            if concerns(fault, ek.scope):
                self._floor[ek] = received
                fault.has_acted("the counter that was taken is good once more")

    over_counters(fault, Bent)


def wraps(fault: Fault) -> None:
    """The last counter of 32 bits is one like any other, and 0 comes after it (R-IC-4)."""

    class Bent(InvocationCounters):
        __slots__ = ()

        def check(self, ek: KeyRef, received: int, max_jump: int | None = None) -> None:
            if received != MAXIMUM or not concerns(fault, ek.scope):
                super().check(ek, received, max_jump)

        def accept(self, ek: KeyRef, received: int) -> None:
            if received != MAXIMUM or not concerns(fault, ek.scope):
                return super().accept(ek, received)
            self._floor[ek] = 0
            fault.has_acted("the floor is 0 again")
            return None

    over_counters(fault, Bent)


def floor_in_memory(fault: Fault) -> None:
    """What was taken is not written down: with the power it is gone (R-IC-7)."""
    counters = fault.reach.mains.host.device.state.counters

    class Bent(InvocationCounters):
        __slots__ = ()

        def accept(self, ek: KeyRef, received: int) -> None:
            if not concerns(fault, ek.scope):
                return super().accept(ek, received)
            self.check(ek, received)
            InvocationCounters.accept(self, ek, received)
            fault.has_acted("the floor is in volatile memory alone")
            return None

    over_counters(fault, Bent)
    forgotten_with_power(fault, counters._floor.clear)


def send_in_memory(fault: Fault) -> None:
    """What was sent is not reserved: after a loss of power it is sent again (R-IC-7)."""
    counters = fault.reach.mains.host.device.state.counters

    class Bent(InvocationCounters):
        __slots__ = ()

        def burn(self, ek: KeyRef) -> int:
            if not concerns(fault, ek.scope):
                return super().burn(ek)
            fault.has_acted("the counter is in volatile memory alone")
            return InvocationCounters.burn(self, ek)

    over_counters(fault, Bent)
    forgotten_with_power(fault, counters._next.clear)


def goes_on(fault: Fault) -> None:
    """A new key goes on with the counters of the one before (R-IC-2)."""

    class Bent(InvocationCounters):
        __slots__ = ()

        def establish(self, ek: KeyRef) -> None:
            super().establish(ek)
            before = ek._replace(version=ek.version - 1)
            if ek.kind is KeyKind.GUEK and ek.version and concerns(fault, ek.scope):
                self._next[ek], self._floor[ek] = self.next_to_send(before), self.floor(before)
                fault.has_acted("a new key goes on with the counters of the former")

    over_counters(fault, Bent)


def before_the_answer(fault: Fault) -> None:
    """The one counter cell is set to 0 for the new key before the answer goes out under the old one
    (R-KEY-3, R-IC-8).
    """

    class Bent(InvocationCounters):
        __slots__ = ()

        def establish(self, ek: KeyRef) -> None:
            super().establish(ek)
            if ek.kind is KeyKind.GUEK and ek.version and concerns(fault, ek.scope):
                self._next[ek._replace(version=ek.version - 1)] = 0
                fault.has_acted("the counter of the key in use is 0 again")

    over_counters(fault, Bent)


def before_the_key(fault: Fault) -> None:
    """The cell in non-volatile memory is cleared first, and the new key is written after it
    (R-KEY-4, KL-KT-24).
    """

    class Bent(InvocationCounters):
        __slots__ = ()

        def establish(self, ek: KeyRef) -> None:
            super().establish(ek)
            if ek.kind is not KeyKind.GUEK or not ek.version or not concerns(fault, ek.scope):
                return
            if isinstance(self, KeptCounters):  # else there is nothing that lasts
                self.drop(ek._replace(version=ek.version - 1))
                fault.has_acted("the counters are cleared on the disk before the key is written")

    over_counters(fault, Bent)


def with_unicast(fault: Fault) -> None:
    """A new unicast key begins the broadcast key's counter anew as well (R-IC-1)."""

    class Bent(InvocationCounters):
        __slots__ = ()

        def establish(self, ek: KeyRef) -> None:
            super().establish(ek)
            if ek.kind is not KeyKind.GUEK or not concerns(fault, ek.scope):
                return
            for other in self._floor:
                if other.scope == ek.scope and other.kind is KeyKind.GBEK:
                    self._floor[other] = 0
                    fault.has_acted("the counter of the broadcast key begins anew")

    over_counters(fault, Bent)


def by_association(fault: Fault) -> None:
    """The floor is that of an association, and begins at 0 with each (R-IC-1)."""

    class Bent(ServerAssociation):
        def _receive_aarq(self, apdu: bytes, now: dt.datetime | None, busy: bool) -> Step[Event]:
            guek = self._offer.keys.guek
            if guek is not None and concerns(fault, guek.scope):
                self._offer.counters._floor.pop(guek, None)
                fault.has_acted("the floor begins anew with the association")
            return (yield from super()._receive_aarq(apdu, now, busy))

    fault.at_end(fault.reach.mains.host.makes.put_over_associations(Bent))


class _OwnFloors(InvocationCounters):
    """Floors of one connection; what is sent is counted with all others."""

    __slots__ = ("_shared",)

    def __init__(self, shared: InvocationCounters) -> None:
        super().__init__()
        self._shared = shared
        self._next = shared._next
        self._floor = dict(shared._floor)

    def burn(self, ek: KeyRef) -> int:
        return self._shared.burn(ek)

    def accept(self, ek: KeyRef, received: int) -> None:
        super().accept(ek, received)
        try:
            self._shared.accept(ek, received)
        except CounterTooLow:
            return  # another connection is further on, which this one does not know

    def establish(self, ek: KeyRef) -> None:
        super().establish(ek)
        self._shared.establish(ek)


def by_connection(fault: Fault) -> None:
    """Connections that share a key have each a floor of its own (R-IC-1, KL-HL-18)."""

    class Bent(ServerAssociation):
        __slots__ = ()

        def _begin(self, admitted: Admitted) -> None:
            security = admitted.security
            guek = None if security is None else security.guek
            if security is not None and guek is not None and concerns(fault, guek.scope):
                security.counters = _OwnFloors(security.counters)
                fault.has_acted("this connection has a floor of its own")
            super()._begin(admitted)

    fault.at_end(fault.reach.mains.host.makes.put_over_associations(Bent))


HOW = {
    "before-the-tag": before_the_tag,
    "equal-again": equal_again,
    "wraps": wraps,
    "floor-in-memory": floor_in_memory,
    "send-in-memory": send_in_memory,
    "goes-on": goes_on,
    "before-the-answer": before_the_answer,
    "before-the-key": before_the_key,
    "with-unicast": with_unicast,
    "by-association": by_association,
    "by-connection": by_connection,
}
