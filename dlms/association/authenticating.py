"""Passes 3 and 4 of HLS as services: where f(challenge) is, in requests and responses.

With logical names it is the ACTION reply_to_HLS_authentication of the current Association LN, with
short names a parameterized Read of the same method, the eighth, of the current Association SN
(GB Ed. 8, 9.2.7.4).
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.association.config import PASS_3, AssociationKeys, ClientConfig, ServerConfig
from dlms.association.incoming import Incoming
from dlms.association.naming import CURRENT_ASSOCIATION_SN, ServedRequest, ServedResponse
from dlms.association.offer import Admitted, Offer
from dlms.axdr.data import Data, DataType, octet_string
from dlms.errors import CodecError
from dlms.security import hls
from dlms.security.counters import CounterRefused
from dlms.security.hls import Exchange, InnerCounter
from dlms.security.layers import Ciphering
from dlms.security.ops import CryptoFailure, Step, VerificationFailed
from dlms.security.protect import SecurityContext
from dlms.security.suites import SUITES
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.data_notification import DataNotificationConfirm
from dlms.xdlms.descriptors import CONFIRMED
from dlms.xdlms.read import ReadRequest, ReadResponse
from dlms.xdlms.variable_access import ParameterizedAccess


def exchange(
    config: ServerConfig | ClientConfig,
    keys: AssociationKeys,
    *,
    titles: tuple[bytes | None, bytes | None],
    challenges: tuple[bytes, bytes],
    context: SecurityContext | None,
    peer_public: bytes | None,
) -> Exchange:
    """What a party authenticates with; ``titles`` and ``challenges`` are one's own first."""
    return Exchange(
        mechanism=config.mechanism.value,
        own_challenge=challenges[0],
        peer_challenge=challenges[1],
        own_title=titles[0],
        peer_title=titles[1],
        secret=keys.hls_secret,
        context=context,
        signing_key=keys.signing_key,
        peer_public=peer_public,
        curve=SUITES[config.suite].curve,
        manufacturer=config.manufacturer,
    )


REPLY_TO_HLS = CURRENT_ASSOCIATION_SN + 0x58
"""The short name of reply_to_HLS_authentication: the methods of class 12 begin at 20, 8 apart."""

_NO_SELECTOR = 0
"""A method has a parameter and nothing to select; whatever a client writes is accepted."""


class Judged(NamedTuple):
    """Pass 4, and why authentication has failed: empty if it has not."""

    response: ServedResponse
    failure: str


def judge_pass_3(taken: Incoming, aa: Admitted, offer: Offer) -> Step[Judged]:
    """The server verifies f(StoC) and computes f(CtoS)."""
    config, request = offer.config, taken.request
    assert not isinstance(request, DataNotificationConfirm)  # is_pass_3() has been asked
    known = exchange(
        config,
        offer.keys,
        titles=(offer.own_title, aa.client_title),
        challenges=(aa.server_challenge, aa.client_challenge),
        context=aa.security,
        peer_public=aa.client_public,
    )
    try:
        f = _f_of_pass_3(request)
        yield from hls.verify(known, f, taken.opened, config.knobs.inner_counter)
    except (CodecError, CounterRefused, CryptoFailure) as error:
        return Judged(_pass_4(request, None), str(error))
    return Judged(_pass_4(request, (yield from hls.answer(known))), "")


def judge_pass_4(
    response: ServedResponse, carrier: Ciphering | None, known: Exchange, inner: InnerCounter
) -> Step[str]:
    """The client verifies f(CtoS); why that has failed, empty if it has not (KL-HL-13)."""
    try:
        f = _f_of_pass_4(response)
        if f is None:
            return "server refuses our authentication"
        yield from hls.verify(known, f, carrier, inner)
    except (CodecError, CounterRefused, VerificationFailed) as error:
        return f"server's authentication is wrong: {error}"
    return ""


def pass_3(f: bytes, *, short_names: bool) -> ServedRequest:
    """The request that brings f(StoC)."""
    if short_names:
        access = ParameterizedAccess(
            name=REPLY_TO_HLS, selector=_NO_SELECTOR, parameter=octet_string(f)
        )
        return ReadRequest((access,))
    return ActionRequest(CONFIRMED | 1, PASS_3, octet_string(f))


def is_pass_3(request: ServedRequest | DataNotificationConfirm) -> bool:
    """Whether ``request`` is exactly that: alone, of the current association (KL-HL-08, 09)."""
    if isinstance(request, ReadRequest):
        return _parameter(request) is not None
    return isinstance(request, ActionRequest) and request.method == PASS_3


def _parameter(request: ReadRequest) -> Data | None:
    if len(request.specifications) != 1:
        return None
    access = request.specifications[0]
    if not isinstance(access, ParameterizedAccess) or access.name != REPLY_TO_HLS:
        return None
    return access.parameter


def _f_of_pass_3(request: ServedRequest) -> bytes:
    """f(StoC). :class:`CodecError` if it is not an octet-string."""
    if isinstance(request, ReadRequest):
        return _octets(_parameter(request))
    assert isinstance(request, ActionRequest)  # is_pass_3
    return _octets(request.parameter)


def _pass_4(request: ServedRequest, f: bytes | None) -> ServedResponse:
    """The response with f(CtoS), or without one: authentication has failed."""
    if isinstance(request, ReadRequest):
        return ReadResponse((DataAccessResult.READ_WRITE_DENIED if f is None else octet_string(f),))
    assert isinstance(request, ActionRequest)  # is_pass_3
    if f is None:
        return ActionResponse(request.invoke, ActionResult.READ_WRITE_DENIED)
    return ActionResponse(request.invoke, ActionResult.SUCCESS, octet_string(f))


def _f_of_pass_4(response: ServedResponse) -> bytes | None:
    """f(CtoS); ``None`` if the server refuses. :class:`CodecError` if it does neither."""
    if isinstance(response, ReadResponse):
        returned = response.results[0] if len(response.results) == 1 else None
        if isinstance(returned, DataAccessResult):
            return None
    elif isinstance(response, ActionResponse) and response.result is ActionResult.SUCCESS:
        returned = response.returned
    else:
        return None
    return _octets(returned if isinstance(returned, Data) else None)


def _octets(data: Data | None) -> bytes:
    if data is None or data.type is not DataType.OCTET_STRING:
        raise CodecError("octet-string needed", field="f(challenge)")
    assert isinstance(data.value, bytes)
    return data.value
