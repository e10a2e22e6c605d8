"""What is declared of a device under test, as the runner reads it.

The vendor's word: which associations there are, what may be done, what must be left alone. Keys are
named here and lie elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.axdr.data import Data
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor


class WayKind(Enum):
    """What is below the APDUs. The value is what a declaration says."""

    TCP = "tcp"
    TLS = "tls"
    UDP = "udp"
    HDLC = "hdlc"
    """HDLC over TCP."""
    SERIAL = "serial"
    """HDLC on a tty; ``host`` is its path."""
    OPTICAL = "optical"
    """A tty that begins with the mode E opening of IEC 62056-21."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredHdlc:
    """HDLC parameters: octets of a server address (1, 2, 4), its lower part, the longest
    information fields and windows of the *device*, and its time-outs in seconds (0: none).
    """

    address: int = 1
    physical: int = 0
    transmit: int = 128
    receive: int = 128
    window_transmit: int = 1
    window_receive: int = 1
    inactivity: float = 0.0
    inter_octet: float = 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredWay:
    """How the device is reached. ``ca``, ``certificate`` and ``key`` are paths of PEM files, for
    TLS: whom to believe, and who the tester is.
    """

    kind: WayKind
    host: str
    port: int = 0
    baud: int = 9600
    ca: str = ""
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredAssociation:
    """An association that the device offers. ``keys`` is a name in the key file, empty without
    keys; ``counter_from`` the logical name of the object that shows the counter. ``policy`` is what
    its requests must have, ``own_title`` the tester's system title there.
    """

    name: str
    client_sap: int
    server_sap: int
    context: ApplicationContext
    mechanism: Mechanism
    conformance: Conformance
    max_pdu_size: int = 0
    suite: int = 0
    policy: Protection = Protection.NONE
    dedicated: bool = False
    keys: str = ""
    own_title: bytes = b""
    counter_from: bytes = b""
    users: tuple[int, ...] = ()
    release: bool = True
    protected_release: bool = False
    security_setup: bytes = b""
    """Logical name of the Security setup object that rules it, empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalDevice:
    """``name`` is the logical device name, ``sap`` the server SAP."""

    sap: int
    name: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteData:
    """A value that may be written to an attribute, which is given back its own afterwards."""

    association: str
    attribute: AttributeDescriptor
    value: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """``pattern`` is an id, an alias, a group or a glob of ids that is not to be run."""

    pattern: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFailure:
    """The check ``id`` is known to fail on this device. If it passes, that is a failure: the
    declaration is not true any more.
    """

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds. ``answer``: how long an answer may take. ``silence``: how long nothing must come to
    be taken for silence where silence is right. ``patience``: the longest that a check may wait for
    a time-out of the device; a check that needs more is INCONCLUSIVE.
    """

    answer: float = 5.0
    silence: float = 0.25
    patience: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredClient:
    """A head end under test. ``command`` is run once for each task: ``{host}``, ``{port}`` and
    ``{task}`` stand for where our meter is and what is asked of it (read, block-read, clock,
    profile, rotate-keys, change-secret, image), ``{material}`` for a file with all that it must
    know, keys among it.
    """

    command: tuple[str, ...] = ()
    tasks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """All of it. ``features`` are those of the catalogue's words that are up, with numbers;
    ``titles`` of 8 octets. ``sta`` are the two attributes of SYMSEC's SecDataX, STA1 and STA2, with
    the association that writes them and what; empty if there are none. Paths of files are as they
    are opened.
    """

    name: str
    features: Mapping[str, int]
    way: DeclaredWay
    title: bytes = b""
    logical_devices: tuple[LogicalDevice, ...] = ()
    associations: tuple[DeclaredAssociation, ...] = ()
    hdlc: DeclaredHdlc = field(default_factory=DeclaredHdlc)
    timing: Timing = field(default_factory=Timing)
    key_file: str = ""
    writes: tuple[WriteData, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    expected: tuple[ExpectedFailure, ...] = ()
    image: str = ""
    client: DeclaredClient = field(default_factory=DeclaredClient)
    settings: Mapping[str, str] = field(default_factory=dict)
    """What only some checks ask for, as text: ``tls.suites``, ``tls.curves``, ``push.script``..."""
    sta: tuple[WriteData, ...] = ()

    def association(self, name: str) -> DeclaredAssociation:
        """:class:`KeyError` if there is none of that name."""
        for one in self.associations:
            if one.name == name:
                return one
        raise KeyError(name)
