"""What a client proposes in its AARQ, and how it judges the AARE's acceptance."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.certificates import peer_public_key
from dlms.association.config import TITLE_LENGTH, AssociationKeys, ClientConfig
from dlms.association.contexts import take_dedicated
from dlms.association.events import AssociationRefused
from dlms.errors import CodecError, LocalProtocolError, RemoteProtocolError
from dlms.security import hls
from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.general_context import GeneralContext
from dlms.security.keys import KeyRef
from dlms.security.layers import (
    Peeled,
    has_header,
    in_transaction,
    is_layer,
    open_layers,
    protect_layers,
)
from dlms.security.ops import GenerateKey, Present, Random, Step, Use
from dlms.security.protect import Opened, Shape
from dlms.security.suites import SUITES
from dlms.words import word
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.errors import ConfirmedServiceError
from dlms.xdlms.initiate import DLMS_VERSION, InitiateRequest, InitiateResponse, compose


def initiate_request(config: ClientConfig) -> InitiateRequest:
    return InitiateRequest(
        conformance=config.conformance,
        client_max_receive_pdu_size=config.max_pdu_size,
        response_allowed=config.confirmed,
    )


def initiate_shape(config: ClientConfig) -> Shape:
    """An InitiateRequest is authenticated and encrypted under the global key (GB 9.2.5.1)."""
    family = Family.BROADCAST if config.broadcast else Family.GLOBAL
    form = config.form
    if form is Form.CIPHERING and config.server_title is None:
        form = Form.GENERAL  # the AARE will say whom general-ciphering is for
    return Shape(family, form, Protection.BOTH, config.key_choice)


class Proposed(NamedTuple):
    """An AARQ, and what its answer is judged by: the challenge, empty without HLS, and the
    transaction-id, empty where the InitiateRequest has none.
    """

    aarq: bytes
    challenge: bytes
    transaction_id: bytes


def make_aarq(
    config: ClientConfig, keys: AssociationKeys, general: GeneralContext | None
) -> Step[Proposed]:
    transaction_id = b""
    value, challenge = yield from _authentication(config, keys)
    user = initiate_request(config).encode()
    if config.context.ciphered and general is not None:
        parts: bytes | tuple[bytes | KeyRef, ...] = user
        if config.dedicated is not None:
            length = SUITES[config.suite].key_length
            yield GenerateKey(Use.ASSOCIATION, config.dedicated, length)
            take_dedicated(general.security, config.dedicated, config.knobs.first_counter)
            parts = compose(initiate_request(config), config.dedicated, length)
        shape = initiate_shape(config)
        if has_header(shape):
            shape = yield from in_transaction(shape, Use.ASSOCIATION)
            transaction_id = shape.transaction_id
        user = yield from protect_layers(general, parts, shape, Use.ASSOCIATION)
    signs = config.mechanism is Mechanism.HLS_ECDSA
    authenticated = config.mechanism is not Mechanism.NONE
    aarq = Aarq(
        application_context_name=config.context.oid,
        calling_ap_title=config.own_title if config.needs_title else None,
        calling_ae_qualifier=config.certificate if signs else None,
        calling_ae_invocation_id=config.user,
        sender_acse_requirements=True if authenticated else None,
        mechanism_name=config.mechanism.oid if authenticated else None,
        calling_authentication_value=value,
        user_information=user,
    )
    return Proposed(aarq.encode(), challenge, transaction_id)


def _authentication(
    config: ClientConfig, keys: AssociationKeys
) -> Step[tuple[AuthenticationValue | None, bytes]]:
    mechanism = config.mechanism
    if mechanism is Mechanism.NONE:
        return None, b""
    lacking = keys.lacks_for(mechanism)
    if lacking:
        raise LocalProtocolError(f"{mechanism.name} needs a {lacking}")
    if mechanism is Mechanism.LLS:
        assert keys.secret is not None  # or it were lacking
        secret: bytes = yield Present(Use.ASSOCIATION, keys.secret)
        return AuthenticationValue(secret), b""
    if mechanism is Mechanism.HLS and config.manufacturer is None:
        raise LocalProtocolError("nobody has said what mechanism 2 is here")
    length = max(config.challenge_length, hls.shortest_challenge(mechanism.value))
    challenge: bytes = yield Random(Use.ASSOCIATION, length)
    return AuthenticationValue(challenge), challenge


class Accepted(NamedTuple):
    """What an AARE brings. ``challenge`` is the server's, where HLS follows, ``public`` its public
    key, where the mechanism signs; ``server_max_pdu`` is in octets, 0 for no limit. ``version`` is
    that of DLMS.
    """

    title: bytes | None = None
    conformance: Conformance = Conformance(0)
    server_max_pdu: int = 0
    challenge: bytes = b""
    public: bytes | None = None
    version: int = DLMS_VERSION


def judge_acceptance(
    aare: Aare,
    config: ClientConfig,
    keys: AssociationKeys,
    general: GeneralContext | None,
    proposed: Proposed,
    now: dt.datetime | None,
) -> Step[Accepted]:
    """Judge an AARE that accepts what was ``proposed``. :class:`RemoteProtocolError` if it may not
    be taken so.

    What is protected from now on is so with the server as it says it is.
    """
    check_acceptance(aare, config)
    title = config.server_title if config.needs_title else None
    if config.needs_title:
        title = judge_title(aare.responding_ap_title, config)
    if general is not None:
        general.security.peer_title = title
    initiate = yield from open_initiate(aare, general, config, proposed.transaction_id)
    challenge, public = b"", None
    if config.mechanism.is_hls:
        challenge = judge_challenge(aare, proposed.challenge, config)
        public = yield from peer_public_key(
            config, keys.peer_public, aare.responding_ae_qualifier, title, now
        )
        if general is not None and public is not None:
            general.peer_signing_public = public
    size, version = initiate.server_max_receive_pdu_size, initiate.dlms_version
    return Accepted(title, initiate.conformance, size, challenge, public, version)


def check_acceptance(aare: Aare, config: ClientConfig) -> None:
    """R-AA-4: the context is echoed; a plain one in its place would be a downgrade."""
    if ApplicationContext.from_oid(aare.application_context_name) is not config.context:
        raise RemoteProtocolError("AARE names another application context", reason="context")


def open_initiate(
    aare: Aare, general: GeneralContext | None, config: ClientConfig, transaction_id: bytes
) -> Step[InitiateResponse]:
    """The InitiateResponse, protected like the request in a ciphered context (GB 9.2.5.1)."""
    octets = aare.user_information or b""
    if config.context.ciphered:
        peeled = yield from open_due(octets, general, Use.ASSOCIATION, Protection.BOTH)
        ciphering = peeled.ciphering
        if ciphering is None or ciphering.family not in (Family.GLOBAL, Family.MESSAGE):
            raise RemoteProtocolError("InitiateResponse is not protected like the request")
        if transaction_id:
            check_transaction(peeled, transaction_id)
        octets = peeled.apdu
    initiate = InitiateResponse.decode(octets)
    # Not with "& ~": the complement of an IntFlag lacks the bits that have no name.
    if initiate.conformance | config.conformance != config.conformance:
        raise RemoteProtocolError("negotiated conformance exceeds the proposed")
    return initiate


def open_due(
    octets: bytes, general: GeneralContext | None, use: Use, required: Protection
) -> Step[Peeled]:
    """Open what has to be protected."""
    if general is None:
        raise LocalProtocolError("this association has no keys")
    if not octets or not is_layer(octets[0]):
        raise RemoteProtocolError("plain APDU where a ciphered one is due", reason="plain")
    return (yield from open_layers(general, octets, use, required=required))


def check_transaction(peeled: Peeled, transaction_id: bytes) -> None:
    """What answers a message is of its transaction: a signature, and a key that came with the
    message, would be as good in a response that was recorded long ago.
    """
    for layer in peeled.layers:
        if not isinstance(layer, Opened) and layer.header.transaction_id != transaction_id:
            raise RemoteProtocolError("response of another transaction", reason="transaction-id")


def judge_title(title: bytes | None, config: ClientConfig) -> bytes:
    """The server's system title, from the AARE; or known before, for those that leave it out
    (R-AA-6).
    """
    known = config.server_title
    if title is None and known is not None and config.knobs.absent_title_accepted:
        return known
    if title is None or len(title) != TITLE_LENGTH:
        raise RemoteProtocolError("responding-AP-title of 8 octets needed")
    if known is not None and title != known:
        raise RemoteProtocolError("responding-AP-title is not the meter's")
    if title == config.own_title:
        raise RemoteProtocolError("responding-AP-title is our own")
    return title


def judge_challenge(aare: Aare, own: bytes, config: ClientConfig) -> bytes:
    """R-HLS-3, R-HLS-4; and no way to a weaker mechanism than the one asked for."""
    if aare.diagnostic is not UserDiagnostic.AUTHENTICATION_REQUIRED:
        raise RemoteProtocolError("server skips HLS authentication")
    if Mechanism.from_oid(aare.mechanism_name or b"") is not config.mechanism:
        raise RemoteProtocolError("AARE names another mechanism")
    value = aare.responding_authentication_value
    if value is None or not hls.challenge_fits(config.mechanism.value, value.octets):
        raise RemoteProtocolError("no challenge of the right length")
    if value.octets == own:
        raise RemoteProtocolError("server's challenge equals ours", reason="stoc-equals-ctos")
    return value.octets


def release_information(general: GeneralContext | None, config: ClientConfig) -> Step[bytes | None]:
    """What an RLRQ carries: in a ciphered context the InitiateRequest again, protected."""
    if general is None or not config.context.ciphered:
        return None
    initiate = initiate_request(config).encode()
    return (yield from protect_layers(general, initiate, initiate_shape(config), Use.ASSOCIATION))


def refusal(aare: Aare) -> AssociationRefused:
    """What a refusing AARE says; with its ConfirmedServiceError, if there is a readable one."""
    error: ConfirmedServiceError | None
    try:
        error = ConfirmedServiceError.decode(aare.user_information or b"")
    except CodecError:
        error = None
    why = f"{word(aare.result)} {word(aare.diagnostic)}"
    return AssociationRefused(None, aare.result, aare.diagnostic, error, why)
