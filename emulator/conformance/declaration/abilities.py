"""What a laboratory meter lets be done to it, from its objects and the rights to them."""

from __future__ import annotations

from collections.abc import Sequence

from devices.profile import Profile
from devices.profile.model import AssociationRow, ObjectRow
from dlms.acse.names import Mechanism
from dlms.axdr.data import Data
from dlms.cosem import classes
from dlms.cosem.interface_class import InterfaceClass
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.conformance.declaration.model import WriteData
from emulator.conformance.declaration.writes import STA
from emulator.provisioning import has_pairs

_REGISTER_MONITOR = classes.BY_ID[21]
_DATA_PROTECTION = classes.BY_ID[30]

_POLICY, _TRANSFER, _AGREE, _PAIR, _CERTIFICATES = 1, 2, 3, 4, frozenset((5, 6, 7, 8))
"""Methods of Security setup (Blue Book 4.4.7): activate policy, transfer and agree keys, generate
a key pair; certificates are requested, imported, exported and removed.
"""
_PUSH = 1
_CHANGE_SECRET = 2
_HARMLESS = {classes.DATA.class_id: (2,), classes.PUSH_SETUP.class_id: (5, 6)}
"""Attributes that may be changed for a moment: nothing happens because of them (of Push setup,
randomisation_start_interval and number_of_retries)."""
_SECRETS = (Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256)


def abilities(
    profile: Profile, rows: Sequence[AssociationRow], *, spend: bool = False
) -> dict[str, int]:
    """Features that are up, of those that objects decide. ``spend``: what cannot be undone may be
    done. A policy is never taken back, and these meters take no key that they have had.
    """
    look = _Look(profile, rows)
    own = {row.name: look.setup_methods(row) for row in rows}
    pairs = [row for row in rows if has_pairs(row)]
    general = Conformance.GENERAL_PROTECTION
    push = look.invocable(classes.PUSH_SETUP, _PUSH)
    notified = any(row.config.conformance & Conformance.DATA_NOTIFICATION for row in rows)
    alerts = profile.alert_push
    found = {
        "clock": look.writable(classes.CLOCK, 2),
        "profiles": look.readable(classes.PROFILE_GENERIC, 2),
        "register-monitor": look.readable(_REGISTER_MONITOR, 4),
        "scripts": look.readable(classes.SCRIPT_TABLE, 2),
        "data-protection": look.readable(_DATA_PROTECTION, 2),
        "push": push,
        "push.protected": push and alerts is not None and look.pushes(alerts.setup),
        "notify": push and notified,
        "general.signing": any(row.config.conformance & general for row in pairs),
        "key.transfer": spend and any(_TRANSFER in methods for methods in own.values()),
        "key.agreement": spend and any(_AGREE in own[row.name] for row in pairs),
        "key.pairs": spend and any(_PAIR in own[row.name] for row in pairs),
        "certificates": spend and any(own[row.name] >= _CERTIFICATES for row in pairs),
        "policy": spend and any(_POLICY in methods for methods in own.values()),
        "secret.change": any(
            row.config.mechanism in _SECRETS and look.may_change_secret(row) for row in rows
        ),
    }
    return {name: True for name, up in found.items() if up}


class _Look:
    """At the objects, as the associations that can be opened see them."""

    def __init__(self, profile: Profile, rows: Sequence[AssociationRow]) -> None:
        self._profile = profile
        self._rows = rows

    def readable(self, kind: InterfaceClass, attribute: int) -> bool:
        return any(
            rights.attribute(attribute).readable
            for one in self._profile.of_class(kind)
            for row in self._rows
            if (rights := one.rights.get(row.name)) is not None
        )

    def writable(self, kind: InterfaceClass, attribute: int) -> bool:
        return any(
            rights.attribute(attribute).writable
            for one in self._profile.of_class(kind)
            for row in self._rows
            if (rights := one.rights.get(row.name)) is not None
        )

    def invocable(self, kind: InterfaceClass, method: int) -> bool:
        return any(
            method in self._methods(one, row)
            for one in self._profile.of_class(kind)
            for row in self._rows
        )

    def pushes(self, setup: bytes) -> bool:
        return any(_PUSH in self._methods(self._profile.objects[setup], row) for row in self._rows)

    def setup_methods(self, row: AssociationRow) -> frozenset[int]:
        """What an association may invoke on its own Security setup."""
        if row.security_setup is None:
            return frozenset()
        one = self._profile.objects.get(bytes((0, 0, 43, 0, row.security_setup, 255)))
        return frozenset() if one is None else self._methods(one, row)

    def may_change_secret(self, row: AssociationRow) -> bool:
        return any(
            _CHANGE_SECRET in self._methods(one, row)
            for one in self._profile.of_class(classes.ASSOCIATION_LN)
        )

    def _methods(self, one: ObjectRow, row: AssociationRow) -> frozenset[int]:
        rights = one.rights.get(row.name)
        return frozenset() if rights is None else rights.methods


def writes_of(profile: Profile, rows: Sequence[AssociationRow]) -> tuple[WriteData, ...]:
    """Values to write where nothing happens because of them: each attribute through the first
    association that may write it and read it back, those that use logical names first.
    """
    found = []
    setters = [row for row in rows if row.config.conformance & Conformance.SET]
    for one in profile.objects.values():
        for number in _HARMLESS.get(one.interface_class.class_id, ()):
            value = _another(one.values.get(number))
            row = next((row for row in setters if _may(one, row, number)), None)
            if row is not None and value is not None:
                class_id = one.interface_class.class_id
                attribute = AttributeDescriptor(class_id, one.instance, number)
                found.append(WriteData(association=row.name, attribute=attribute, value=value))
    return tuple(found)


def sta_of(profile: Profile, writes: Sequence[WriteData]) -> tuple[WriteData, ...]:
    """Two of them that are written under ciphering; none if there are not two."""
    ciphered = [
        one for one in writes if profile.associations[one.association].config.context.ciphered
    ]
    return tuple(ciphered[:STA]) if len(ciphered) >= STA else ()


def _may(one: ObjectRow, row: AssociationRow, number: int) -> bool:
    rights = one.rights.get(row.name)
    if rights is None:
        return False
    access, config = rights.attribute(number), row.config
    usual = config.policy or (Protection.BOTH if config.context.ciphered else Protection.NONE)
    enough = access.satisfied_by(usual) and not access.response & ~usual
    return access.readable and access.writable and enough


def _another(value: Data | None) -> Data | None:
    """A value of the same type that is another one; ``None`` if that is not plain to see."""
    if value is None:
        return None
    content = value.value
    if isinstance(content, bytes) and content:
        return value._replace(value=bytes((*content[:-1], content[-1] ^ 1)))
    if isinstance(content, int) and not isinstance(content, bool):
        return value._replace(value=content ^ 1)
    return None
