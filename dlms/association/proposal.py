"""What a client proposes in its AARQ, and how it judges the AARE's acceptance."""

from __future__ import annotations

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.errors import CodecError, LocalProtocolError, RemoteProtocolError
from dlms.security.ciphered import Family
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KEY_LENGTH, KeyRef
from dlms.security.ops import GenerateKey, Present, Random, Step, Use
from dlms.security.protect import SecurityContext, Shape, protect
from dlms.xdlms.errors import ConfirmedServiceError
from dlms.xdlms.initiate import InitiateRequest, compose


def security_context(
    config: ClientConfig, keys: AssociationKeys, counters: InvocationCounters
) -> SecurityContext | None:
    """What the association protects with; ``None`` if it protects nothing.

    :class:`LocalProtocolError` if the configuration asks for what it has no keys or title for.
    """
    if not config.needs_keys:
        return None
    if keys.guek is None or config.own_title is None:
        raise LocalProtocolError("a system title and an encryption key are needed")
    return SecurityContext(
        suite=config.suite,
        own_title=config.own_title,
        counters=counters,
        guek=keys.guek,
        gak=keys.gak,
        peer_title=config.server_title,
    )


def initiate_request(config: ClientConfig) -> InitiateRequest:
    return InitiateRequest(
        conformance=config.conformance, client_max_receive_pdu_size=config.max_pdu_size
    )


def initiate_shape(config: ClientConfig) -> Shape:
    """An InitiateRequest is authenticated and encrypted under the global key (GB 9.2.5.1)."""
    return Shape(Family.GLOBAL, config.form, Protection.BOTH)


def make_aarq(
    config: ClientConfig,
    keys: AssociationKeys,
    security: SecurityContext | None,
    counters: InvocationCounters,
) -> Step[tuple[bytes, bytes]]:
    """Return the AARQ and the challenge inside it (empty without HLS)."""
    value, challenge = yield from _authentication(config, keys)
    user = initiate_request(config).encode()
    if config.context.ciphered and security is not None:
        parts: bytes | tuple[bytes | KeyRef, ...] = user
        if config.dedicated is not None:
            yield GenerateKey(Use.ASSOCIATION, config.dedicated, KEY_LENGTH)
            counters.establish(config.dedicated)
            security.dedicated = config.dedicated
            parts = compose(initiate_request(config), config.dedicated, KEY_LENGTH)
        user = yield from protect(security, parts, initiate_shape(config), Use.ASSOCIATION)
    authenticated = config.mechanism is not Mechanism.NONE
    aarq = Aarq(
        application_context_name=config.context.oid,
        calling_ap_title=config.own_title if config.needs_keys else None,
        sender_acse_requirements=True if authenticated else None,
        mechanism_name=config.mechanism.oid if authenticated else None,
        calling_authentication_value=value,
        user_information=user,
    )
    return aarq.encode(), challenge


def _authentication(
    config: ClientConfig, keys: AssociationKeys
) -> Step[tuple[AuthenticationValue | None, bytes]]:
    match config.mechanism:
        case Mechanism.NONE:
            return None, b""
        case Mechanism.LLS:
            if keys.secret is None:
                raise LocalProtocolError("low level security needs a secret")
            secret: bytes = yield Present(Use.ASSOCIATION, keys.secret)
            return AuthenticationValue(secret), b""
        case Mechanism.HLS_GMAC:
            challenge: bytes = yield Random(Use.ASSOCIATION, config.challenge_length)
            return AuthenticationValue(challenge), challenge
        case other:
            raise LocalProtocolError(f"mechanism {other.name} is not supported")


def check_acceptance(aare: Aare, config: ClientConfig) -> None:
    """R-AA-4: the context is echoed; a plain one in its place would be a downgrade."""
    if ApplicationContext.from_oid(aare.application_context_name) is not config.context:
        raise RemoteProtocolError("AARE names another application context", reason="context")


def refusal_error(aare: Aare) -> ConfirmedServiceError | None:
    """The ConfirmedServiceError in a refusing AARE, if there is a readable one."""
    try:
        return ConfirmedServiceError.decode(aare.user_information or b"")
    except CodecError:
        return None
