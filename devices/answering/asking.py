"""Who asks which meter, and what there is for them."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple, TypeAlias

from devices.meter import Meter
from devices.objects.behaviour import Call
from devices.profile.model import AssociationRow, ObjectRow
from devices.profile.rights import Access, Rights
from dlms.security.control import Protection
from dlms.security.suites import SUITES
from dlms.xdlms.access import AccessRequest
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.read import ReadRequest
from dlms.xdlms.registry import CompleteRequest
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest

_new = tuple.__new__  # NamedTuple without its Python-level __new__: twice as fast

_SIGNED_RESPONSE = int(Access.SIGNED_RESPONSE)

Answerable: TypeAlias = (
    CompleteRequest | AccessRequest | ReadRequest | WriteRequest | UnconfirmedWriteRequest
)
"""Every request that can be carried out at once."""


class Asking(NamedTuple):
    """One request of one association at the true time ``now`` (aware).

    ``protection`` is what the request came with, ``user`` who is behind the client, where users are
    identified.
    """

    device: Meter
    association: AssociationRow
    now: dt.datetime
    protection: Protection = Protection.NONE
    user: int | None = None

    def call(self, row: ObjectRow) -> Call:
        device, association, now, protection, user = self
        return _new(Call, (device, row, association, now, user, protection))

    def admits(self, access: Access) -> bool:
        """Whether the request is protected as ``access`` asks for, and the response can be: without
        key pairs nothing is signed.
        """
        if int(access) & _SIGNED_RESPONSE:
            keys = self.device.keys(self.association)
            if keys.signing_key is None or SUITES[self.association.config.suite].curve is None:
                return False
        return access.satisfied_by(self.protection)

    def find(
        self, descriptor: AttributeDescriptor | MethodDescriptor
    ) -> tuple[ObjectRow, Rights] | int:
        """The object and the rights on it, or the code that all services share for why not.

        An object that this association has no right on does not exist for it.
        """
        row = self.device.profile.objects.get(descriptor.instance)
        rights = None if row is None else row.rights.get(self.association.name)
        if row is None or rights is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if row.interface_class.class_id != descriptor.class_id:
            return DataAccessResult.OBJECT_CLASS_INCONSISTENT
        return row, rights
