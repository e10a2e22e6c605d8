"""From the octets a client sent to a verified request, or to the reason for refusing it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from dlms.association.config import ServerConfig
from dlms.association.knobs import BroadcastConfirmed
from dlms.association.naming import (
    SERVED_TAGS,
    ServedRequest,
    changes_keys,
    is_confirmed,
    served,
)
from dlms.association.offer import Admitted
from dlms.association.refusing import ServiceRefused, too_weak
from dlms.association.shapes import shape_in_kind
from dlms.errors import CodecError
from dlms.security.ciphered import TAGS, Family
from dlms.security.control import Protection
from dlms.security.counters import CounterRefused
from dlms.security.key_choice import KeyChoice
from dlms.security.layers import Ciphering, is_layer, open_layers
from dlms.security.ops import CryptoFailure, Step, Use
from dlms.security.protect import Shape, TooWeak, open_ciphered
from dlms.security.spent_keys import SpentKeysFull
from dlms.xdlms import registry
from dlms.xdlms.codes import ServiceErrorCode, StateError
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import (
    CONFIRM_TAG,
    DataNotificationConfirm,
    decode_confirm,
)

_new = tuple.__new__  # NamedTuple without its Python-level __new__: twice as fast
# In Python 3.11 a member costs a tenth of a microsecond where it is named by its class.
_GLOBAL, _BROADCAST = Family.GLOBAL, Family.BROADCAST
_GET_REQUEST, _PLAINEST_GET = 0xC0, 13
"""The tag, and the octets of a GET of one attribute without selective access."""


class Incoming(NamedTuple):
    """A verified request: the conformance it needs, the ciphering that carried it, the shape of a
    response in kind, whether one is due, and how the request was protected. What confirms a
    notification comes in a request's place.
    """

    request: ServedRequest | DataNotificationConfirm
    needs: Conformance
    opened: Ciphering | None
    shape: Shape | None
    confirmed: bool
    protection: Protection = Protection.NONE


def take(octets: bytes, aa: Admitted, config: ServerConfig) -> Step[Incoming]:
    """Open and decode a service request. :class:`ServiceRefused` if it is not to be served."""
    if not is_layer(octets[0]):
        accepted = config.knobs.plain_request_accepted or not config.context.ciphered
        if config.policy or not accepted:
            raise too_weak("request")
        request, needed = _decode(octets, config.short_names)
        if config.broadcast:
            _judge_broadcast(request, config)
        return Incoming(request, needed, None, None, _is_confirmed(request))
    unprotected = yield from open_or_refuse(octets, aa, config, Use.OPEN_REQUEST, config.policy)
    apdu, ciphering, shape, protection = unprotected
    family = shape.family
    if len(apdu) == _PLAINEST_GET and apdu[0] == _GET_REQUEST:
        request, needed, confirmed = _known_get(apdu, config.short_names)
    else:
        request, needed = _decode(apdu, config.short_names)
        confirmed = _is_confirmed(request)
    demanded = config.knobs.dedicated_demanded and family is _GLOBAL
    if demanded and aa.security is not None and aa.security.dedicated is not None:
        raise too_weak("glo- request beside a dedicated key")
    if family is _BROADCAST:
        _judge_broadcast(request, config)
        confirmed = False
    return _new(Incoming, (request, needed, ciphering, shape, confirmed, protection))


class Unprotected(NamedTuple):
    """A plain APDU, the ciphering that carried it, the shape of an answer in kind, and how it was
    protected.
    """

    apdu: bytes
    ciphering: Ciphering | None
    shape: Shape
    protection: Protection


def open_or_refuse(
    octets: bytes, aa: Admitted, config: ServerConfig, use: Use, policy: Protection
) -> Step[Unprotected]:
    """Open a protected APDU, protected at least as ``policy`` demands, and say how to answer."""
    general = aa.general
    if general is None or not config.context.ciphered:
        raise ServiceRefused("ciphered APDU in a plain context", "ciphered-in-plain-context")
    try:
        if octets[0] in TAGS:  # most are, and nothing but one layer can be around them
            opened = yield from open_ciphered(general.security, octets, use, required=policy)
            apdu, protection, family, form, _, _ = opened
            shape = _new(Shape, (family, form, protection, KeyChoice.UNICAST, b""))
            return _new(Unprotected, (apdu, opened, shape, protection))
        if not aa.conformance & Conformance.GENERAL_PROTECTION:
            raise ServiceRefused("general protection was not negotiated", "service-not-negotiated")
        peeled = yield from open_layers(general, octets, use, required=policy)
        shape = shape_in_kind(peeled, general)
        return Unprotected(peeled.apdu, peeled.ciphering, shape, peeled.protection)
    except TooWeak as error:
        raise too_weak("APDU") from error
    except CounterRefused as error:
        raise ServiceRefused(
            str(error),
            "invocation-counter",
            ServiceErrorCode.INVOCATION_COUNTER_ERROR,
            counter=error.floor,
        ) from error
    except SpentKeysFull as error:
        # Nothing is wrong with the message; only another master key or key pair makes room.
        raise ServiceRefused(
            str(error), "spent-keys-full", ServiceErrorCode.OPERATION_NOT_POSSIBLE
        ) from error
    except (CodecError, CryptoFailure) as error:
        raise ServiceRefused(
            str(error), "deciphering", ServiceErrorCode.DECIPHERING_ERROR
        ) from error


@lru_cache(maxsize=4096)  # of a few hundred octets each
def _known_get(
    apdu: bytes, short_names: bool
) -> tuple[ServedRequest | DataNotificationConfirm, Conformance, bool]:
    """A request and whether it is confirmed. Clients ask for the same few attributes over and over
    again; and there is nothing in such a request that must not be remembered.
    """
    request, needed = _decode(apdu, short_names)
    return request, needed, _is_confirmed(request)


def _is_confirmed(request: ServedRequest | DataNotificationConfirm) -> bool:
    return not isinstance(request, DataNotificationConfirm) and is_confirmed(request)


def _decode(
    apdu: bytes, short_names: bool
) -> tuple[ServedRequest | DataNotificationConfirm, Conformance]:
    """Decode a plain request of a service that goes with the way of naming, or a confirmation."""
    tag = apdu[0]
    if tag == CONFIRM_TAG:
        try:
            return decode_confirm(apdu), Conformance.DATA_NOTIFICATION
        except CodecError as error:
            raise ServiceRefused(f"confirmation: {error}", "malformed-confirmation") from error
    row = registry.REQUESTS.get(tag)
    if row is None or tag not in SERVED_TAGS[short_names]:
        # What the other way of naming has is known, and not allowed here (APPL_DATA_LN_N1).
        known = row is not None and tag in SERVED_TAGS[not short_names]
        raise ServiceRefused(
            f"APDU {tag:02X} is no request here",
            "unknown-service",
            state=StateError.SERVICE_NOT_ALLOWED if known else StateError.SERVICE_UNKNOWN,
        )
    try:
        decoded = row.decode(apdu)
    except CodecError as error:
        raise ServiceRefused(f"{row.name}: {error}", "malformed-request") from error
    request = served(decoded, short_names=short_names)
    if request is None:
        raise ServiceRefused(f"{type(decoded).__name__} is not served", "form-not-supported")
    return request, request.needs


def _judge_broadcast(
    request: ServedRequest | DataNotificationConfirm, config: ServerConfig
) -> None:
    """A request on a broadcast address, or under the broadcast key: :class:`ServiceRefused` if it
    wants an answer (R-BC-1, R-BC-3), or changes keys: every meter has the broadcast key, so any of
    them could do that to all the others (R-BC-4, R-BC-5). Nor is anything confirmed that way, for
    any of them could.
    """
    if isinstance(request, DataNotificationConfirm):
        raise ServiceRefused("a confirmation by broadcast", "broadcast-key")
    if changes_keys(request):
        raise ServiceRefused("no key is changed by broadcast", "broadcast-key")
    silently = config.knobs.confirmed_under_broadcast_key is BroadcastConfirmed.SERVE_SILENTLY
    if is_confirmed(request) and (config.broadcast or not silently):
        raise ServiceRefused("confirmed service by broadcast", "broadcast-key")
