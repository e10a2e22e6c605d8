"""Protection by several parties, one layer inside the other (GB Ed. 8, 9.2.7.3).

A party signs first and then ciphers, so general-signing stands inside general-ciphering; and a
client passes the protected message of a third party on inside its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from dlms.errors import CodecError
from dlms.octets import Reader
from dlms.security.control import Protection
from dlms.security.general_ciphering import GENERAL_CIPHERING
from dlms.security.general_context import GeneralContext
from dlms.security.general_header import GeneralHeader, read_header
from dlms.security.general_protection import OpenedGeneral, open_general
from dlms.security.general_signing import GENERAL_SIGNING, Signed, open_signed
from dlms.security.ops import Step, Use

MAX_LAYERS = 4
"""A client and a third party behind it, each of which has signed and ciphered."""

Contexts: TypeAlias = Callable[[GeneralHeader], GeneralContext | None]
"""The context for messages of ``header.originator``, if that party is known."""


class Peeled(NamedTuple):
    """An APDU without its general-ciphering and general-signing layers.

    ``layers`` are those that were removed, the outermost first.
    """

    apdu: bytes
    layers: tuple[OpenedGeneral | Signed, ...]

    @property
    def ciphered(self) -> bool:
        """Whether there was a general-ciphering layer, though perhaps without protection."""
        return any(isinstance(layer, OpenedGeneral) for layer in self.layers)

    @property
    def signed(self) -> bool:
        """Whether any party has signed it."""
        return any(isinstance(layer, Signed) for layer in self.layers)


def is_general_layer(tag: int) -> bool:
    return tag in (GENERAL_CIPHERING, GENERAL_SIGNING)


def open_layers(
    contexts: Contexts,
    octets: bytes,
    use: Use,
    *,
    required: Protection = Protection.NONE,
) -> Step[Peeled]:
    """Remove the layers around an APDU, each with the context of its own originator.

    ``required`` is what the outermost general-ciphering must give, and is judged before it is
    opened. Where there is none (``Peeled.ciphered``) it is for the caller to judge what is inside,
    which may still be ciphered in another form.

    Raises what :func:`~dlms.security.general_protection.open_general` and
    :func:`~dlms.security.general_signing.open_signed` do, and :class:`CodecError` if a party is not
    known or there are too many layers. Layers that had been removed by then were in order, and
    their counters have moved.
    """
    return (yield from _peel(contexts, octets, use, required, ()))


def _peel(
    contexts: Contexts,
    octets: bytes,
    use: Use,
    required: Protection,
    layers: tuple[OpenedGeneral | Signed, ...],
) -> Step[Peeled]:
    tag = Reader(octets).peek("APDU")
    if not is_general_layer(tag):
        return Peeled(octets, layers)
    if len(layers) == MAX_LAYERS:
        raise CodecError(f"more than {MAX_LAYERS} layers", offset=0, field="APDU")
    header, _ = read_header(Reader(octets, 1))
    context = contexts(header)
    if context is None:
        raise CodecError("not a party known here", offset=1, field="originator-system-title")
    layer: OpenedGeneral | Signed
    if tag == GENERAL_SIGNING:
        layer = yield from open_signed(context, octets, use)
    else:
        layer = yield from open_general(context, octets, use, required=required)
        required = Protection.NONE
    return (yield from _peel(contexts, layer.apdu, use, required, (*layers, layer)))
