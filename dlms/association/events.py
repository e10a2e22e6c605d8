"""What happened in an association. ``reply`` are the octets to send back, where there are any."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.association.naming import ServedRequest, ServedResponse
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotificationConfirm
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.registry import Notification


class AssociationOpened(NamedTuple):
    """The association stands; without HLS this comes with the AARE, with HLS after pass 4.

    An unconfirmed association has no AARE, so there is no reply.
    """

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
    """A service request to carry out. If ``confirmed``, hand the response to ``send``.

    ``protection`` is what the request came with, for access rights that ask for some.
    """

    request: ServedRequest
    confirmed: bool
    protection: Protection = Protection.NONE


class BlockExchanged(NamedTuple):
    """A step of a block transfer, which the association answers by itself."""

    reply: bytes | None


class BlocksCarried(NamedTuple):
    """A general block, which makes no APDU whole yet. ``replies`` are to be sent back."""

    replies: tuple[bytes, ...]


class ResponseReceived(NamedTuple):
    response: ServedResponse


class NotificationReceived(NamedTuple):
    """The server has something to tell; it may come between a request and its response."""

    notification: Notification


class NotificationConfirmed(NamedTuple):
    """The client has taken a notification. Nobody says anything to that."""

    confirmation: DataNotificationConfirm


class ExceptionReceived(NamedTuple):
    """The server could not process the request at all."""

    exception: ExceptionResponse


class ServiceErrorReceived(NamedTuple):
    """The same where short names are used."""

    error: ConfirmedServiceError


class AssociationReleased(NamedTuple):
    reply: bytes | None


Event: TypeAlias = (
    AssociationOpened
    | AuthenticationPending
    | AssociationRefused
    | AuthenticationFailed
    | RequestReceived
    | BlockExchanged
    | BlocksCarried
    | ResponseReceived
    | NotificationReceived
    | NotificationConfirmed
    | ExceptionReceived
    | ServiceErrorReceived
    | AssociationReleased
)
