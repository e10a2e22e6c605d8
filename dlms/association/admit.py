"""Steps with which a server admits a client: AARQ in, AARE out.

Nothing of the association changes here but the counters that cryptography spends; the caller
commits what :func:`admit` returns, or answers its :class:`Refusal`.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import Mechanism
from dlms.association import admission
from dlms.association.admission import Refusal
from dlms.association.certificates import peer_public_key
from dlms.association.config import AssociationKeys, ServerConfig
from dlms.association.contexts import Freshness, general_context, take_dedicated
from dlms.association.events import AssociationRefused
from dlms.association.shapes import answer_form, shape_in_kind
from dlms.errors import CodecError, LocalProtocolError
from dlms.security import hls
from dlms.security.ciphered import Family
from dlms.security.control import Protection
from dlms.security.counters import CounterRefused, InvocationCounters
from dlms.security.general_context import GeneralContext
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.layers import is_layer, open_layers, protect_layers
from dlms.security.ops import CryptoFailure, Match, Random, Step, Use
from dlms.security.protect import SecurityContext, Shape, TooWeak
from dlms.security.spent_keys import SpentKeys
from dlms.security.suites import SUITES
from dlms.xdlms.codes import InitiateError
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import VAA_NAME_LN, VAA_NAME_SN, InitiateRequest, InitiateResponse

CHALLENGE_LENGTH = 16

_MAX_RESAMPLES = 4


class Offer(NamedTuple):
    """What the server brings to an association.

    ``channel_title`` is the system title in the peer's certificate, if the channel is secure.
    ``spent`` are the keys of single messages that the client has used; a new one forgets.
    """

    config: ServerConfig
    keys: AssociationKeys
    own_title: bytes
    counters: InvocationCounters
    channel_title: bytes | None
    spent: SpentKeys | None = None

    def general(self, title: bytes | None, label: str) -> GeneralContext | None:
        """What to protect with, with the client of that ``title``."""
        spent = SpentKeys() if self.spent is None else self.spent
        freshness = Freshness(self.counters, spent)
        titles = self.own_title, title
        return general_context(self.config, self.keys, freshness, titles, label)


class Admitted(NamedTuple):
    """An association that stands, or will once the caller commits it.

    Without ``confirmed`` there is no AARE, and nothing else will be answered. The challenges are
    kept until HLS is through. ``client_max_pdu`` is in octets, 0 for no limit.
    """

    reply: bytes | None
    confirmed: bool
    conformance: Conformance
    client_max_pdu: int
    general: GeneralContext | None = None
    client_title: bytes | None = None
    user: int | None = None
    client_challenge: bytes = b""
    server_challenge: bytes = b""
    client_public: bytes | None = None

    @property
    def security(self) -> SecurityContext | None:
        """The part of it that is for ciphering alone."""
        return None if self.general is None else self.general.security


def pre_established(offer: Offer, label: str) -> Admitted:
    """The association that stands from the start: what an AARQ would say is agreed (R-AA-1)."""
    config = offer.config
    title = config.client_title if config.needs_title else None
    return Admitted(
        None,
        not config.broadcast,
        config.conformance,
        config.max_pdu_size,
        offer.general(title, label),
        title,
    )


def dedicated_ref(offer: Offer, label: str, number: int) -> KeyRef:
    """A name no dedicated key had before on the connection that ``label`` stands for."""
    guek = offer.keys.guek
    scope = "" if guek is None else guek.scope
    return KeyRef(
        offer.own_title,
        f"{scope}#{label}",
        KeyKind.DEDICATED,
        KeyLifetime.SINGLE_ASSOCIATION,
        number,
    )


def admit(
    aarq: Aarq, offer: Offer, dedicated: KeyRef, label: str, now: dt.datetime | None
) -> Step[Admitted]:
    """Judge ``aarq`` and compose the AARE. :class:`Refusal` if there will be no association.

    A dedicated key in the InitiateRequest is kept by the module as ``dedicated``. ``label`` is as
    in :func:`~dlms.association.contexts.general_context`.
    """
    config = offer.config
    admission.judge_context(aarq, config)
    admission.judge_title(aarq, config, offer.own_title, offer.channel_title)
    admission.judge_mechanism(aarq, config, offer.keys)
    value = aarq.calling_authentication_value
    presented = b"" if value is None else value.octets
    if config.mechanism is Mechanism.LLS:
        yield from _judge_secret(offer.keys.secret, presented)
    user = admission.judge_user(aarq, config)
    title = aarq.calling_ap_title if config.needs_title else None
    public = yield from _client_public(aarq, offer, title, now)
    general = offer.general(title, label)
    if general is not None and public is not None:
        general.peer_signing_public = public
    initiate, shape = yield from _open_initiate(aarq, config, general, dedicated)
    try:
        negotiated, with_dedicated = _judge_initiate(initiate, shape, config)
    except Refusal as no:
        no.silent = not initiate.response_allowed
        raise
    if general is not None and with_dedicated:
        take_dedicated(general.security, dedicated, config.knobs.first_counter)
    challenge = b""
    reply: bytes | None = None
    if config.mechanism.is_hls:
        challenge = yield from _draw_challenge(config.mechanism, presented)
    if initiate.response_allowed:
        response = yield from initiate_response(config, general, negotiated, shape)
        reply = _acceptance(offer, response, challenge)
    return Admitted(
        reply,
        initiate.response_allowed,
        negotiated,
        initiate.client_max_receive_pdu_size,
        general,
        title,
        user,
        presented if config.mechanism.is_hls else b"",  # a password is not kept
        challenge,
        public,
    )


def initiate_response(
    config: ServerConfig,
    general: GeneralContext | None,
    conformance: Conformance,
    shape: Shape | None,
) -> Step[bytes]:
    """The InitiateResponse of an AARE or RLRE, protected as ``shape`` says."""
    response = InitiateResponse(
        conformance=conformance,
        server_max_receive_pdu_size=config.max_pdu_size,
        vaa_name=VAA_NAME_SN if config.short_names else VAA_NAME_LN,
    ).encode()
    if shape is None or general is None:
        return response
    own = shape._replace(form=answer_form(shape.form, config))
    return (yield from protect_layers(general, response, own, Use.ASSOCIATION))


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


def refused(no: Refusal, aarq: Aarq, config: ServerConfig) -> AssociationRefused:
    """What becomes of an AARQ that is refused; silence, if it allows no response (R-AA-7)."""
    user = None if no.error is None else no.error.encode()
    silent = no.silent or config.broadcast or _allows_no_response(aarq)
    reply = None if silent else refusal_aare(config, no.diagnostic, no.result, user)
    return AssociationRefused(reply, no.result, no.diagnostic, no.error, str(no))


def _allows_no_response(aarq: Aarq) -> bool:
    """Whether that can be read from ``aarq`` without any key."""
    try:
        return not InitiateRequest.decode(aarq.user_information or b"").response_allowed
    except CodecError:
        return False


def _acceptance(offer: Offer, user_information: bytes, challenge: bytes) -> bytes:
    config = offer.config
    hls = config.mechanism.is_hls
    signs = config.mechanism is Mechanism.HLS_ECDSA
    return Aare(
        application_context_name=config.context.oid,
        result=AssociationResult.ACCEPTED,
        diagnostic=UserDiagnostic.AUTHENTICATION_REQUIRED if hls else UserDiagnostic.NULL,
        responding_ap_title=offer.own_title if config.needs_title else None,
        responding_ae_qualifier=config.certificate if signs else None,
        responder_acse_requirements=True if hls else None,
        mechanism_name=config.mechanism.oid if hls else None,
        responding_authentication_value=AuthenticationValue(challenge) if hls else None,
        user_information=user_information,
    ).encode()


def _judge_secret(secret: KeyRef | None, presented: bytes) -> Step[None]:
    """Low level security: exactly the octets, compared by the module (KL-HL-12)."""
    assert secret is not None  # judge_mechanism has seen to it
    matches: bool = yield Match(Use.ASSOCIATION, secret, presented)
    if not matches:
        raise Refusal("wrong secret", UserDiagnostic.AUTHENTICATION_FAILURE)


def _client_public(
    aarq: Aarq, offer: Offer, title: bytes | None, now: dt.datetime | None
) -> Step[bytes | None]:
    try:
        return (
            yield from peer_public_key(
                offer.config, offer.keys.peer_public, aarq.calling_ae_qualifier, title, now
            )
        )
    except (CodecError, CryptoFailure) as error:
        raise Refusal(str(error), UserDiagnostic.CALLING_AE_QUALIFIER_NOT_RECOGNIZED) from error


def _open_initiate(
    aarq: Aarq, config: ServerConfig, general: GeneralContext | None, dedicated: KeyRef
) -> Step[tuple[InitiateRequest, Shape | None]]:
    octets = aarq.user_information
    if not octets:
        raise admission.initiate_refusal("no InitiateRequest", InitiateError.OTHER)
    shape: Shape | None = None
    if is_layer(octets[0]):
        if general is None or not config.context.ciphered:
            raise admission.deciphering_refusal("ciphered in a context without ciphering")
        try:
            # An InitiateRequest need not be signed: mechanism 7 signs for the association.
            peeled = yield from open_layers(
                general, octets, Use.ASSOCIATION, dedicated, required=config.policy.octet
            )
        except TooWeak as error:
            raise _policy_refusal() from error
        except (CodecError, CounterRefused, CryptoFailure) as error:
            raise admission.deciphering_refusal(f"InitiateRequest: {error}") from error
        shape = shape_in_kind(peeled, general)
        if (shape.family is Family.BROADCAST) is not config.broadcast:
            raise admission.deciphering_refusal("InitiateRequest under the key of the other kind")
        octets = peeled.apdu
    elif config.policy.octet:
        raise _policy_refusal()
    try:
        return InitiateRequest.decode(octets), shape
    except CodecError as error:
        raise admission.initiate_refusal(str(error), InitiateError.OTHER) from error


def _policy_refusal() -> Refusal:
    return admission.initiate_refusal(
        "InitiateRequest is not protected as the policy demands",
        InitiateError.REFUSED_BY_VDE_HANDLER,
    )


def _judge_initiate(
    initiate: InitiateRequest, shape: Shape | None, config: ServerConfig
) -> tuple[Conformance, bool]:
    """The negotiated conformance, and whether there is a dedicated key."""
    protection = Protection.NONE if shape is None else shape.protection
    key_length = SUITES[config.suite].key_length
    with_dedicated = admission.judge_dedicated(initiate, protection, key_length, config)
    negotiated = admission.judge_initiate(initiate, config)
    admission.judge_response_allowed(initiate, config)
    return negotiated, with_dedicated


def _draw_challenge(mechanism: Mechanism, client_challenge: bytes) -> Step[bytes]:
    length = max(CHALLENGE_LENGTH, hls.shortest_challenge(mechanism.value))
    for _ in range(_MAX_RESAMPLES):
        challenge: bytes = yield Random(Use.ASSOCIATION, length)
        if challenge != client_challenge:  # R-HLS-3
            return challenge
    raise LocalProtocolError("the random source repeats itself")
