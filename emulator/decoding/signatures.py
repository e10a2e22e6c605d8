"""The signature of general-signing (GB Ed. 8, 9.2.7.2.5): whose it is, if a key at hand fits.

A signature does not name its key, and one that fits no key may be of another party's, or of octets
that were changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dlms.errors import CodecError
from dlms.security.general_signing import GENERAL_SIGNING, GeneralSigned, decode_general_signing
from dlms.security.layers import MAX_LAYERS
from dlms.security.ops import CryptoFailure, Curve, Verify
from dlms.security.use import Use
from emulator.decoding.keys import KeyChain
from emulator.modules import keyless

CURVES = {2 * curve.value: curve for curve in Curve}
"""By the octets of R and S."""


class Signature(NamedTuple):
    """Of the APDU at octet ``start``. ``by`` is the name of the key that verifies it, empty if none
    of those that were ``tried`` does.
    """

    start: int
    curve: Curve
    originator: bytes
    by: str
    tried: tuple[str, ...]
    with_length: bool = True
    """Whether the length of the content is signed, as it is by the book."""

    @property
    def is_wrong(self) -> bool:
        """Keys were there, and none fits."""
        return bool(self.tried) and not self.by

    def __str__(self) -> str:
        head = f"signature of the APDU at octet {self.start}, {self.curve.name}"
        by = self.originator.hex().upper() or "nobody who is named"
        if self.by:
            without = "" if self.with_length else ", without the length of the content"
            return f"{head}: verified with {self.by}, of originator {by}{without}"
        if self.tried:
            return f"{head}: does not verify: tried {', '.join(self.tried)}"
        return f"{head}: not checked: no public key of its originator {by}"


def signatures(chain: KeyChain, octets: bytes) -> Iterator[Signature]:
    """Those of the APDU and of what is signed in it, from the outside in, as far as they are not
    beneath ciphering. What cannot be taken apart has none.
    """
    start = 0
    for _ in range(MAX_LAYERS):
        if octets[:1] != bytes((GENERAL_SIGNING,)):
            return
        try:
            message = decode_general_signing(octets)
        except CodecError:
            return
        yield _checked(chain, message, start)
        start += 1 + len(message.head)
        octets = message.content


def _checked(chain: KeyChain, message: GeneralSigned, start: int) -> Signature:
    curve = CURVES[len(message.signature)]
    header = message.header
    tried = []
    for name, public in chain.signers((header.originator, header.recipient)):
        if len(public) != 2 * curve.value:
            continue  # of the other curve
        tried.append(name)
        for head in (message.head, message.head[: -message.length_octets]):
            signed = head + message.content
            try:
                keyless.verify(Verify(Use.OPEN_REQUEST, curve, public, signed, message.signature))
            except CryptoFailure:
                continue
            whole = head == message.head
            return Signature(start, curve, header.originator, name, tuple(tried), whole)
    return Signature(start, curve, header.originator, "", tuple(tried))
