"""A meter as its objects see it: what it is, what it remembers, how it reads itself.

What it answers to a client is :class:`devices.device.Device`, which knows the objects; the objects
know only this.
"""

from __future__ import annotations

import datetime as dt
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from devices import certificates
from devices.agenda import Agenda
from devices.certificates import StoredCertificate
from devices.history import Alert
from devices.outbox import Outbox
from devices.profile.model import AssociationRow, ObjectRow, Profile
from devices.state import DeviceState
from dlms.acse.names import Mechanism
from dlms.association.config import AssociationKeys, ServerConfig
from dlms.association.knobs import Knobs, ResponseProtection
from dlms.association.offer import Offer
from dlms.axdr.data import Data
from dlms.cosem.security_setup import Entity, Policy
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import CertificatePurpose, Discard, Step, Use
from dlms.security.suites import SUITES
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess

HANDED_OVER = "authentication key"
"""Figure, with the name of an association behind it: the version of the authentication key that was
handed over for the next association."""

CLIENT_TITLE = 4
"""Attribute of Security setup: the system title of the client."""

_HLS_BY_SECRET = (Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256)


class Meter(ABC):
    """``client_titles`` registers the system title of the client of an association (R-AA-6);
    ``anchors`` are the certificates of the authorities that the meter was made to trust.
    ``derived`` is what was worked out from profile and state, and can be worked out again.
    ``restart_wanted`` is for the serving side: once the reply is out the meter begins anew.
    ``odd_methods``, by class_id and number, are in the place of the right ones, the last first.
    """

    def __init__(
        self,
        profile: Profile,
        serial: int,
        *,
        client_titles: dict[str, bytes] | None = None,
        anchors: tuple[StoredCertificate, ...] = (),
        state: DeviceState | None = None,
    ) -> None:
        self.profile = profile
        self.serial = serial
        self.state = DeviceState() if state is None else state
        self.title: bytes = profile.system_title(serial)
        self.outbox = Outbox()
        self.telling: Alert | None = None
        """The alert whose notification is being made."""
        self.agenda = Agenda()
        self.client_titles = {} if client_titles is None else client_titles
        self.anchors = anchors
        self.derived: dict[type, object] = {}
        self.restart_wanted = False
        self.odd_methods: dict[tuple[int, int], tuple[Any, ...]] = {}
        self._mistaken: dict[tuple[str, KeyKind], KeyRef] = {}
        self._changed: dict[str, tuple[Mapping[str, Any], ...]] = {}
        self.state.on_revert = self.start_over

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.profile.name} {self.serial}>"

    @property
    def seed(self) -> int:
        """What makes this meter's readings its own."""
        return zlib.crc32(self.title)

    def start_over(self) -> None:
        """The state has gone back to what was kept: nothing that came of the rest is left."""
        self.derived.clear()
        self.outbox.clear()
        self.agenda = Agenda()

    # Associations -------------------------------------------------------------------------------

    def association(self, client_sap: int, server_sap: int) -> AssociationRow | None:
        """The association offered to this pair of addresses, if there is one."""
        for row in self.profile.associations.values():
            if (row.config.client_sap, row.config.server_sap) == (client_sap, server_sap):
                return row
        return None

    def offer(self, row: AssociationRow, channel_title: bytes | None = None) -> Offer:
        """What the protocol core needs to serve the association."""
        spent = self.state.spent[row.name]
        config, keys = self.config(row), self.keys(row)
        return Offer(config, keys, self.title, self.state.counters, channel_title, spent)

    def config(self, row: AssociationRow) -> ServerConfig:
        """The association's configuration with what this meter has registered and activated."""
        title = self.client_title(row.name)
        users = frozenset(self.users(row)) if row.config.users is not None else None
        config = replace(row.config, client_title=title, users=users)
        activated = self.state.policies.get(row.name)
        if activated is not None:
            config = replace(
                config,
                policy=activated.request,
                response_policy=activated.response,
                knobs=_keeping(config.knobs, activated),
            )
        for changes in self._changed.get(row.name, ()):
            config = replace(config, **changes)
        anchors = self.anchors_of(row)
        if not anchors:
            return config
        own = self.certificate(row.name, Entity.SERVER, CertificatePurpose.SIGNATURE)
        return replace(
            config,
            certificate=None if own is None else own.certificate,
            # Or whoever has a certificate, say another meter, could be the client.
            anchors=tuple(one.certificate for one in anchors) if title is not None else (),
        )

    def policy(self, row: AssociationRow) -> Policy:
        """The security policy of an association, as it is now."""
        config, activated = row.config, self.state.policies.get(row.name)
        if activated is not None:
            return activated
        response = config.response_policy
        return Policy(config.policy, config.policy if response is None else response)

    def client_title(self, scope: str) -> bytes | None:
        """The system title registered for a client: since manufacture, by name, or by a certificate
        it has here.
        """
        row = self.profile.associations.get(scope)
        if row is not None and row.security_setup is not None:
            instance = bytes((0, 0, 43, 0, row.security_setup, 255))
            written = self.state.values.get((instance, CLIENT_TITLE))
            if written is not None and isinstance(written.value, bytes):
                return written.value
        registered = self.client_titles.get(scope)
        if registered is not None:
            return registered
        store = self.state.certificates.get(scope, ())
        return next((one.facts.title for one in store if one.entity is Entity.CLIENT), None)

    def anchors_of(self, row: AssociationRow) -> tuple[StoredCertificate, ...]:
        """The anchors for the security suite of an association, by their curve."""
        curve = SUITES[row.config.suite].curve
        return tuple(one for one in self.anchors if one.facts.curve is curve)

    def certificate(
        self, scope: str, entity: Entity, purpose: CertificatePurpose
    ) -> StoredCertificate | None:
        """A certificate of the meter or its client."""
        return certificates.of(self.state.certificates.get(scope, ()), entity, purpose)

    def users(self, row: AssociationRow) -> Mapping[int, str]:
        """The user_list of an association, as it is now."""
        return self.state.users.get(row.name, row.users)

    def keys(self, row: AssociationRow) -> AssociationKeys:
        """What the association needs: a secret to authenticate with, keys for ciphering."""
        mechanism = row.config.mechanism
        lls = mechanism is Mechanism.LLS
        secret = self.key(row.name, KeyKind.LLS_SECRET) if lls else None
        hls = mechanism in _HLS_BY_SECRET
        hls_secret = self.key(row.name, KeyKind.HLS_SECRET) if hls else None
        if row.security_setup is None:
            return AssociationKeys(secret=secret, hls_secret=hls_secret)
        mistaken = self._mistaken
        return AssociationKeys(
            guek=mistaken.get((row.name, KeyKind.GUEK)) or self.key(row.name, KeyKind.GUEK),
            gak=mistaken.get((row.name, KeyKind.GAK)) or self.authentication_key(row),
            secret=secret,
            hls_secret=hls_secret,
            signing_key=self.key_pair(row, CertificatePurpose.SIGNATURE),
            peer_public=self._client_public(row, CertificatePurpose.SIGNATURE),
            gbek=self.key(row.name, KeyKind.GBEK) if row.config.broadcast else None,
            kek=self.key(row.name, KeyKind.KEK),
            agreement_key=self.key_pair(row, CertificatePurpose.KEY_AGREEMENT),
            peer_agreement_public=self._client_public(row, CertificatePurpose.KEY_AGREEMENT),
        )

    def key_pair(self, row: AssociationRow, purpose: CertificatePurpose) -> KeyRef | None:
        """The private key in force for a purpose; ``None`` if there is none (any more).

        Meters of suites 1 and 2 are made with a pair for signatures and one for key agreement.
        """
        slot = row.name, certificates.KINDS[purpose]
        there = purpose is not CertificatePurpose.TLS or slot in self.state.key_versions
        if not there or slot in self.state.destroyed or SUITES[row.config.suite].curve is None:
            return None
        return self.key(*slot)

    def _client_public(self, row: AssociationRow, purpose: CertificatePurpose) -> bytes | None:
        held = self.certificate(row.name, Entity.CLIENT, purpose)
        return None if held is None else held.facts.public

    def key(self, scope: str, kind: KeyKind) -> KeyRef:
        """The reference of the key now in force."""
        version = self.state.key_versions.get((scope, kind), 0)
        return KeyRef(self.title, scope, kind, version=version)

    def authentication_key(self, row: AssociationRow) -> KeyRef:
        """The authentication key of the next association: one that was handed over for it alone,
        or else the long-lived one.
        """
        version = self.state.figures.get(f"{HANDED_OVER} {row.name}")
        if not row.single_key or version is None:
            return self.key(row.name, KeyKind.GAK)
        return KeyRef(self.title, row.name, KeyKind.GAK, KeyLifetime.SINGLE_ASSOCIATION, version)

    def mistake(self, wrong: Mapping[tuple[str, KeyKind], KeyRef]) -> Callable[[], None]:
        """Use other keys than those in force, by security scope and kind (GUEK and GAK), from the
        next APDU on, until what this returns is called. That is a fault: nobody has replaced them.
        """

        def put(mistaken: dict[tuple[str, KeyKind], KeyRef]) -> None:
            self._mistaken = mistaken
            self.state.security_revision += 1

        put({**self._mistaken, **wrong})
        return lambda: put(
            {slot: ref for slot, ref in self._mistaken.items() if wrong.get(slot) is not ref}
        )

    def misconfigure(self, scope: str, changes: Mapping[str, Any]) -> Callable[[], None]:
        """Serve an association otherwise than the profile has it, from the next APDU on, until what
        this returns is called: fields of :class:`ServerConfig`. That is a fault.
        """

        def put(changed: tuple[Mapping[str, Any], ...]) -> None:
            self._changed[scope] = changed
            self.state.security_revision += 1

        there = self._changed.get(scope, ())
        put((*there, changes))
        return lambda: put(tuple(one for one in self._changed[scope] if one is not changes))

    def settle(self) -> Step[None]:
        """Destroy the private keys that are out of use. To be run when the response to what put
        them out of use has been made: that may have been signed with one (R-KEY-3).
        """
        for key in tuple(self.state.doomed):
            yield Discard(Use.CERTIFICATE, key)
            self.state.doomed.discard(key)

    # Attributes ---------------------------------------------------------------------------------

    def value(self, row: ObjectRow, number: int) -> Data | None:
        """What is stored for an attribute: remembered, or from the profile."""
        stored = self.state.values.get((row.instance, number))
        return row.values.get(number) if stored is None else stored

    def number(self, row: ObjectRow, attribute: int) -> int:
        """A stored integer; 0 if none is stored."""
        value = self.value(row, attribute)
        return value.value if value is not None and isinstance(value.value, int) else 0

    def store(self, row: ObjectRow, number: int, value: Data) -> None:
        self.state.values[row.instance, number] = value

    @abstractmethod
    def attribute(
        self,
        row: ObjectRow,
        number: int,
        association: AssociationRow,
        now: dt.datetime,
        selection: SelectiveAccess | None = None,
    ) -> Data | DataAccessResult:
        """The value of an attribute, or the part selected, at the true time ``now``, whatever the
        rights.
        """


def _keeping(knobs: Knobs, activated: Policy) -> Knobs:
    """What was activated for responses alone is kept, though they go as their requests came."""
    as_request = knobs.response_protection is ResponseProtection.AS_REQUEST
    if as_request and activated.response & ~activated.request:
        return replace(knobs, response_protection=ResponseProtection.AT_LEAST_REQUEST)
    return knobs
