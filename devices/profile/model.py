"""What a profile says, after it has been read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from devices.profile.habits import Habits
from devices.profile.rights import Rights
from dlms.association.config import ServerConfig
from dlms.axdr.data import Data
from dlms.cosem import classes
from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.short_names import attribute_offset
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor


class Provenance(NamedTuple):
    """Where a fact comes from: a public ``source``, or an assumption of ours and why."""

    assumed: bool
    text: str

    def __str__(self) -> str:
        return f"{'assumed' if self.assumed else 'source'}: {self.text}"


_VALUE = (classes.DATA.class_id, classes.REGISTER.class_id)

ROLES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "invocation-counter": _VALUE,
        "logical-device-name": _VALUE,
        "serial-number": _VALUE,
        "import-energy": _VALUE,
        "export-energy": _VALUE,
        "reactive-import-energy": _VALUE,
        "reactive-export-energy": _VALUE,
        "gas-volume": _VALUE,
        "gas-converted-volume": _VALUE,
        "gas-energy": _VALUE,
        "conversion-factor": (classes.REGISTER.class_id,),
        "calorific-value": (classes.REGISTER.class_id,),
        "import-energy-rate": _VALUE,
        "active-rate": _VALUE,
        "alert-code": _VALUE,
        "alert-argument": _VALUE,
        "import-power": _VALUE,
        "voltage": _VALUE,
        "firmware-version": _VALUE,
        "verified-image-hash": _VALUE,
        "import-demand": (classes.DEMAND_REGISTER.class_id,),
        "max-import-demand": (classes.EXTENDED_REGISTER.class_id,),
        "stored": (classes.PROFILE_GENERIC.class_id,),
        "friendly-hours": (classes.ACTIVITY_CALENDAR.class_id,),
    }
)
"""Roles of objects by the classes that may have them. The value of Data and registers is computed
then: an invocation counter names its association behind the role, a register of a rate the rate, a
register of gas in how many dm3 or Wh it counts, if not in one. The factors of gas are stored. The
rows of a Profile generic are stored, and a calendar is that of friendly hours.
"""


class ObjectRow(NamedTuple):
    """One COSEM object. ``values`` are its static and initial attributes by number.

    ``role`` names the behaviour of a value that is computed, ``rights`` are by association name.
    ``base_name`` is its short name, where it is given and not assigned.
    """

    interface_class: InterfaceClass
    instance: bytes
    values: dict[int, Data]
    rights: dict[str, Rights]
    role: str
    provenance: Provenance
    base_name: int | None = None


class ShortNames(NamedTuple):
    """What clients that use short names see: ``bases`` of the objects, and what every name is."""

    objects: Mapping[bytes, ObjectRow] = MappingProxyType({})
    bases: Mapping[bytes, int] = MappingProxyType({})
    members: Mapping[int, tuple[ObjectRow, Attribute | Method]] = MappingProxyType({})

    def attribute(self, instance: bytes, number: int) -> int:
        """The short name of an attribute. ``KeyError`` if the object has no base name."""
        return self.bases[instance] + attribute_offset(number)


class AssociationRow(NamedTuple):
    """One association the meter offers.

    ``security_setup`` is the instance number e of its Security setup 0-0:43.0.e.255 and of its
    invocation counter 0-0:43.1.e.255; ``None`` for an association without keys. ``dedicated`` is
    whether the head end is to use a dedicated key here, ``protection`` how it protects requests.
    ``users`` are the names of those in user_list, by their ids. With ``single_key`` an
    authentication key that is transferred lives for one association, the next.
    """

    name: str
    config: ServerConfig
    security_setup: int | None
    dedicated: bool
    protection: int
    provenance: Provenance
    users: Mapping[int, str] = MappingProxyType({})
    single_key: bool = False


class SetStep(NamedTuple):
    """One write of an Instruction. A value of ``None`` is an argument of the Instruction."""

    attribute: AttributeDescriptor
    value: Data | None


class ActionStep(NamedTuple):
    """One method invocation of an Instruction."""

    method: MethodDescriptor
    parameter: Data | None


class InstructionRow(NamedTuple):
    """What an Instruction is made of on this meter, and through which association it goes."""

    name: str
    association: str
    critical: bool
    steps: tuple[SetStep | ActionStep, ...]
    provenance: Provenance


class AlertPush(NamedTuple):
    """The Push setup that alerts go out by, and the association that protects them, where the Push
    setup names no client.
    """

    setup: bytes
    association: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """A model of meter. Shared by all its meters and never changed.

    ``kind`` is what it measures, ``electricity`` or ``gas``.
    ``category`` is the Category of the letter's paragraph 10: 1 or 2. ``top_up`` is ``credit``
    (method update_amount) or ``token`` (Token gateway). Amounts are in the unit of ``currency``:
    10 to the power of ``currency_scale`` of one pound. ``short_names`` is empty where no
    association uses them; ``promising`` are the associations with a right that says how a response
    is protected. ``logs`` are the events that go into each log, ``alerts`` those that are told,
    ``alert_push`` how.
    ``knobs`` are the settings of the plug-ins that the profile names.
    """

    name: str
    kind: str
    manufacturer: str
    model: str
    flag_id: str
    category: int
    server_sap: int
    title_prefix: bytes
    ldn_format: str
    top_up: str
    currency_scale: int
    max_credit: int
    max_balance: int
    associations: dict[str, AssociationRow]
    objects: dict[bytes, ObjectRow]
    instructions: dict[str, InstructionRow]
    provenance: dict[str, Provenance]
    short_names: ShortNames
    promising: frozenset[str]
    habits: Habits = field(default_factory=Habits)
    logs: Mapping[bytes, frozenset[int]] = field(default_factory=dict)
    alerts: frozenset[int] = frozenset()
    alert_push: AlertPush | None = None
    knobs: Mapping[str, Mapping[str, bool | int | str]] = field(default_factory=dict)
    _by_class: dict[int, tuple[ObjectRow, ...]] = field(default_factory=dict, init=False)
    _by_role: dict[str, tuple[ObjectRow, ...]] = field(default_factory=dict, init=False)

    def of_class(self, wanted: InterfaceClass) -> tuple[ObjectRow, ...]:
        """The objects of a class, whatever its version, looked for once."""
        number = wanted.class_id
        found = self._by_class.get(number)
        if found is None:
            rows = self.objects.values()
            found = tuple(row for row in rows if row.interface_class.class_id == number)
            self._by_class[number] = found
        return found

    def of_role(self, role: str) -> tuple[ObjectRow, ...]:
        """The objects that the profile gives this very role, looked for once."""
        found = self._by_role.get(role)
        if found is None:
            found = tuple(row for row in self.objects.values() if row.role == role)
            self._by_role[role] = found
        return found

    def objects_of(self, row: AssociationRow) -> Mapping[bytes, ObjectRow]:
        """The objects that an association can see by its way of naming, whatever its rights."""
        return self.short_names.objects if row.config.short_names else self.objects

    def system_title(self, serial: int) -> bytes:
        """Eight octets: FLAG ID (GB Ed. 8, 4.3.4), the profile's prefix, the serial number."""
        head = self.flag_id.encode("ascii") + self.title_prefix
        return head + serial.to_bytes(8 - len(head), "big")

    def logical_device_name(self, serial: int) -> bytes:
        """At most 16 octets, beginning with the FLAG ID (Blue Book 4.1.8.2)."""
        return self.ldn_format.format(flag=self.flag_id, serial=serial).encode("ascii")

    def __repr__(self) -> str:
        return f"<Profile {self.name}>"
