"""What the parts of decoding hand on: octets with when, which way and from where."""

from __future__ import annotations

from typing import NamedTuple


class Chunk(NamedTuple):
    """Octets of one connection in their order. ``forward`` is from whoever has opened it, ``None``
    where nothing says; ``at`` is in seconds, ``packet`` the number of the packet in its capture.
    ``lost`` octets are missing in front of them.
    """

    octets: bytes
    forward: bool | None = None
    at: float | None = None
    packet: int | None = None
    lost: int = 0


class Line(NamedTuple):
    """A connection, or the datagrams between two ends: ``caller`` and ``called`` as they are shown.

    ``whole`` says that each chunk stands for itself, as a datagram or an APDU in a file does.
    ``notes`` are what there is to say of it besides.
    """

    caller: str
    called: str
    chunks: tuple[Chunk, ...]
    whole: bool = False
    notes: tuple[str, ...] = ()
