"""A client of the meter's: our own client core, its keys and counters, and one connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from devices.certificates import StoredCertificate, of
from devices.profile.model import AssociationRow
from dlms.acse.names import Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.client.dialogue import Dialogues
from dlms.client.new_keys import Lasting, as_made
from dlms.client.security_setup import SecuritySetupDialogues
from dlms.cosem.security_setup import Entity
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import CryptoOp, PublicKey, Use
from dlms.security.spent_keys import SpentKeys
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.altering import Vectors
from emulator.fuzz.in_process.seeded import LoosedModule
from emulator.fuzz.in_process.tagging import Tagging
from emulator.modules.keyring import KeyRing
from emulator.provisioning import PURPOSES, has_pairs

_HASHED = (Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256)
FIELDS = {"GUEK": "guek", "GBEK": "gbek", "GAK": "gak", "KEK": "kek"}


class Party:
    """Who a client is: its keys, and the counters that it uses them with. Several clients may be
    one party, as several connections of one head end are.
    """

    def __init__(
        self, name: str, title: bytes, ring: KeyRing, module: LoosedModule, vectors: Vectors
    ) -> None:
        self.name = name
        self.title = title
        self.ring = ring
        self.module = module
        self.tagging = Tagging(module)
        self.counters = InvocationCounters()
        self.lasting: Lasting = as_made
        """The name that a new key keeps."""
        self.spent: dict[str, SpentKeys] = {}
        self.keys: dict[str, AssociationKeys] = {}
        self.former: dict[str, AssociationKeys] = {}
        self.doubtful: dict[str, AssociationKeys] = {}
        self.is_watched = True
        """Whether it is honest, so that no vector of its comes twice."""
        self._vectors = vectors

    def execute(self, op: CryptoOp) -> Any:
        if self.is_watched:
            vectors, who = self._vectors, f"the client {self.name}"
            vectors.watch(who, self.title, op, self.ring.get)
            if said := vectors.ephemerals.watch(who, op):
                vectors.breaches.append(said)
        return self.tagging.execute(op)

    def keys_for(self, row: AssociationRow, meter: bytes, title: bytes) -> AssociationKeys:
        """Those of an association, as they were provisioned unless they were replaced."""
        known = self.keys.get(row.name)
        if known is None:
            known = self.keys[row.name] = self._provisioned(row, meter, title)
        return known

    def _provisioned(self, row: AssociationRow, meter: bytes, title: bytes) -> AssociationKeys:
        def key(kind: KeyKind, holder: bytes = meter) -> KeyRef:
            return KeyRef(holder, row.name, kind)

        mechanism = row.config.mechanism
        found = AssociationKeys(
            secret=key(KeyKind.LLS_SECRET) if mechanism is Mechanism.LLS else None,
            hls_secret=key(KeyKind.HLS_SECRET) if mechanism in _HASHED else None,
        )
        if row.security_setup is None:
            return found
        found = found._replace(
            guek=key(KeyKind.GUEK),
            gak=key(KeyKind.GAK),
            gbek=key(KeyKind.GBEK),
            kek=key(KeyKind.KEK),
        )
        if not has_pairs(row):
            return found
        public = [
            self.execute(PublicKey(Use.CERTIFICATE, key(kind)))
            for kind in (KeyKind.SIGNING_KEY, KeyKind.AGREEMENT_KEY)
        ]
        return found._replace(
            signing_key=key(KeyKind.SIGNING_KEY, title),
            peer_public=public[0],
            agreement_key=key(KeyKind.AGREEMENT_KEY, title),
            peer_agreement_public=public[1],
        )


class BenchClient:
    """One client SAP on one connection to the meter."""

    def __init__(
        self,
        name: str,
        kind: ClientKind,
        row: AssociationRow,
        party: Party,
        meter: bytes,
        title: bytes,
        made: Mapping[str, tuple[StoredCertificate, ...]],
        anchors: tuple[StoredCertificate, ...],
        knobs: Any,
    ) -> None:
        self.name = name
        self.kind = kind
        self.row = row
        self.party = party
        self.meter = meter
        self.opened = 0
        signature = PURPOSES[0]
        mine = of(made.get(row.name, ()), Entity.CLIENT, signature)
        ciphered = row.config.context.ciphered
        policy = Protection.BOTH if ciphered else Protection.NONE
        self.config = ClientConfig(
            client_sap=row.config.client_sap,
            server_sap=row.config.server_sap,
            context=row.config.context,
            mechanism=row.config.mechanism,
            conformance=row.config.conformance,
            suite=row.config.suite,
            pre_established=row.config.pre_established,
            broadcast=row.config.broadcast,
            certificate=None if mine is None else mine.certificate,
            anchors=tuple(one.certificate for one in anchors),
            knobs=knobs,
            own_title=title,
            max_pdu_size=kind.max_pdu_size,
            user=kind.user,
            server_title=meter if row.config.pre_established else None,
            protection=policy if kind.protection is None else kind.protection,
            confirmed=not row.config.broadcast,
        )
        self.renew()

    @property
    def keys(self) -> AssociationKeys:
        title = self.config.own_title or b""
        return self.party.keys_for(self.row, self.meter, title)

    @property
    def pair(self) -> tuple[int, int]:
        return self.config.client_sap, self.config.server_sap

    def renew(self) -> None:
        """An association that is not open, with the keys that this client has now."""
        config = self.config
        if self.kind.dedicated:
            self.opened += 1
            scope = f"{self.name}#{self.opened}"
            single = KeyLifetime.SINGLE_ASSOCIATION
            config = _with_dedicated(config, KeyRef(self.meter, scope, KeyKind.DEDICATED, single))
        spent = self.party.spent.setdefault(self.row.name, SpentKeys())
        self.association = ClientAssociation(
            config, self.keys, self.party.counters, spent=spent, label=self.name
        )
        self.dialogues = Dialogues(self.association)
        self.setup: SecuritySetupDialogues | None = None
        if self.row.security_setup is not None:
            instance = bytes((0, 0, 43, 0, self.row.security_setup, 255))
            self.setup = SecuritySetupDialogues(
                self.dialogues, self.association, instance, self.party.lasting
            )

    @property
    def is_outdated(self) -> bool:
        """Whether its association began with other keys than this client, or another that shares
        them, goes by now: who named new ones after those would name two keys alike.
        """
        here, now = self.association.keys, self.keys
        return any(getattr(here, field) != getattr(now, field) for field in FIELDS.values())

    def take(self, keys: AssociationKeys) -> None:
        """Go by other keys from the next association on."""
        self.party.keys[self.row.name] = keys

    def key(self, kind: str) -> KeyRef:
        """The key that this client has of that kind. ``ValueError`` if it has none."""
        if kind == "DEDICATED":
            ref = self.association.config.dedicated
        else:
            ref = getattr(self.association.keys, FIELDS.get(kind, kind.lower()), None)
        if not isinstance(ref, KeyRef):
            raise ValueError(f"the client {self.name} has no key {kind}")
        return ref


def _with_dedicated(config: ClientConfig, ref: KeyRef) -> ClientConfig:
    return replace(config, dedicated=ref)
