"""What whoever asks for a draft has said: how to reach the meter, and the association to open."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.security.control import Protection
from emulator.conformance.declaration.model import DeclaredHdlc, DeclaredWay, Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """``association`` is the name that the opened association is to have. ``protection`` is how its
    requests are protected, ``counter_from`` the object that shows its counter.
    """

    name: str
    way: DeclaredWay
    hdlc: DeclaredHdlc = field(default_factory=DeclaredHdlc)
    timing: Timing = field(default_factory=Timing)
    association: str = "public"
    client_sap: int = 16
    server_sap: int = 1
    context: ApplicationContext = ApplicationContext.LN
    mechanism: Mechanism = Mechanism.NONE
    suite: int = 0
    protection: Protection = Protection.NONE
    dedicated: bool = False
    keys: str = ""
    key_file: str = ""
    own_title: bytes = b""
    counter_from: bytes = b""
    user: int | None = None
