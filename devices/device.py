"""A Device: one emulated SMETS1 meter.

It knows what it is (profile, serial number) and what it remembers (state); time and cryptography
come from outside. :meth:`Device.handle` carries out a request of one association.
"""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import replace

from devices.objects.behaviour import Call, Outcome
from devices.objects.registry import BEHAVIOURS
from devices.profile.model import AssociationRow, ObjectRow, Profile
from devices.profile.rights import Rights
from devices.state import DeviceState
from dlms.acse.names import Mechanism
from dlms.association.admit import Offer
from dlms.association.config import AssociationKeys, ServerConfig
from dlms.axdr.data import Data, octet_string
from dlms.cosem.interface_class import fits
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Step
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.registry import Request, Response
from dlms.xdlms.set import SetRequest, SetResponse


class Device:
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
        self.client_titles = {} if client_titles is None else client_titles

    def __repr__(self) -> str:
        return f"<Device {self.profile.name} {self.serial}>"

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
        return replace(row.config, client_title=title, policy=policy)

    def keys(self, row: AssociationRow) -> AssociationKeys:
        if row.security_setup is None:
            secret = row.config.mechanism is Mechanism.LLS
            return AssociationKeys(
                secret=self.key(row.name, KeyKind.LLS_SECRET) if secret else None
            )
        return AssociationKeys(
            guek=self.key(row.name, KeyKind.GUEK), gak=self.key(row.name, KeyKind.GAK)
        )

    def key(self, scope: str, kind: KeyKind) -> KeyRef:
        """The reference of the key now in force."""
        version = self.state.key_versions.get((scope, kind), 0)
        return KeyRef(self.title, scope, kind, version=version)

    # Services -----------------------------------------------------------------------------------

    def handle(self, request: Request, row: AssociationRow, now: dt.datetime) -> Step[Response]:
        """Carry out ``request`` at the true time ``now`` (aware) and give the response."""
        if isinstance(request, GetRequest):
            return GetResponse(request.invoke, self._get(request, row, now))
        if isinstance(request, SetRequest):
            return SetResponse(request.invoke, self._set(request, row, now))
        outcome = yield from self._act(request, row, now)
        return ActionResponse(request.invoke, outcome.result, outcome.returned)

    def _find(
        self, descriptor: AttributeDescriptor | MethodDescriptor, association: AssociationRow
    ) -> tuple[ObjectRow, Rights] | int:
        """The object and the rights on it, or the code that both services share for why not.

        An object that this association has no right on does not exist for it.
        """
        row = self.profile.objects.get(descriptor.instance)
        rights = None if row is None else row.rights.get(association.name)
        if row is None or rights is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if row.interface_class.class_id != descriptor.class_id:
            return DataAccessResult.OBJECT_CLASS_INCONSISTENT
        return row, rights

    def _get(
        self, request: GetRequest, association: AssociationRow, now: dt.datetime
    ) -> Data | DataAccessResult:
        found = self._find(request.attribute, association)
        if isinstance(found, int):
            return DataAccessResult(found)
        row, rights = found
        number = request.attribute.attribute
        if row.interface_class.attribute(number) is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if not rights.attribute(number).readable:
            return DataAccessResult.READ_WRITE_DENIED
        return self.read(Call(self, row, association, now), number, request)

    def read(
        self, call: Call, number: int, request: GetRequest | None = None
    ) -> Data | DataAccessResult:
        """The value of an attribute, whatever the rights."""
        if number == 1:
            return octet_string(call.row.instance)
        selection = None if request is None else request.selection
        read = BEHAVIOURS[call.row.interface_class.class_id].read.get(number)
        if read is not None:
            return read(call, selection)
        if selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        value = self.value(call.row, number)
        return DataAccessResult.OBJECT_UNAVAILABLE if value is None else value

    def value(self, row: ObjectRow, number: int) -> Data | None:
        """What is stored for an attribute: remembered, or from the profile."""
        stored = self.state.values.get((row.instance, number))
        return row.values.get(number) if stored is None else stored

    def store(self, row: ObjectRow, number: int, value: Data) -> None:
        self.state.values[row.instance, number] = value

    def _set(
        self, request: SetRequest, association: AssociationRow, now: dt.datetime
    ) -> DataAccessResult:
        found = self._find(request.attribute, association)
        if isinstance(found, int):
            return DataAccessResult(found)
        row, rights = found
        number = request.attribute.attribute
        attribute = row.interface_class.attribute(number)
        if attribute is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if not rights.attribute(number).writable:
            return DataAccessResult.READ_WRITE_DENIED
        if request.selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        if not fits(attribute.types, request.value):
            return DataAccessResult.TYPE_UNMATCHED
        write = BEHAVIOURS[row.interface_class.class_id].write.get(number)
        if write is not None:
            return write(Call(self, row, association, now), request.value)
        current = self.value(row, number)
        if current is not None and current.type is not request.value.type:
            return DataAccessResult.TYPE_UNMATCHED
        self.store(row, number, request.value)
        return DataAccessResult.SUCCESS

    def _act(
        self, request: ActionRequest, association: AssociationRow, now: dt.datetime
    ) -> Step[Outcome]:
        found = self._find(request.method, association)
        if isinstance(found, int):
            return Outcome(ActionResult(found))
        row, rights = found
        method = row.interface_class.method(request.method.method)
        if method is None:
            return Outcome(ActionResult.OBJECT_UNDEFINED)
        if method.number not in rights.methods:
            return Outcome(ActionResult.READ_WRITE_DENIED)
        invoke = BEHAVIOURS[row.interface_class.class_id].invoke.get(method.number)
        if invoke is None:
            return Outcome(ActionResult.OBJECT_UNAVAILABLE)
        if not fits(method.parameter, request.parameter):
            return Outcome(ActionResult.TYPE_UNMATCHED)
        assert request.parameter is not None  # fits() has checked
        outcome = invoke(Call(self, row, association, now), request.parameter)
        if isinstance(outcome, Outcome):
            return outcome
        return (yield from outcome)
