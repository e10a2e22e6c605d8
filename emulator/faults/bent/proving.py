"""Proofs of pass 3, f(StoC), that a meter takes although they are not right (R-HLS-6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from dlms.security.ops import CryptoOp, Mac, Open
from emulator.faults.bent.reaching import concerns
from emulator.faults.fault import Fault
from emulator.serving.taps import Parcel, Place
from emulator.serving.workings import Execute

IsTaken: TypeAlias = Callable[[Mac, bytes, bytes, Execute], bool]
"""Of the computation, the tag that is right and the one that is claimed."""


def take_proofs(fault: Fault, is_taken: IsTaken, acted: str) -> None:
    """Of tags that are claimed and not right, those that ``is_taken`` takes."""
    presented = b""
    title = fault.reach.mains.host.device.title

    def look(parcel: Parcel) -> tuple[Parcel]:
        nonlocal presented
        presented = parcel.octets
        return (parcel,)

    def detour(op: CryptoOp, execute: Execute) -> Any:
        nonlocal presented
        result = execute(op)
        if isinstance(op, Open):
            presented = result
        if isinstance(op, Mac) and op.title != title and concerns(fault, op.ek.scope):
            claimed = presented[-len(result) :]
            if claimed != result and is_taken(op, result, claimed, execute):
                fault.has_acted(acted)
                return claimed
        return result

    fault.tap(Place.APDU_IN, look)
    fault.detour(detour)
