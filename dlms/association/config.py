"""What an association is agreed to be before the first octet passes (GB Ed. 8, 4.5.2, 9.2.7.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.security.keys import KeyRef
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import MethodDescriptor

CURRENT_ASSOCIATION = bytes((0, 0, 40, 0, 0, 255))
ASSOCIATION_LN_CLASS = 15
PASS_3 = MethodDescriptor(ASSOCIATION_LN_CLASS, CURRENT_ASSOCIATION, 1)
"""reply_to_HLS_authentication of the current association: the one way to pass 3 (R-HLS-1)."""

TITLE_LENGTH = 8


class AssociationKeys(NamedTuple):
    """The keys of one association. ``secret`` is for low level security."""

    guek: KeyRef | None = None
    gak: KeyRef | None = None
    secret: KeyRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """One association that a logical device offers.

    ``policy`` is the least protection of every message. ``client_title`` is the system title
    registered for the client; ``None`` admits any. PDU sizes are in octets. With
    ``hls_counter_may_repeat`` f(StoC) may have the counter of the APDU that carries it: some
    clients repeat their initialization vector there (R-IC-9).
    """

    client_sap: int
    server_sap: int
    context: ApplicationContext
    mechanism: Mechanism
    conformance: Conformance
    max_pdu_size: int = 1024
    suite: int = 0
    policy: Protection = Protection.NONE
    client_title: bytes | None = None
    protected_release: bool = False
    hls_counter_may_repeat: bool = False

    @property
    def needs_title(self) -> bool:
        """Whether the client must say who it is: its title is part of every vector."""
        return self.context.ciphered or self.mechanism in TITLE_MECHANISMS


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """One association that a client wants.

    ``protection`` is applied to every request and demanded of every response. With
    ``dedicated`` a dedicated key is generated under that reference and used for everything after
    the association is open. ``server_title`` is checked if it is known beforehand.
    """

    client_sap: int
    server_sap: int
    context: ApplicationContext
    mechanism: Mechanism
    conformance: Conformance
    own_title: bytes | None = None
    server_title: bytes | None = None
    max_pdu_size: int = 0xFFFF
    suite: int = 0
    protection: Protection = Protection.BOTH
    form: Form = Form.SERVICE
    dedicated: KeyRef | None = None
    challenge_length: int = 16

    @property
    def needs_keys(self) -> bool:
        return self.context.ciphered or self.mechanism in TITLE_MECHANISMS


TITLE_MECHANISMS = (Mechanism.HLS_GMAC, Mechanism.HLS_SHA256, Mechanism.HLS_ECDSA)
"""Mechanisms whose computation contains the system titles (GB Ed. 8, Table 42)."""
