"""The block transfers of a server's association, by whichever names it refers to things."""

from __future__ import annotations

from typing import get_args

from dlms.association.naming import ANSWERS_BY_SHORT_NAME, SERVED_BY_SHORT_NAME, ServedRequest
from dlms.association.refusing import ServiceRefused
from dlms.transfer.names_server import NamesServer
from dlms.transfer.server import Answer, Complete, ServerTransfers
from dlms.xdlms import registry
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.registry import AnyResponse

__all__ = ["Answer", "Transfers"]

_BY_LOGICAL_NAME, _ANSWERS_BY_LOGICAL_NAME = get_args(registry.Request), get_args(registry.Response)
"""The forms of GET, SET and ACTION. ACCESS has no blocks of its own."""


class Transfers:
    """What of one association is on its way in blocks, in either direction."""

    def __init__(self) -> None:
        self._by_logical_name = ServerTransfers()
        self._by_short_name = NamesServer()

    @property
    def pending(self) -> int:
        """How many octets of a value are kept."""
        return self._by_logical_name.pending + self._by_short_name.pending

    def receive(self, request: ServedRequest, conformance: Conformance) -> Complete | Answer:
        """Take one request: what is to be carried out, or the answer to a step.

        :class:`ServiceRefused` if it came in blocks and as a whole needs what was not negotiated:
        by short names no block shows it.
        """
        if isinstance(request, _BY_LOGICAL_NAME):
            return self._by_logical_name.receive(request)
        if not isinstance(request, SERVED_BY_SHORT_NAME):
            return Complete(request)
        step = self._by_short_name.receive(request)
        if isinstance(step, Answer) or step.request is request:
            return step
        if int(step.request.needs) & ~int(conformance):
            raise ServiceRefused("service was not negotiated", "service-not-negotiated")
        return step

    def send(
        self,
        response: AnyResponse,
        room: int | None,
        conformance: Conformance,
        *,
        whole: bool = False,
    ) -> bytes:
        """Encode ``response``, or its first block if it does not fit into ``room`` octets.

        :class:`~dlms.transfer.pieces.TooLong` if it does not fit and cannot be cut, where the
        service has blocks, unless it is wanted ``whole`` then. ACCESS always is.
        """
        if isinstance(response, _ANSWERS_BY_LOGICAL_NAME):
            return self._by_logical_name.send(response, room, conformance, whole=whole)
        if isinstance(response, ANSWERS_BY_SHORT_NAME):
            return self._by_short_name.send(response, room, conformance, whole=whole)
        return response.encode()
