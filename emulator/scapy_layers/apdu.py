"""Finding the layer of an APDU by its first octets.

Every layer of an APDU has itself entered with :func:`apdu`. One that no layer knows stays as its
tag and octets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from scapy.config import conf
from scapy.fields import XByteField
from scapy.packet import Packet

from dlms.security.ciphered import TAGS
from emulator.scapy_layers.parts import Layer

LAYERS: dict[tuple[int, int | None], type[Packet]] = {}
"""By the tag, and by the choice behind it where there are several forms."""

P = TypeVar("P", bound=type[Packet])


def apdu(tag: int, choice: int | None = None) -> Callable[[P], P]:
    """Enter a layer: it begins with these octets."""

    def enter(layer: P) -> P:
        LAYERS[tag, choice] = layer
        return layer

    return enter


class Apdu(Packet):
    """Any APDU: ``Apdu(octets)`` is of the class that its first octets say."""

    name = "DLMS/COSEM APDU"
    fields_desc = [XByteField("tag", 0)]

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *args: Any, **kargs: Any) -> type[Packet]:
        return layer_of(_pkt) if _pkt and cls is Apdu else cls


def layer_of(octets: bytes) -> type[Packet]:
    """The layer of an APDU; :class:`Apdu` if there is none for it."""
    tag = octets[0]
    found = LAYERS.get((tag, None))
    if found is None:
        found = LAYERS.get((tag, octets[1] if len(octets) > 1 else None))
    return found or Apdu


class Service(Layer):
    """What a layer of an APDU is: behind it comes nothing."""

    name = "xDLMS APDU"

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        return b"", s


def known(tag: int) -> bool:
    """Whether an APDU may begin with this octet."""
    return tag in TAGS or any(one == tag for one, _ in LAYERS)


def apdu_in(octets: bytes) -> Packet:
    """An APDU inside another. Where it cannot be taken apart it stays octets."""
    try:
        if octets:
            return Apdu(octets)
    except Exception:
        if conf.debug_dissector:
            raise
    found: Packet = conf.raw_layer(load=octets)
    return found
