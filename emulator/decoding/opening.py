"""Opening a ciphered APDU: by which key, and whether its authentication tag verifies.

Encryption alone proves nothing: there a key is taken for the right one if what comes out is an
APDU. Where a tag does not verify, the same is tried without it, so that one can see what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dlms.acse import Aare, Aarq, Rlre, Rlrq
from dlms.acse.aare import TAG as AARE
from dlms.acse.aarq import TAG as AARQ
from dlms.acse.release import RLRE_TAG, RLRQ_TAG
from dlms.errors import CodecError, DlmsError
from dlms.hiding import repr_without
from dlms.security.ciphered import Family, decode_ciphered, is_ciphered
from dlms.security.control import COMPRESSION, KEY_SET_BROADCAST, SUITE_MASK, Protection
from dlms.security.general_ciphering import GENERAL_CIPHERING, decode_general_ciphering
from dlms.security.general_signing import GENERAL_SIGNING, decode_general_signing
from dlms.security.ops import IV_TITLE_LENGTH, TAG_LENGTH
from dlms.xdlms import registry
from dlms.xdlms.initiate import InitiateRequest
from emulator.decoding.keys import KeyChain, Message, Pair


class Opened(NamedTuple):
    """``key`` is the name of the key that fits, empty where none was needed; ``verified`` is
    whether the authentication tag did, ``None`` where there is none.
    """

    plaintext: bytes
    key: str
    title: bytes
    verified: bool | None
    pair: Pair | None = None

    def __repr__(self) -> str:
        return repr_without(self, "plaintext")


class Closed(NamedTuple):
    """It stays ciphered, and why."""

    reason: str


class _Layout(NamedTuple):
    """What all ciphered forms share. ``title`` is the originator's, where the APDU has it."""

    control: int
    message: Message
    title: bytes
    promised: int | None
    recipient: bytes = b""


def can_open(apdu: bytes) -> bool:
    """Whether it is of a ciphered form."""
    return bool(apdu) and (is_ciphered(apdu[0]) or apdu[0] == GENERAL_CIPHERING)


def opened(chain: KeyChain, apdu: bytes, titles: Iterable[bytes] = ()) -> Opened | Closed:
    """Try the keys of ``chain`` with each of ``titles`` as the originator's, or with the one that
    the APDU names. :class:`CodecError` if it cannot be taken apart.
    """
    layout, pairs = _layout(chain, apdu, tuple(titles))
    control = layout.control
    if control & COMPRESSION:
        return Closed("compressed (V.44), which is not taken apart here")
    if not control & Protection.BOTH:
        return Opened(layout.message.body, "", layout.title, None)
    said = (layout.title,) if layout.title else titles
    tried = [title for title in dict.fromkeys(said) if len(title) == IV_TITLE_LENGTH]
    candidates = list(pairs)
    if not candidates:
        return _unopened(layout, "no key for it")
    if not tried:
        return _unopened(layout, "the system title of its originator is not known")
    authenticated = control & Protection.AUTHENTICATED
    if authenticated:
        found = _verified(chain, layout, candidates, tried)
        if found is not None:
            return found
    found = _guessed(chain, layout, candidates, tried)
    if found is not None:
        return found
    names = ", ".join(dict.fromkeys(pair.name for pair in candidates))
    return _unopened(layout, f"no key fits: tried {names}")


def _verified(
    chain: KeyChain, layout: _Layout, pairs: list[Pair], titles: list[bytes]
) -> Opened | None:
    for pair in pairs:
        for title in titles if pair.ak is not None else ():
            try:
                plaintext = chain.open(pair, title, layout.message)
            except DlmsError:
                continue
            return Opened(plaintext, pair.name, title, True, pair)
    return None


def _guessed(
    chain: KeyChain, layout: _Layout, pairs: list[Pair], titles: list[bytes]
) -> Opened | None:
    """By encryption alone."""
    control = layout.control
    if not control & Protection.ENCRYPTED:
        return None
    authenticated = control & Protection.AUTHENTICATED
    body = layout.message.body[:-TAG_LENGTH] if authenticated else layout.message.body
    bare = layout.message._replace(control=control & ~Protection.AUTHENTICATED, body=body)
    for pair in pairs:
        for title in titles:
            try:
                plaintext = chain.open(pair, title, bare)
            except DlmsError:
                continue
            if is_apdu(plaintext, layout.promised):
                return Opened(plaintext, pair.name, title, False if authenticated else None, pair)
    return None


def _unopened(layout: _Layout, reason: str) -> Opened | Closed:
    """What is not encrypted can be read all the same."""
    if layout.control & Protection.ENCRYPTED:
        return Closed(reason)
    return Opened(layout.message.body[:-TAG_LENGTH], "", layout.title, False)


def _layout(
    chain: KeyChain, apdu: bytes, titles: tuple[bytes, ...]
) -> tuple[_Layout, Iterator[Pair]]:
    if apdu[0] == GENERAL_CIPHERING:
        general = decode_general_ciphering(apdu)
        extra = general.header_octets
        message = Message(general.control, general.counter, general.body, extra)
        header = general.header
        layout = _Layout(general.control, message, header.originator, None, header.recipient)
        parties = (header.originator, header.recipient, *titles)
        return layout, chain.message_pairs(general, parties, general.control & SUITE_MASK)
    found = decode_ciphered(apdu)
    message = Message(found.control, found.counter, found.body)
    layout = _Layout(found.control, message, found.title or b"", found.plain_tag)
    if found.family is Family.DEDICATED:
        return layout, chain.dedicated_pairs()
    broadcast = bool(found.control & KEY_SET_BROADCAST)
    return layout, chain.global_pairs((layout.title, *titles), broadcast=broadcast)


def is_apdu(octets: bytes, promised: int | None = None) -> bool:
    """Whether octets are an APDU from their first to their last."""
    if not octets or (promised is not None and octets[0] != promised):
        return False
    try:
        check_apdu(octets)
    except CodecError:
        return False
    return True


def check_apdu(octets: bytes) -> None:
    """:class:`CodecError` says what is wrong, and where, with an APDU of any kind."""
    tag = octets[0] if octets else -1
    if tag == AARQ:
        Aarq.decode(octets)
    elif tag == AARE:
        Aare.decode(octets)
    elif tag == RLRQ_TAG:
        Rlrq.decode(octets)
    elif tag == RLRE_TAG:
        Rlre.decode(octets)
    elif tag == GENERAL_SIGNING:
        decode_general_signing(octets)
    elif tag == GENERAL_CIPHERING:
        decode_general_ciphering(octets)
    elif is_ciphered(tag):
        decode_ciphered(octets)
    else:
        registry.decode(octets)


def dedicate(chain: KeyChain, found: Opened) -> None:
    """Learn the dedicated key, if what was opened is an InitiateRequest that has one."""
    if not found.plaintext.startswith(b"\x01\x01"):
        return
    try:
        key = InitiateRequest.decode(found.plaintext).dedicated_key
    except CodecError:
        return
    if key is not None and len(key) in (16, 32):
        chain.dedicate(key, None if found.pair is None else found.pair.ak)
