"""The dialogue of ACCESS: reading, writing and acting in one request (GB Ed. 8, 9.3.9).

There are no blocks of this service; what is too long goes in general ones, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlms.axdr.data import NULL, Data
from dlms.client.conversation import Conversation
from dlms.client.effects import Dialogue
from dlms.errors import RemoteProtocolError
from dlms.transfer.pieces import TooLong
from dlms.xdlms.access import (
    REQUEST_TAG,
    AccessAction,
    AccessGet,
    AccessRequest,
    AccessResponse,
    AccessService,
    AccessSet,
    Specification,
)
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import Item
from dlms.xdlms.long_invoke import BREAK_ON_ERROR, CONFIRMED, HIGH_PRIORITY, SELF_DESCRIPTIVE

SERVICES: dict[type[Specification], AccessService] = {
    AccessGet: AccessService.GET,
    AccessSet: AccessService.SET,
    AccessAction: AccessService.ACTION,
}
"""What the result of each kind of item is a result of."""


def options(
    *, break_on_error: bool = False, self_descriptive: bool = False, high_priority: bool = False
) -> int:
    """The bits of a long-invoke-id-and-priority: whether items behind one that failed are left
    alone, the response is to repeat what was asked for, the request has priority.
    """
    given = {
        BREAK_ON_ERROR: break_on_error,
        SELF_DESCRIPTIVE: self_descriptive,
        HIGH_PRIORITY: high_priority,
    }
    return sum(bit for bit, wanted in given.items() if wanted)


def access(
    talk: Conversation,
    specifications: Sequence[Specification],
    data: Sequence[Data],
    options: int = 0,
    date_time: bytes = b"",
) -> Dialogue[AccessResponse]:
    """Carry out ``specifications`` in their order, each with its Data, null-data where there is
    nothing to say. The response has data and a result for each.

    ``date_time`` is 12 octets or none. :class:`TooLong` before anything is sent if the request
    does not fit; :class:`RemoteProtocolError` if the response does not belong to it.
    """
    request = _request(talk, specifications, data, CONFIRMED | options, date_time)
    response = yield from talk.request(request)
    assert isinstance(response, AccessResponse)  # the one that was awaited
    _judge(request, response)
    return response


def access_unconfirmed(
    talk: Conversation,
    specifications: Sequence[Specification],
    data: Sequence[Data],
    options: int = 0,
    date_time: bytes = b"",
) -> Dialogue[None]:
    """The same, and nobody says what became of it."""
    yield from talk.post(_request(talk, specifications, data, options, date_time))


def read_by_access(
    talk: Conversation, items: Sequence[Item]
) -> Dialogue[tuple[Data | DataAccessResult, ...]]:
    """Read several attributes where there is no GET; each has its value, or the reason why not."""
    gets = [AccessGet(attribute=attribute, selection=selection) for attribute, selection in items]
    response = yield from access(talk, gets, [NULL] * len(gets))
    return tuple(
        result if isinstance(result, DataAccessResult) and result else value
        for value, (_, result) in zip(response.data, response.results, strict=True)
    )


def _request(
    talk: Conversation,
    specifications: Sequence[Specification],
    data: Sequence[Data],
    options: int,
    date_time: bytes,
) -> AccessRequest:
    request = AccessRequest(
        talk.long_invoke(options), tuple(specifications), tuple(data), date_time
    )
    room, carrier = talk.association.room_for(REQUEST_TAG), talk.association.carrier
    if room is not None and len(request.encode()) > room and not carrier.negotiated:
        raise TooLong(f"the request does not fit into {room} octets and cannot be cut")
    return request


def _judge(request: AccessRequest, response: AccessResponse) -> None:
    """One result for each item, of the service that was asked for."""
    asked = [SERVICES[type(item)] for item in request.specifications]
    if [result.service for result in response.results] != asked:
        raise RemoteProtocolError("results of other items", reason="unexpected-form")
    echoed = response.specifications
    if echoed is not None and echoed != request.specifications:
        raise RemoteProtocolError("other items are repeated", reason="unexpected-form")
