"""All that may be around an APDU: ciphering in each of its forms, and signatures, one layer inside
the other (GB Ed. 8, 9.2.7.3).

A party signs first and then ciphers. A client may pass the protected message of a third party on
inside its own. No party protects a message twice the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from dlms.errors import CodecError, LocalProtocolError
from dlms.octets import Reader
from dlms.security.ciphered import TAGS, Family, Form, is_ciphered
from dlms.security.control import Protection
from dlms.security.general_ciphering import GENERAL_CIPHERING
from dlms.security.general_context import GeneralContext
from dlms.security.general_header import GeneralHeader, read_header
from dlms.security.general_protection import OpenedGeneral, open_general, protect_general
from dlms.security.general_signing import GENERAL_SIGNING, Signed, open_signed, sign_general
from dlms.security.key_choice import KeyChoice
from dlms.security.keys import KeyRef
from dlms.security.ops import Random, Step, Use
from dlms.security.protect import Opened, Shape, TooWeak, open_ciphered, protect

MAX_LAYERS = 4
"""A client and a third party behind it, each of which has signed and ciphered."""

TRANSACTION_ID_LENGTH = 8
"""Octets of a transaction-id of ours: random, for it may be the nonce of a key agreement."""

Contexts: TypeAlias = Callable[[GeneralHeader], GeneralContext | None]
"""The context for messages of ``header.originator``, if that party is known."""

Ciphering: TypeAlias = Opened | OpenedGeneral
Layer: TypeAlias = Ciphering | Signed

_SIGNED = int(Protection.SIGNED)


class Peeled(NamedTuple):
    """An APDU without its layers; ``layers`` are those that were removed, the outermost first."""

    apdu: bytes
    layers: tuple[Layer, ...]

    @property
    def protection(self) -> Protection:
        """What the outermost ciphering gives, and whether any party has signed it."""
        ciphering = self.ciphering
        protection = Protection.NONE if ciphering is None else ciphering.protection
        signed = any(isinstance(layer, Signed) for layer in self.layers)
        return protection | Protection.SIGNED if signed else protection

    @property
    def ciphering(self) -> Ciphering | None:
        """The outermost ciphering, though perhaps without protection."""
        for layer in self.layers:
            if not isinstance(layer, Signed):
                return layer
        return None


def is_general_layer(tag: int) -> bool:
    return tag in (GENERAL_CIPHERING, GENERAL_SIGNING)


def is_layer(tag: int) -> bool:
    """Whether an APDU with this tag has another inside of it, protected."""
    return is_ciphered(tag) or is_general_layer(tag)


def has_header(shape: Shape) -> bool:
    """Whether such a message says from whom to whom it is, and in which transaction."""
    return shape.form is Form.CIPHERING or bool(int(shape.protection) & _SIGNED)


def in_transaction(shape: Shape, use: Use) -> Step[Shape]:
    """``shape`` with a transaction-id, a new one if it has none."""
    if shape.transaction_id:
        return shape
    transaction_id: bytes = yield Random(use, TRANSACTION_ID_LENGTH)
    return shape._replace(transaction_id=transaction_id)


# Putting layers around -----------------------------------------------------------------------


def protect_layers(
    context: GeneralContext, apdu: bytes | tuple[bytes | KeyRef, ...], shape: Shape, use: Use
) -> Step[bytes]:
    """Sign and cipher ``apdu`` as ``shape`` says.

    :class:`LocalProtocolError` if the context has not got what that takes.
    """
    if not has_header(shape):
        return (yield from protect(context.security, apdu, shape, use))
    shape = yield from in_transaction(shape, use)
    broadcast = shape.family is Family.BROADCAST
    header = context.header(shape.transaction_id, broadcast=broadcast)
    protection = shape.protection.octet
    if int(shape.protection) & _SIGNED:
        if not isinstance(apdu, bytes):
            raise LocalProtocolError("what carries a key is not signed")
        apdu = yield from sign_general(context, apdu, header, use)
        if not protection:
            return apdu
    if shape.form is not Form.CIPHERING:
        # Signed APDUs have no service-specific form.
        general = shape._replace(form=Form.GENERAL, protection=protection)
        return (yield from protect(context.security, apdu, general, use))
    choice = KeyChoice.BROADCAST if broadcast else shape.choice
    if not protection:
        choice = KeyChoice.NONE
    return (yield from protect_general(context, apdu, header, choice, protection, use))


# Taking them off -----------------------------------------------------------------------------


def open_layers(
    context: GeneralContext,
    octets: bytes,
    use: Use,
    lift: KeyRef | None = None,
    *,
    required: Protection = Protection.NONE,
    third_parties: Contexts | None = None,
) -> Step[Peeled]:
    """Remove the layers around an APDU, each with the context of its own originator.

    ``context`` is that of the peer, ``third_parties`` those of others. Of ``required``, what the
    outermost ciphering must give is judged before it is opened, the signature in the end. ``lift``
    is as in :class:`~dlms.security.ops.Open`.

    Where a party has done the same twice, the rest is left as it is.

    Raises what :func:`~dlms.security.protect.open_ciphered`,
    :func:`~dlms.security.general_protection.open_general` and
    :func:`~dlms.security.general_signing.open_signed` do, and :class:`CodecError` if a party is not
    known. Layers that had been removed by then were in order, and their counters have moved.
    """
    if octets and octets[0] in TAGS:  # nothing but this one layer can be around the APDU
        only = yield from open_ciphered(context.security, octets, use, lift, required=required)
        return Peeled(only.apdu, (only,))
    layers: list[Layer] = []
    seen: set[tuple[bytes | None, bool]] = set()
    apdu, still = octets, required.octet
    while is_layer(tag := Reader(apdu).peek("APDU")):
        party, signature = _party(context, apdu, tag, third_parties), tag == GENERAL_SIGNING
        mark = party.security.peer_title, signature
        if mark in seen or len(layers) == MAX_LAYERS:
            break  # what is left is protected still, and so no service
        seen.add(mark)
        layer: Layer
        if signature:
            layer = yield from open_signed(party, apdu, use)
        elif tag == GENERAL_CIPHERING:
            layer = yield from open_general(party, apdu, use, lift, required=still)
        else:
            layer = yield from open_ciphered(party.security, apdu, use, lift, required=still)
        if not signature:
            still = Protection.NONE
        layers.append(layer)
        apdu = layer.apdu
    peeled = Peeled(apdu, tuple(layers))
    if int(required) & ~int(peeled.protection):
        raise TooWeak("protected less than required", field="APDU")
    return peeled


def _party(
    context: GeneralContext, octets: bytes, tag: int, third_parties: Contexts | None
) -> GeneralContext:
    """Whose layer it is. The forms that name nobody else are the peer's own."""
    if not is_general_layer(tag):
        return context
    header, _ = read_header(Reader(octets, 1))
    if not header.originator or header.originator == context.security.peer_title:
        return context
    party = None if third_parties is None else third_parties(header)
    if party is None:
        raise CodecError("not a party known here", offset=1, field="originator-system-title")
    return party
