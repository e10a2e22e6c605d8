"""The key of a single message that general-ciphering brings (GB Ed. 8, 9.2.3.4.6, Table 21).

It is made or found in the Cryptographic Module, used once, and destroyed.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from dlms.errors import CodecError, DlmsError, LocalProtocolError
from dlms.security import spent_keys
from dlms.security.derivation import other_info
from dlms.security.general_ciphering import (
    AgreedKey,
    IdentifiedKey,
    KeyInfo,
    Scheme,
    WrappedKey,
)
from dlms.security.general_context import GeneralContext
from dlms.security.general_header import GeneralHeader
from dlms.security.key_choice import KeyChoice
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import (
    Agree,
    Curve,
    Discard,
    GenerateKey,
    GenerateKeyPair,
    Sign,
    Step,
    Unwrap,
    Use,
    Verify,
    Wrap,
)

T = TypeVar("T")


class _Needed(NamedTuple):
    """What a key agreement takes, all of it there."""

    curve: Curve
    private: KeyRef
    public: bytes


def choice_of(key_info: KeyInfo | None) -> KeyChoice:
    """Which choice a message with this key-info was made by."""
    match key_info:
        case None:
            return KeyChoice.NONE
        case IdentifiedKey(broadcast):
            return KeyChoice.BROADCAST if broadcast else KeyChoice.UNICAST
        case WrappedKey():
            return KeyChoice.WRAPPED
        case AgreedKey(scheme):
            return KeyChoice.ONE_PASS if scheme is Scheme.ONE_PASS else KeyChoice.STATIC


def discarding(key: KeyRef, step: Step[T]) -> Step[T]:
    """Run ``step``, and destroy ``key`` whatever becomes of it."""
    try:
        result = yield from step
    except DlmsError:
        yield Discard(Use.AGREE_KEY, key)
        raise
    yield Discard(Use.AGREE_KEY, key)
    return result


def make_key(
    context: GeneralContext, choice: KeyChoice, header: GeneralHeader, into: KeyRef
) -> Step[KeyInfo]:
    """Make a key for the message with ``header`` and keep it as ``into``.

    :class:`LocalProtocolError` if the context lacks what ``choice`` needs, or its nonce was used
    before.
    """
    if choice is KeyChoice.WRAPPED:
        if context.kek is None:
            raise LocalProtocolError("a wrapped key needs a master key")
        yield GenerateKey(Use.TRANSFER_KEY, into, context.suite.key_length)
        wrapped: bytes = yield Wrap(Use.TRANSFER_KEY, context.kek, into)
        return WrappedKey(wrapped)
    if choice is KeyChoice.ONE_PASS:
        return (yield from _make_one_pass(context, header, into))
    if choice is KeyChoice.STATIC:
        return (yield from _make_static(context, header, into))
    raise LocalProtocolError(f"not made for one message: {choice.value}")


def judge_key(context: GeneralContext, key_info: KeyInfo, header: GeneralHeader) -> bytes | None:
    """The mark by which a key of a single message is known again; ``None`` for a global key.

    :class:`CodecError` if the key cannot be had here, or its data cannot be right.
    """
    if isinstance(key_info, IdentifiedKey):
        return None
    if isinstance(key_info, WrappedKey):
        if context.kek is None:
            raise CodecError("there is no master key", field="key-info")
        _check_length(key_info.wrapped, context.suite.wrapped_length)
        return spent_keys.WRAPPED + key_info.wrapped
    curve = context.suite.curve
    if curve is None or context.agreement_key is None:
        raise CodecError("there is no key agreement here", field="key-info")
    if key_info.scheme is Scheme.ONE_PASS:
        if context.peer_signing_public is None:
            raise CodecError("the originator's signature key is not known", field="key-info")
        _check_length(key_info.data, 4 * curve.value)
        return spent_keys.ONE_PASS + key_info.data[: 2 * curve.value]
    if context.peer_agreement_public is None:
        raise CodecError("the originator's agreement key is not known", field="key-info")
    _check_length(key_info.data, 0)
    if not header.transaction_id:
        raise CodecError("a nonce is needed", field="transaction-id")
    return spent_keys.STATIC + header.transaction_id


def take_key(
    context: GeneralContext, key_info: WrappedKey | AgreedKey, header: GeneralHeader, into: KeyRef
) -> Step[None]:
    """Get the key that a message brings and keep it as ``into``. :func:`judge_key` goes before.

    :class:`~dlms.security.ops.VerificationFailed` if it does not verify.
    """
    length = context.suite.key_length
    if isinstance(key_info, WrappedKey):
        assert context.kek is not None  # judge_key()
        yield Unwrap(Use.TRANSFER_KEY, context.kek, key_info.wrapped, into)
        return
    curve, private = context.suite.curve, context.agreement_key
    assert curve is not None  # judge_key()
    assert private is not None
    security = context.security
    assert security.peer_title is not None  # check_titles()
    public = context.peer_agreement_public
    nonce: bytes | None = header.transaction_id
    if key_info.scheme is Scheme.ONE_PASS:
        public, nonce = key_info.data[: 2 * curve.value], None
        # Or anybody could have made it: the key agreement by itself authenticates the recipient.
        signer = context.peer_signing_public
        assert signer is not None  # judge_key()
        yield Verify(Use.AGREE_KEY, curve, signer, public, key_info.data[2 * curve.value :])
    assert public is not None  # judge_key()
    info = _info(context, security.peer_title, security.own_title, nonce)
    yield Agree(Use.AGREE_KEY, private, public, info, into, length)


def _make_one_pass(context: GeneralContext, header: GeneralHeader, into: KeyRef) -> Step[KeyInfo]:
    signing_key = context.signing_key
    if context.suite.curve is None or signing_key is None:
        raise LocalProtocolError("C(1e, 1s) needs a signing key, and security suite 1 or 2")
    if context.peer_agreement_public is None:
        raise LocalProtocolError("C(1e, 1s) needs the recipient's agreement key")
    ephemeral = context.key_of_message(KeyKind.AGREEMENT_KEY)
    needed = _Needed(context.suite.curve, ephemeral, context.peer_agreement_public)
    return (yield from discarding(ephemeral, _one_pass(context, header, into, needed, signing_key)))


def _one_pass(
    context: GeneralContext, header: GeneralHeader, into: KeyRef, needed: _Needed, signer: KeyRef
) -> Step[KeyInfo]:
    public: bytes = yield GenerateKeyPair(Use.AGREE_KEY, needed.private, needed.curve)
    signature: bytes = yield Sign(Use.AGREE_KEY, signer, public)
    yield from _agree(context, header, into, needed, None)
    return AgreedKey(Scheme.ONE_PASS, public + signature)


def _make_static(context: GeneralContext, header: GeneralHeader, into: KeyRef) -> Step[KeyInfo]:
    private, public = context.agreement_key, context.peer_agreement_public
    if context.suite.curve is None or private is None or public is None:
        raise LocalProtocolError("C(0e, 2s) needs both agreement keys, and security suite 1 or 2")
    if not header.transaction_id:
        raise LocalProtocolError("C(0e, 2s) needs a transaction-id, which is its nonce")
    mark = spent_keys.OWN_STATIC + header.transaction_id
    try:
        context.spent.check(mark)
    except CodecError as error:
        raise LocalProtocolError(f"transaction-id: {error}") from None
    context.spent.add(mark)  # before it is used, as with an invocation counter
    needed = _Needed(context.suite.curve, private, public)
    yield from _agree(context, header, into, needed, header.transaction_id)
    return AgreedKey(Scheme.STATIC, b"")


def _agree(
    context: GeneralContext,
    header: GeneralHeader,
    into: KeyRef,
    needed: _Needed,
    nonce: bytes | None,
) -> Step[None]:
    info = _info(context, header.originator, header.recipient, nonce)
    length = context.suite.key_length
    yield Agree(Use.AGREE_KEY, needed.private, needed.public, info, into, length)


def _info(context: GeneralContext, party_u: bytes, party_v: bytes, nonce: bytes | None) -> bytes:
    form = context.practice.algorithm_id
    return other_info(form, context.suite.cipher, party_u, party_v, nonce)


def _check_length(data: bytes, length: int) -> None:
    if len(data) != length:
        raise CodecError(f"{len(data)} octets, not {length}", field="key-ciphered-data")
