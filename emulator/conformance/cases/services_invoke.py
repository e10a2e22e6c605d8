"""X_INVOKE_ID: which response belongs to which request, and requests that want none."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.association.config import CURRENT_ASSOCIATION
from dlms.axdr.data import octet_string
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import CONFIRMED, INVOKE_ID, MethodDescriptor
from dlms.xdlms.get import GetRequest, GetRequestWithList
from dlms.xdlms.registry import AnyRequest
from dlms.xdlms.set import SetRequest
from emulator.conformance.cases.asking import NOTHING_THERE, is_long
from emulator.conformance.cases.each import Row, joined, on_each
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import found, silence
from emulator.conformance.conversing.tree import Node, Unjudged
from emulator.conformance.probing.probe import LOGICAL_NAME
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.trial import Trial

_HIGH_PRIORITY = 0x80
_NO_METHOD = MethodDescriptor(15, CURRENT_ASSOCIATION, 127)


def _requests(conformance: Conformance, invoke: int) -> dict[str, AnyRequest]:
    """One of each service that was negotiated; none changes anything."""
    requests: dict[Conformance, dict[str, AnyRequest]] = {
        Conformance.GET: {
            "GET": GetRequest(invoke, LOGICAL_NAME),
            "GET of nothing": GetRequest(invoke, NOTHING_THERE),
        },
        Conformance.GET | Conformance.MULTIPLE_REFERENCES: {
            "GET of a list": GetRequestWithList(invoke, ((LOGICAL_NAME, None),))
        },
        Conformance.SET: {"SET": SetRequest(invoke, LOGICAL_NAME, octet_string(b"\x00" * 6))},
        Conformance.ACTION: {"ACTION": ActionRequest(invoke, _NO_METHOD)},
    }
    return {
        name: request
        for needs, some in requests.items()
        if conformance & needs == needs
        for name, request in some.items()
    }


async def _ids(trial: Trial, row: Row) -> Seen:
    """All sixteen ids in an order that is drawn, each with a service in turn, half of them with
    high priority.
    """
    ids = list(range(INVOKE_ID + 1))
    trial.rng.shuffle(ids)
    problems = []
    async with joined(trial, row) as probe:
        for turn, id in enumerate(ids):
            invoke = CONFIRMED | (_HIGH_PRIORITY if turn % 2 else 0) | id
            requests = list(_requests(probe.conformance, invoke).items())
            if not requests:
                raise Unjudged("no service with invoke ids was negotiated")
            name, request = requests[turn % len(requests)]
            seen = await probe.request(request.encode())
            came = getattr(seen.message, "invoke", None)
            if seen.what is not What.APDU or came is None:
                problems.append(f"{name} with id {id}: {seen}")
            elif came & INVOKE_ID != id:
                problems.append(f"{name} with id {id} has the answer of id {came & INVOKE_ID}")
    return Seen.found(problems)


def _with_ids(row: Row) -> bool:
    services = Conformance.GET | Conformance.SET | Conformance.ACTION
    return is_long(row) and bool(row.conformance & services)


def may_get(row: Row) -> bool:
    return is_long(row) and bool(row.conformance & Conformance.GET)


async def _unconfirmed(trial: Trial, row: Row) -> Seen:
    async with joined(trial, row) as probe:
        request = GetRequest(probe.invoke(confirmed=False), LOGICAL_NAME)
        return await probe.exchange(probe.protected(request.encode()), trial.timing.silence)


@conversation("X_INVOKE_ID")
def invoke_ids() -> Sequence[Node]:
    what = "by logical names"
    return (
        on_each("ids", _ids, found("agrees"), which=_with_ids, what=what),
        on_each("unconfirmed", _unconfirmed, silence(), which=may_get, what=what, few=True),
    )
