"""What one party of an HLS authentication knows before passes 3 and 4 (GB Ed. 8, 9.2.2.2.2.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from dlms.errors import CodecError, LocalProtocolError
from dlms.security.keys import KeyRef
from dlms.security.ops import Curve, Step
from dlms.security.protect import SecurityContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Titles and challenges of both parties, and what each mechanism authenticates with.

    ``mechanism`` is the authentication-mechanism-id (Table 75). ``peer_challenge`` is the one to
    answer, ``own_challenge`` the one the peer has to answer. ``secret`` is for mechanisms 3, 4 and
    6, ``context`` for 5, ``signing_key``, ``peer_public`` (``x ‖ y``) and ``curve`` are for 7 and
    ``manufacturer`` for 2.
    """

    mechanism: int
    own_challenge: bytes
    peer_challenge: bytes
    own_title: bytes | None = None
    peer_title: bytes | None = None
    secret: KeyRef | None = None
    context: SecurityContext | None = None
    signing_key: KeyRef | None = None
    peer_public: bytes | None = None
    curve: Curve | None = None
    manufacturer: ManufacturerSteps | None = None

    def titles(self) -> tuple[bytes, bytes]:
        """Own title and the peer's. :class:`CodecError` if one is not known (R-HLS-7)."""
        if self.own_title is None:
            raise LocalProtocolError("this mechanism needs a system title of one's own")
        if self.peer_title is None:
            raise CodecError("the peer's system title is not known", field="f(challenge)")
        return self.own_title, self.peer_title


class ManufacturerSteps(NamedTuple):
    """Mechanism 2, which the standard leaves to the manufacturer.

    ``answer`` computes f of the peer's challenge. ``verify`` judges the peer's f of ours and raises
    :class:`CodecError` or :class:`~dlms.security.ops.VerificationFailed` if it is not right.
    """

    answer: Callable[[Exchange], Step[bytes]]
    verify: Callable[[Exchange, bytes], Step[None]]
