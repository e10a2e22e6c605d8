"""Steps with which a server admits a client: AARQ in, AARE out.

Nothing of the association changes here but the counters that cryptography spends; the caller
commits what :func:`admit` returns, or answers its :class:`Refusal`.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import Mechanism
from dlms.association import admission
from dlms.association.admission import Refusal
from dlms.association.config import AssociationKeys, ServerConfig
from dlms.errors import CodecError, LocalProtocolError
from dlms.security.ciphered import is_ciphered
from dlms.security.control import Protection
from dlms.security.counters import CounterTooLow, InvocationCounters
from dlms.security.keys import KEY_LENGTH, KeyRef
from dlms.security.ops import CryptoFailure, Match, Random, Step, Use
from dlms.security.protect import SecurityContext, Shape, TooWeak, open_ciphered, protect
from dlms.xdlms.codes import InitiateError
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse

CHALLENGE_LENGTH = 16

_MAX_RESAMPLES = 4


class Offer(NamedTuple):
    """What the server brings to an association.

    ``channel_title`` is the system title in the peer's certificate, if the channel is secure.
    """

    config: ServerConfig
    keys: AssociationKeys
    own_title: bytes
    counters: InvocationCounters
    channel_title: bytes | None


class Admitted(NamedTuple):
    """What the association will be once the caller commits it."""

    reply: bytes
    security: SecurityContext | None
    conformance: Conformance
    client_max_pdu: int
    client_challenge: bytes
    server_challenge: bytes


def admit(aarq: Aarq, offer: Offer, dedicated: KeyRef) -> Step[Admitted]:
    """Judge ``aarq`` and compose the AARE. :class:`Refusal` if there will be no association.

    A dedicated key in the InitiateRequest is kept by the module as ``dedicated``.
    """
    config = offer.config
    admission.judge_context(aarq, config)
    admission.judge_title(aarq, config, offer.own_title, offer.channel_title)
    admission.judge_mechanism(aarq, config)
    value = aarq.calling_authentication_value
    presented = b"" if value is None else value.octets
    if config.mechanism is Mechanism.LLS:
        yield from _judge_secret(offer.keys.secret, presented)
    security = _security_context(aarq, offer)
    initiate, shape = yield from _open_initiate(aarq, config, security, dedicated)
    negotiated = admission.judge_initiate(initiate, config)
    if not initiate.response_allowed:
        raise Refusal("unconfirmed associations are not offered", UserDiagnostic.NO_REASON_GIVEN)
    challenge = b""
    if config.mechanism.is_hls:
        challenge = yield from _draw_challenge(presented)
    if security is not None and initiate.dedicated_key is not None:
        security.dedicated = dedicated
        offer.counters.establish(dedicated)
    response = InitiateResponse(
        conformance=negotiated, server_max_receive_pdu_size=config.max_pdu_size
    ).encode()
    if shape is not None and security is not None:
        response = yield from protect(security, response, shape, Use.ASSOCIATION)
    return Admitted(
        _acceptance(offer, response, challenge),
        security,
        negotiated,
        initiate.client_max_receive_pdu_size,
        presented if config.mechanism.is_hls else b"",  # a password is not kept
        challenge,
    )


def refusal_aare(
    config: ServerConfig,
    diagnostic: UserDiagnostic | ProviderDiagnostic,
    result: AssociationResult = AssociationResult.REJECTED_PERMANENT,
    user_information: bytes | None = None,
) -> bytes:
    """The AARE that says no."""
    return Aare(
        application_context_name=config.context.oid,
        result=result,
        diagnostic=diagnostic,
        user_information=user_information,
    ).encode()


def _acceptance(offer: Offer, user_information: bytes, challenge: bytes) -> bytes:
    config = offer.config
    hls = config.mechanism.is_hls
    return Aare(
        application_context_name=config.context.oid,
        result=AssociationResult.ACCEPTED,
        diagnostic=UserDiagnostic.AUTHENTICATION_REQUIRED if hls else UserDiagnostic.NULL,
        responding_ap_title=offer.own_title if config.needs_title else None,
        responder_acse_requirements=True if hls else None,
        mechanism_name=config.mechanism.oid if hls else None,
        responding_authentication_value=AuthenticationValue(challenge) if hls else None,
        user_information=user_information,
    ).encode()


def _security_context(aarq: Aarq, offer: Offer) -> SecurityContext | None:
    if not offer.config.needs_title:
        return None
    if offer.keys.guek is None:
        raise LocalProtocolError("this association needs an encryption key and has none")
    return SecurityContext(
        suite=offer.config.suite,
        own_title=offer.own_title,
        counters=offer.counters,
        guek=offer.keys.guek,
        gak=offer.keys.gak,
        peer_title=aarq.calling_ap_title,
    )


def _judge_secret(secret: KeyRef | None, presented: bytes) -> Step[None]:
    """Low level security: exactly the octets, compared by the module (KL-HL-12)."""
    if secret is None:
        raise Refusal("no secret is set", UserDiagnostic.AUTHENTICATION_FAILURE)
    matches: bool = yield Match(Use.ASSOCIATION, secret, presented)
    if not matches:
        raise Refusal("wrong secret", UserDiagnostic.AUTHENTICATION_FAILURE)


def _open_initiate(
    aarq: Aarq, config: ServerConfig, security: SecurityContext | None, dedicated: KeyRef
) -> Step[tuple[InitiateRequest, Shape | None]]:
    octets = aarq.user_information
    if not octets:
        raise admission.initiate_refusal("no InitiateRequest", InitiateError.OTHER)
    shape: Shape | None = None
    protection = Protection.NONE
    if is_ciphered(octets[0]):
        if security is None or not config.context.ciphered:
            raise admission.deciphering_refusal("ciphered in a context without ciphering")
        try:
            opened = yield from open_ciphered(
                security, octets, Use.ASSOCIATION, dedicated, required=config.policy
            )
        except TooWeak as error:
            raise _policy_refusal() from error
        except (CodecError, CounterTooLow, CryptoFailure) as error:
            raise admission.deciphering_refusal(f"InitiateRequest: {error}") from error
        octets = opened.apdu
        protection = opened.protection
        shape = Shape(opened.family, opened.form, protection)
    elif config.policy:
        raise _policy_refusal()
    try:
        initiate = InitiateRequest.decode(octets)
    except CodecError as error:
        raise admission.initiate_refusal(str(error), InitiateError.OTHER) from error
    _judge_dedicated(initiate, protection)
    return initiate, shape


def _policy_refusal() -> Refusal:
    return admission.initiate_refusal(
        "InitiateRequest is not protected as the policy demands",
        InitiateError.REFUSED_BY_VDE_HANDLER,
    )


def _judge_dedicated(initiate: InitiateRequest, protection: Protection) -> None:
    """R-INIT-3: a dedicated key travels authenticated and encrypted, and fits the suite."""
    key = initiate.dedicated_key
    if key is None:
        return
    if protection != Protection.BOTH:
        raise admission.initiate_refusal(
            "dedicated key in an InitiateRequest without full protection", InitiateError.OTHER
        )
    if len(key) != KEY_LENGTH:
        raise admission.initiate_refusal(f"dedicated key of {len(key)} octets", InitiateError.OTHER)


def _draw_challenge(client_challenge: bytes) -> Step[bytes]:
    for _ in range(_MAX_RESAMPLES):
        challenge: bytes = yield Random(Use.ASSOCIATION, CHALLENGE_LENGTH)
        if challenge != client_challenge:  # R-HLS-3
            return challenge
    raise LocalProtocolError("the random source repeats itself")
