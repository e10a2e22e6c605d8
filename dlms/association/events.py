"""What happened in an association. ``reply`` are the octets to send back, where there are any."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.registry import Request, Response


class AssociationOpened(NamedTuple):
    """The association stands; without HLS this comes with the AARE, with HLS after pass 4."""

    reply: bytes | None
    conformance: Conformance


class AuthenticationPending(NamedTuple):
    """Passes 1 and 2 of HLS are done."""

    reply: bytes | None


class AssociationRefused(NamedTuple):
    """There is no association. ``why`` is for people."""

    reply: bytes | None
    result: AssociationResult
    diagnostic: UserDiagnostic | ProviderDiagnostic
    error: ConfirmedServiceError | None
    why: str


class AuthenticationFailed(NamedTuple):
    """HLS failed in pass 3 or 4; the association is gone."""

    reply: bytes | None
    why: str


class RequestReceived(NamedTuple):
    """A service request to carry out. If ``confirmed``, hand the response to ``send``."""

    request: Request
    confirmed: bool


class ResponseReceived(NamedTuple):
    response: Response


class ExceptionReceived(NamedTuple):
    """The server could not process the request at all."""

    exception: ExceptionResponse


class AssociationReleased(NamedTuple):
    reply: bytes | None


Event: TypeAlias = (
    AssociationOpened
    | AuthenticationPending
    | AssociationRefused
    | AuthenticationFailed
    | RequestReceived
    | ResponseReceived
    | ExceptionReceived
    | AssociationReleased
)
