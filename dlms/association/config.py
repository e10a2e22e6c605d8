"""What an association is agreed to be before the first octet passes (GB Ed. 8, 4.5.2, 9.2.7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dlms.acse.names import ApplicationContext, Mechanism, Referencing
from dlms.association.knobs import STRICT, Knobs
from dlms.errors import LocalProtocolError
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.security.hls import ManufacturerSteps
from dlms.security.key_choice import KeyChoice
from dlms.security.keys import KeyRef
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import MethodDescriptor
from dlms.xdlms.general_block import MAX_WINDOW

CURRENT_ASSOCIATION = bytes((0, 0, 40, 0, 0, 255))
ASSOCIATION_LN_CLASS = 15
PASS_3 = MethodDescriptor(ASSOCIATION_LN_CLASS, CURRENT_ASSOCIATION, 1)
"""reply_to_HLS_authentication of the current association: the one way to pass 3 (R-HLS-1)."""

_SHORT_NAMES = frozenset(
    context for context in ApplicationContext if context.referencing is Referencing.SHORT_NAME
)

TITLE_LENGTH = 8
MAX_USER = 0xFF
"""A user id is an unsigned of one octet (Blue Book, Association LN, user_list)."""


class AssociationKeys(NamedTuple):
    """The keys of one association.

    ``secret`` is for low level security and ``hls_secret`` for mechanisms 3, 4 and 6;
    ``signing_key`` is one's own and ``peer_public`` the peer's registered one, ``x ‖ y``. ``kek``,
    ``agreement_key`` and ``peer_agreement_public`` are for general-ciphering with keys of single
    messages.
    """

    guek: KeyRef | None = None
    gak: KeyRef | None = None
    secret: KeyRef | None = None
    hls_secret: KeyRef | None = None
    signing_key: KeyRef | None = None
    peer_public: bytes | None = None
    gbek: KeyRef | None = None
    kek: KeyRef | None = None
    agreement_key: KeyRef | None = None
    peer_agreement_public: bytes | None = None

    def lacks_for(self, mechanism: Mechanism) -> str:
        """What ``mechanism`` needs of one's own and is not here; empty if nothing."""
        needed = {
            Mechanism.LLS: ("secret", self.secret),
            Mechanism.HLS_MD5: ("HLS secret", self.hls_secret),
            Mechanism.HLS_SHA1: ("HLS secret", self.hls_secret),
            Mechanism.HLS_SHA256: ("HLS secret", self.hls_secret),
            Mechanism.HLS_ECDSA: ("signing key", self.signing_key),
        }.get(mechanism)
        return "" if needed is None or needed[1] is not None else needed[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Config:
    """What both ends agree on.

    ``pre_established`` associations need no AARQ and know no release; ``broadcast`` ones use the
    global broadcast key and are never answered. ``certificate`` is one's own signature certificate
    (DER) to send to a peer who does not know it, ``anchors`` are those that the peer's must lead to
    (mechanism 7). ``manufacturer`` computes mechanism 2. ``block_window`` is how many general
    blocks are taken in one stream, 1 to 63.
    """

    client_sap: int
    server_sap: int
    context: ApplicationContext
    mechanism: Mechanism
    conformance: Conformance
    suite: int = 0
    pre_established: bool = False
    broadcast: bool = False
    certificate: bytes | None = None
    anchors: tuple[bytes, ...] = ()
    manufacturer: ManufacturerSteps | None = None
    block_window: int = 1
    knobs: Knobs = STRICT

    @property
    def needs_title(self) -> bool:
        """Whether the parties must say who they are: titles are part of what is computed."""
        return self.context.ciphered or self.mechanism in TITLE_MECHANISMS

    @property
    def needs_key(self) -> bool:
        """Whether a global key is used."""
        return self.context.ciphered or self.mechanism is Mechanism.HLS_GMAC

    @property
    def short_names(self) -> bool:
        return self.context in _SHORT_NAMES

    def check(self) -> None:
        """:class:`LocalProtocolError` if this cannot be."""
        if self.pre_established and self.mechanism is not Mechanism.NONE:
            raise LocalProtocolError("a pre-established association has no authentication")
        if self.broadcast and self.mechanism.is_hls:
            raise LocalProtocolError("HLS takes answers, and a broadcast has none")
        if not 1 <= self.block_window <= MAX_WINDOW:
            raise LocalProtocolError(f"a window has 1 to {MAX_WINDOW} blocks")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig(_Config):
    """One association that a logical device offers.

    ``policy`` is the least protection of every request and, unless ``response_policy`` says
    otherwise, of every response. ``client_title`` is the system title registered for the client;
    ``None`` admits any. PDU sizes are in octets. ``unconfirmed`` says whether an AARQ may ask for
    no response. ``users`` are the ids in user_list; ``None`` identifies no users.
    """

    max_pdu_size: int = 1024
    policy: Protection = Protection.NONE
    response_policy: Protection | None = None
    client_title: bytes | None = None
    protected_release: bool = False
    unconfirmed: bool = False
    users: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig(_Config):
    """One association that a client wants.

    ``protection`` is applied to every request and demanded of every response. ``key_choice`` goes
    with ``Form.CIPHERING``. With
    ``dedicated`` a dedicated key is generated under that reference and used for everything after
    the association is open. ``server_title`` is checked if it is known beforehand. ``confirmed`` is
    whether the AARQ asks for a response; ``user`` is the id sent for user identification. A
    challenge is made longer than ``challenge_length`` where the mechanism wants that. With
    ``always_in_blocks`` every request goes in general blocks where they were negotiated: the server
    learns of ``block_window`` before it answers, so that it can stream.
    """

    own_title: bytes | None = None
    server_title: bytes | None = None
    max_pdu_size: int = 0xFFFF
    protection: Protection = Protection.BOTH
    form: Form = Form.SERVICE
    key_choice: KeyChoice = KeyChoice.UNICAST
    dedicated: KeyRef | None = None
    challenge_length: int = 16
    confirmed: bool = True
    user: int | None = None
    always_in_blocks: bool = False

    def check(self) -> None:
        """:class:`LocalProtocolError` if this cannot be."""
        # Not super(): a dataclass with slots is another class than the one that it is written in.
        _Config.check(self)
        if self.broadcast and self.confirmed and not self.pre_established:
            raise LocalProtocolError("a broadcast has no answers: nothing confirms its AARQ")


TITLE_MECHANISMS = (Mechanism.HLS_GMAC, Mechanism.HLS_SHA256, Mechanism.HLS_ECDSA)
"""Mechanisms whose computation contains the system titles (GB Ed. 8, Table 42)."""
