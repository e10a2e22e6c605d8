"""APDUs made readable, for those who watch a meter work.

An AARQ may carry a password, and an InitiateRequest in clear, also one inside an RLRQ, a dedicated
key: such an APDU is not shown, nor one of these that cannot be read and so might. A signature, and
ciphering that does not encrypt, leave what is inside in clear. Of a general
block only the head is: what it is a piece of cannot be told from it.
"""

from __future__ import annotations

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.acse.aarq import TAG as AARQ_TAG
from dlms.acse.aarq import Aarq
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import RLRE_TAG, RLRQ_TAG, Rlre, Rlrq
from dlms.association.carrying import is_general_block
from dlms.errors import CodecError
from dlms.security.ciphered import decode_ciphered, is_ciphered
from dlms.security.control import Protection
from dlms.security.general_ciphering import (
    GENERAL_CIPHERING,
    GeneralCiphered,
    decode_general_ciphering,
)
from dlms.security.general_header import GeneralHeader
from dlms.security.general_signing import GENERAL_SIGNING, decode_general_signing
from dlms.security.layers import MAX_LAYERS
from dlms.security.message_keys import choice_of
from dlms.security.ops import TAG_LENGTH
from dlms.words import word
from dlms.xdlms import general_block, registry
from dlms.xdlms.initiate import InitiateRequest

_INITIATE = 0x01
_CHALLENGING = (
    Mechanism.HLS_MD5,
    Mechanism.HLS_SHA1,
    Mechanism.HLS_GMAC,
    Mechanism.HLS_SHA256,
    Mechanism.HLS_ECDSA,
)
"""Not the manufacturer's own HLS: there are clients that send its secret in clear."""


def shown(apdu: bytes) -> str:
    """The octets in hexadecimal, but for an APDU that may carry a secret in clear."""
    if is_general_block(apdu):
        head, rest = apdu[: general_block.HEAD], apdu[general_block.HEAD :]
        return f"{head.hex().upper()}... (and {len(rest)} octets, not shown)"
    if _may_hold_a_secret(apdu):
        return f"{apdu[:1].hex().upper()}... ({len(apdu)} octets, not shown: may hold a secret)"
    return apdu.hex().upper()


def _may_hold_a_secret(apdu: bytes) -> bool:
    try:
        readable = _readable(apdu)
        tag = readable[0] if readable else -1
        if tag == AARQ_TAG:
            aarq = Aarq.decode(readable)
            return _presents_a_secret(aarq) or _carries_a_key(aarq.user_information)
        if tag == RLRQ_TAG:
            return _carries_a_key(Rlrq.decode(readable).user_information)
        return tag == _INITIATE and _carries_a_key(readable)
    except CodecError:
        return True


def _presents_a_secret(aarq: Aarq) -> bool:
    """An authentication value is a password, unless its mechanism makes it a challenge."""
    mechanism = Mechanism.from_oid(aarq.mechanism_name or b"")
    return aarq.calling_authentication_value is not None and mechanism not in _CHALLENGING


def _carries_a_key(initiate: bytes | None) -> bool:
    """Whether an InitiateRequest has a dedicated key, and anybody can read it."""
    readable = _readable(initiate or b"")
    return bool(readable) and InitiateRequest.decode(readable).dedicated_key is not None


def _readable(apdu: bytes) -> bytes:
    """What can be read without any key: an APDU in clear, also inside a signature or ciphering that
    does not encrypt; nothing of one that is encrypted.
    """
    for _ in range(MAX_LAYERS + 1):
        tag = apdu[0] if apdu else -1
        if tag == GENERAL_SIGNING:
            apdu = decode_general_signing(apdu).content
            continue
        if tag == GENERAL_CIPHERING:
            general = decode_general_ciphering(apdu)
            control, body = general.control, general.body
        elif is_ciphered(tag):
            ciphered = decode_ciphered(apdu)
            control, body = ciphered.control, ciphered.body
        else:
            return apdu
        if control & Protection.ENCRYPTED:
            return b""
        authenticated = control & Protection.AUTHENTICATED
        apdu = body[:-TAG_LENGTH] if authenticated else body
    raise CodecError("more layers than anybody takes off", field="APDU")


def _general_ciphering(message: GeneralCiphered) -> str:
    """Who to whom, by which key, and how long it is: what is ciphered stays so."""
    choice = word(choice_of(message.key_info))
    return (
        f"general-ciphering {_parties(message.header)} key={choice}"
        f" SC={message.control:02X} IC={message.counter} {len(message.body)} octets"
    )


def _parties(header: GeneralHeader) -> str:
    titles = (header.originator, header.recipient, header.transaction_id)
    sender, recipient, transaction = (part.hex().upper() or "-" for part in titles)
    return f"from={sender} to={recipient} transaction={transaction}"


def described(apdu: bytes) -> str:
    """One line that says what ``apdu`` is."""
    try:
        return _described(apdu)
    except CodecError as error:
        return f"malformed: {error}"


def _described(apdu: bytes, depth: int = 0) -> str:
    tag = apdu[0] if apdu else -1
    if depth > MAX_LAYERS:
        return "more layers than anybody takes off"
    if tag == AARQ_TAG:
        aarq = Aarq.decode(apdu)
        context = ApplicationContext.from_oid(aarq.application_context_name)
        mechanism = Mechanism.from_oid(aarq.mechanism_name or b"")
        title = "-" if aarq.calling_ap_title is None else aarq.calling_ap_title.hex().upper()
        return (
            f"AARQ context={'?' if context is None else context.name}"
            f" mechanism={'-' if mechanism is None else mechanism.name} title={title}"
        )
    if tag == AARE_TAG:
        aare = Aare.decode(apdu)
        return f"AARE {aare.result.name} {aare.diagnostic.name}"
    if tag == RLRQ_TAG:
        return f"{Rlrq.decode(apdu)}"
    if tag == RLRE_TAG:
        return f"{Rlre.decode(apdu)}"
    if tag == general_block.TAG:
        block = general_block.decode(apdu)
        return (
            f"general block {block.number} acknowledges {block.acknowledged}"
            f" window={block.window}{' streaming' * block.streaming}{' last' * block.last}"
            f" {len(block.data)} octets"
        )
    if tag == GENERAL_CIPHERING:
        return _general_ciphering(decode_general_ciphering(apdu))
    if tag == GENERAL_SIGNING:
        signed = decode_general_signing(apdu)
        inside = _described(signed.content, depth + 1)
        return f"general-signing {_parties(signed.header)} of {{{inside}}}"
    if is_ciphered(tag):
        ciphered = decode_ciphered(apdu)
        return (
            f"{ciphered.family.value}- {ciphered.form.value}"
            f" SC={ciphered.control:02X} IC={ciphered.counter} {len(ciphered.body)} octets"
        )
    return repr(registry.decode(apdu))
