"""How to associate, in a caller's words, and what is taken where they say nothing."""

from __future__ import annotations

from typing import TypedDict

from dlms.acse.names import Mechanism
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.association.knobs import Knobs
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.key_choice import KeyChoice
from dlms.xdlms.conformance import Conformance
from emulator.client.keys import Keys

PUBLIC_CLIENT = 16
"""Client SAP of the public client (GB Ed. 8, 4.5.3.3)."""
MANAGEMENT_DEVICE = 1
"""Server SAP of the management logical device."""

MAX_PDU_SIZE = 0xFFFF
"""Octets; the most that can be said."""

BLOCK_WINDOW = 16
"""General blocks in one stream unless the caller says how many."""

OFFERED = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.ACCESS
    | Conformance.SELECTIVE_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.GENERAL_PROTECTION
    | Conformance.DATA_NOTIFICATION
    | Conformance.EVENT_NOTIFICATION
    | Conformance.GENERAL_BLOCK_TRANSFER
)
"""Services proposed unless the caller says which: what the dialogues can do."""

OFFERED_BY_SHORT_NAME = (
    Conformance.READ
    | Conformance.WRITE
    | Conformance.UNCONFIRMED_WRITE
    | Conformance.PARAMETERIZED_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.GENERAL_PROTECTION
)
"""The same where short names are used."""


class Options(TypedDict, total=False):
    """How to associate; all may be left out.

    ``client_sap``, ``server_sap``
        16, the public client, and 1, the management logical device.
    ``mechanism``
        A :class:`Mechanism` or its name: ``"none"``, ``"lls"``, ``"hls-gmac"``, ...
    ``keys``
        :class:`Keys`, octets that go into a module made for this association; or
        :class:`AssociationKeys`, references into the modules of the caller's own runner.
    ``own_title``, ``server_title``
        System titles of 8 octets. The meter's is checked if it is given, else learned.
    ``ciphered``
        Whether the context is a ciphered one; by default if there is a ``guek`` (``gbek``).
    ``suite``, ``dedicated``
        The security suite; whether a dedicated key is used.
    ``protection``
        Of every request, and demanded of every response: ``Protection.BOTH`` unless the caller says
        otherwise. ``Protection.BOTH | Protection.SIGNED`` signs each request besides, and
        ``Protection.SIGNED`` does nothing else; that takes suite 1 or 2, a ``signing_key``, and the
        meter's ``peer_public`` to verify with.
    ``form``
        The dialect of ciphering: a :class:`Form` or its name, ``"service"``, ``"general"``
        (general-glo- and general-ded-ciphering) or ``"general-ciphering"``.
    ``key_choice``
        Which key a message by general-ciphering has, a :class:`KeyChoice` or its name:
        ``"unicast"``, the global one; ``"wrapped"``, a new one for each message under the master
        key (``kek``); ``"one-pass"`` and ``"static"``, agreed for each message, C(1e, 1s) and
        C(0e, 2s). Agreed keys take suite 1 or 2, an ``agreement_key`` and
        ``peer_agreement_public``, one-pass ones ``signing_key`` and ``peer_public`` as well. With
        one of these ``form`` need not be said.
    ``short_names``
        Short name referencing. ``counter_from`` is read by logical names all the same.
    ``confirmed``, ``broadcast``, ``pre_established``
        Whether the AARQ asks for a response; without one there are unconfirmed services only.
        Whether all is under the broadcast key (``gbek``) and never answered. Whether the
        association is there without AARQ; a ciphered one needs the ``server_title`` for answers.
    ``conformance``
        Services to propose; by default all that the client can do.
    ``max_pdu_size``
        Octets of an APDU that the client can receive; what is longer comes in blocks.
    ``block_window``, ``always_in_blocks``
        How many general blocks the client takes in one stream, 1 to 63; whether every request goes
        in general blocks where the meter has them, so that it knows the window at once, and what is
        lost on the way is said again. Else only what is too long otherwise does.
    ``user``, ``certificate``, ``anchors``, ``knobs``
        As :class:`ClientConfig` says.
    ``config``
        A whole :class:`ClientConfig` instead of everything above but ``keys``.
    ``counters``
        Where invocation counters are kept, for example
        :class:`~emulator.counter_file.FiledCounters`; by default in this process.
    ``counter``
        The lowest counter to send next.
    ``counter_from``
        The object in which the meter says what counter it accepts, ``"0-0:43.1.1.255"``: read
        first, as the public client. Nobody protects that value: it moves ours forward only.
    ``timeout``
        Seconds that the meter may take for each answer. What goes in general blocks is said again
        then, up to 8 times.
    """

    client_sap: int
    server_sap: int
    mechanism: Mechanism | str
    keys: Keys | AssociationKeys
    own_title: bytes
    server_title: bytes
    ciphered: bool
    protection: Protection
    form: Form | str
    key_choice: KeyChoice | str
    dedicated: bool
    suite: int
    short_names: bool
    confirmed: bool
    broadcast: bool
    pre_established: bool
    conformance: Conformance
    max_pdu_size: int
    block_window: int
    always_in_blocks: bool
    user: int
    certificate: bytes
    anchors: tuple[bytes, ...]
    knobs: Knobs
    config: ClientConfig
    counters: InvocationCounters
    counter: int
    counter_from: str | bytes
    timeout: float
