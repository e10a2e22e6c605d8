"""A meter as its objects see it: what it is, what it remembers, how it reads itself.

What it answers to a client is :class:`devices.device.Device`, which knows the objects; the objects
know only this.
"""

from __future__ import annotations

import datetime as dt
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace

from devices.outbox import Outbox
from devices.profile.model import AssociationRow, ObjectRow, Profile
from devices.state import DeviceState
from dlms.acse.names import Mechanism
from dlms.association.admit import Offer
from dlms.association.config import AssociationKeys, ServerConfig
from dlms.axdr.data import Data
from dlms.security.keys import KeyKind, KeyRef
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess

_HLS_BY_SECRET = (Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256)


class Meter(ABC):
    """``client_titles`` registers the system title of the client of an association (R-AA-6)."""

    def __init__(
        self,
        profile: Profile,
        serial: int,
        *,
        client_titles: dict[str, bytes] | None = None,
        state: DeviceState | None = None,
    ) -> None:
        self.profile = profile
        self.serial = serial
        self.state = DeviceState() if state is None else state
        self.title: bytes = profile.system_title(serial)
        self.outbox = Outbox()
        self.client_titles = {} if client_titles is None else client_titles

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.profile.name} {self.serial}>"

    @property
    def seed(self) -> int:
        """What makes this meter's readings its own."""
        return zlib.crc32(self.title)

    # Associations -------------------------------------------------------------------------------

    def association(self, client_sap: int, server_sap: int) -> AssociationRow | None:
        """The association offered to this pair of addresses, if there is one."""
        for row in self.profile.associations.values():
            if (row.config.client_sap, row.config.server_sap) == (client_sap, server_sap):
                return row
        return None

    def offer(self, row: AssociationRow, channel_title: bytes | None = None) -> Offer:
        """What the protocol core needs to serve the association."""
        return Offer(
            self.config(row), self.keys(row), self.title, self.state.counters, channel_title
        )

    def config(self, row: AssociationRow) -> ServerConfig:
        """The association's configuration with what this meter has registered and activated."""
        title = self.client_titles.get(row.name)
        policy = self.state.policies.get(row.name, row.config.policy)
        users = frozenset(self.users(row)) if row.config.users is not None else None
        return replace(row.config, client_title=title, policy=policy, users=users)

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
        signs = mechanism is Mechanism.HLS_ECDSA
        return AssociationKeys(
            guek=self.key(row.name, KeyKind.GUEK),
            gak=self.key(row.name, KeyKind.GAK),
            secret=secret,
            hls_secret=hls_secret,
            signing_key=self.key(row.name, KeyKind.SIGNING_KEY) if signs else None,
            gbek=self.key(row.name, KeyKind.GBEK) if row.config.broadcast else None,
        )

    def key(self, scope: str, kind: KeyKind) -> KeyRef:
        """The reference of the key now in force."""
        version = self.state.key_versions.get((scope, kind), 0)
        return KeyRef(self.title, scope, kind, version=version)

    # Attributes ---------------------------------------------------------------------------------

    def value(self, row: ObjectRow, number: int) -> Data | None:
        """What is stored for an attribute: remembered, or from the profile."""
        stored = self.state.values.get((row.instance, number))
        return row.values.get(number) if stored is None else stored

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
