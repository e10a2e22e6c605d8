"""From what a caller says about an association to what the protocol core needs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.association.knobs import STRICT
from dlms.cosem import classes
from dlms.security.control import Protection
from dlms.security.counters import MAXIMUM, InvocationCounters
from dlms.security.keys import KeyRef
from dlms.security.ops import CryptoOp
from dlms.words import member
from emulator.client.errors import MeterFault
from emulator.client.keys import (
    PROCESS,
    Keys,
    PlaceCounters,
    dedicated_key,
    module_with,
    named_by_fingerprint,
    octets_of,
)
from emulator.client.meter_client import RESPONSE_TIMEOUT
from emulator.client.options import (
    BLOCK_WINDOW,
    MANAGEMENT_DEVICE,
    MAX_PDU_SIZE,
    OFFERED,
    OFFERED_BY_SHORT_NAME,
    PUBLIC_CLIENT,
    Options,
)
from emulator.client.protecting import check_keys, ways
from emulator.modules.keyring import KeyRing

Execute: TypeAlias = Callable[[CryptoOp], Any]
"""Carries out an operation: :meth:`emulator.modules.module.CryptoModule.execute`."""

COUNTER_CLASS = classes.DATA.class_id
"""Class of the objects that show an invocation counter."""

MAX_JUMP = 1 << 24
"""How far a counter that nobody has protected may move ours forward at once: who forges it could
use up a key (KL-IC-17). Other clients send no 16 million messages meanwhile.
"""

_labels = itertools.count()


class Plan(NamedTuple):
    """An association to be. ``execute`` and ``ring`` are ``None`` where the caller's runner has the
    keys.
    """

    config: ClientConfig
    keys: AssociationKeys
    counters: InvocationCounters
    execute: Execute | None
    counter_from: str | bytes | None
    timeout: float
    ring: KeyRing | None = None

    def lasting(self, made: KeyRef) -> KeyRef:
        """The name that a new key keeps."""
        return made if self.ring is None else named_by_fingerprint(self.ring, made)

    def octets(self, keys: AssociationKeys) -> Keys:
        """``ValueError`` if they are in a module of the caller's."""
        if self.ring is None:
            raise ValueError("keys by reference are in the module that has them")
        return octets_of(self.ring, keys)

    def association(self) -> ClientAssociation:
        """The client's end of it, not open yet."""
        label = f"{next(_labels)}"
        return ClientAssociation(self.config, self.keys, self.counters, label=label)

    def take_counter(self, value: object) -> None:
        """Move the send counter to what the meter says. :class:`MeterFault` if it cannot be."""
        key = sending_key(self.config, self.keys)
        assert key is not None  # plan() has checked
        ours = self.counters.next_to_send(key)
        if not isinstance(value, int) or not 0 <= value < MAXIMUM:
            raise MeterFault("the meter's invocation counter object holds no counter")
        if ours and value - ours > MAX_JUMP:
            raise MeterFault(f"the meter's invocation counter is {value}, ours {ours}: too far")
        # Some meters show the last counter they saw, some the next one: beyond both is right.
        self.counters.raise_to(key, value + 1)


def plan(place: str, how: Options) -> Plan:
    """``place`` names the meter where its title is not known.

    ``ValueError`` if the parts do not go together; so does a ciphered association of which nobody
    says where its counter begins: from 0, it would repeat initialization vectors.
    """
    given = how.get("keys", Keys())
    config = how.get("config") or _config(how, given)
    store = how.get("counters", PROCESS)
    execute: Execute | None = None
    ring: KeyRing | None = None
    if isinstance(given, Keys):
        keys, module, ring = module_with(given, config.suite)
        execute = module.execute
        meter = config.server_title.hex().upper() if config.server_title else place
        counters: InvocationCounters = PlaceCounters(store, meter)
    else:
        keys, counters = given, store
    check_keys(config, keys)
    counter, counter_from = how.get("counter"), how.get("counter_from")
    key = sending_key(config, keys)
    if key is not None:
        if counter is not None:
            counters.raise_to(key, counter)
        elif counter_from is None and store is PROCESS and not counters.next_to_send(key):
            raise ValueError("say where the counter begins: counter, counter_from or counters")
    elif counter is not None or counter_from is not None:
        raise ValueError("a counter goes with an encryption key only")
    timeout = how.get("timeout", RESPONSE_TIMEOUT)
    return Plan(config, keys, counters, execute, counter_from, timeout, ring)


def sending_key(config: ClientConfig, keys: AssociationKeys) -> KeyRef | None:
    """Whose counter is used to send. ``ValueError`` if there should be such a key and is none."""
    if not config.needs_key:
        return None
    key = keys.gbek if config.broadcast else keys.guek
    if key is None:
        wanted = "gbek" if config.broadcast else "guek"
        raise ValueError(
            f"a ciphered context, and HLS with GMAC, need an encryption key ({wanted})"
        )
    return key


def public(config: ClientConfig, timeout: float) -> Options:
    """The public client of the same logical device, which may read the counter object."""
    return Options(client_sap=PUBLIC_CLIENT, server_sap=config.server_sap, timeout=timeout)


def _config(how: Options, keys: Keys | AssociationKeys) -> ClientConfig:
    form, choice = ways(how.get("form"), how.get("key_choice"))
    broadcast = how.get("broadcast", False)
    ciphered = how.get("ciphered", (keys.gbek if broadcast else keys.guek) is not None)
    short = how.get("short_names", False)
    naming, ciphering = "SN" if short else "LN", "_CIPHERED" if ciphered else ""
    return ClientConfig(
        client_sap=how.get("client_sap", PUBLIC_CLIENT),
        server_sap=how.get("server_sap", MANAGEMENT_DEVICE),
        context=ApplicationContext[naming + ciphering],
        mechanism=member(Mechanism, how.get("mechanism", Mechanism.NONE)),
        conformance=how.get("conformance", OFFERED_BY_SHORT_NAME if short else OFFERED),
        suite=how.get("suite", 0),
        certificate=how.get("certificate"),
        anchors=how.get("anchors", ()),
        knobs=how.get("knobs", STRICT),
        own_title=how.get("own_title"),
        server_title=how.get("server_title"),
        max_pdu_size=how.get("max_pdu_size", MAX_PDU_SIZE),
        block_window=how.get("block_window", BLOCK_WINDOW),
        always_in_blocks=how.get("always_in_blocks", False),
        protection=how.get("protection", Protection.BOTH),
        form=form,
        key_choice=choice,
        dedicated=_dedicated(how, ciphered),
        user=how.get("user"),
        confirmed=how.get("confirmed", not broadcast),
        broadcast=broadcast,
        pre_established=how.get("pre_established", False),
    )


def _dedicated(how: Options, ciphered: bool) -> KeyRef | None:
    if not how.get("dedicated", False):
        return None
    if not ciphered:
        raise ValueError("a dedicated key goes with a ciphered context only")
    return dedicated_key()
