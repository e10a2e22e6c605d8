"""One step after the other, for one meter: retries with a bound, the way back, the way on.

Whatever ends the process, the next goes on after the last step that was written down; each step can
be done again. Before the point of no return what does not work out is rolled back: the meter is
then the supplier's as before. After it there is only the way on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from dlms.errors import DlmsError
from dlms.security.ops import OperationRefused
from emulator.enrolment import commissioning, registering, rotating, taking, verifying
from emulator.enrolment.case import Case
from emulator.enrolment.inventory import Status
from emulator.enrolment.key_file import KeyFileRefused
from emulator.enrolment.sources import KeysNotHad
from emulator.enrolment.steps import (
    MAX_ATTEMPTS,
    EnrolmentError,
    NotPossible,
    State,
    Step,
)
from emulator.enrolment.store import Overtaken, Record

Carry: TypeAlias = Callable[[Case], Awaitable[dict[str, Any]]]

STEPS: Mapping[Step, Carry] = MappingProxyType(
    {
        Step.AUTHORISED: taking.authorise,
        Step.HANDED_OVER: taking.hand_over,
        Step.VALIDATED: taking.validate,
        Step.VERIFIED: verifying.verify,
        Step.ROTATED: rotating.rotate_all,
        Step.REGISTERED: registering.register,
        Step.ACCESS_ENDED: commissioning.end_access,
        Step.COMMISSIONED: commissioning.commission,
    }
)

_HOPELESS = (NotPossible, KeyFileRefused, KeysNotHad)
_EXPECTED = (EnrolmentError, KeyFileRefused, KeysNotHad, DlmsError, OSError, TimeoutError)

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between the attempts at a step. The true ones are the MEHRS's, which is not public."""

Pause: TypeAlias = Callable[[float], Awaitable[object]]
OnChange: TypeAlias = Callable[[Record], None]


async def enrol(case: Case, pause: Pause, on_change: OnChange = lambda record: None) -> Record:
    """Go on until it is enrolled, rolled back, or has failed too often; give how it is then.

    :class:`~emulator.enrolment.store.Overtaken` if another process works at it, and
    :class:`~dlms.security.ops.OperationRefused` if the policy does not let a key be used: neither
    is the meter's fault, and nothing is given up.
    """
    if case.record.state in (State.ENROLLED, State.ROLLED_BACK):
        return case.record
    if case.record.state is State.FAILED:
        case.record = case.store.begin_again(case.record)
    while case.record.step is not Step.COMMISSIONED:
        step = Step(case.record.step + 1)
        try:
            detail = await STEPS[step](case)
        except (Overtaken, OperationRefused):
            raise
        except _EXPECTED as error:
            if not _failed(case, error):
                break
            on_change(case.record)
            await pause(PAUSES[min(case.record.attempts, len(PAUSES)) - 1])
        else:
            case.record = case.store.done(case.record, step, detail)
            on_change(case.record)
    if case.record.state is not State.ENROLLED:
        on_change(case.record)
    return case.record


def _failed(case: Case, error: BaseException) -> bool:
    """Write down that a step has failed; whether it is to be tried again."""
    why = str(error) or type(error).__name__
    case.record = case.store.failed(case.record, why)
    hopeless, often = isinstance(error, _HOPELESS), case.record.attempts >= MAX_ATTEMPTS
    if not case.record.turned and (hopeless or often):
        case.inventory.become(case.device, Status.PENDING, f"enrolment rolled back: {why}")
        case.record = case.store.rolled_back(case.record, why)
        return False
    return not (hopeless or often)
