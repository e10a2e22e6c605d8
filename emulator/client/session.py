"""What a client knows of the meter behind an association, and how it finds out. No transport.

The two drivers hold the same dialogues: those of this module and of
:mod:`~emulator.client.reading`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlms.association.client import ClientAssociation
from dlms.association.config import CURRENT_ASSOCIATION
from dlms.axdr.data import Data
from dlms.client.access import read_by_access
from dlms.client.conversation import Conversation
from dlms.client.dialogue import Dialogues
from dlms.client.effects import Dialogue
from dlms.client.new_keys import Lasting
from dlms.client.security_setup import SecuritySetupDialogues
from dlms.client.short_names import ShortNameDialogues
from dlms.cosem import catalogue, classes
from dlms.cosem.interface_class import InterfaceClass
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, Item, SelectiveAccess
from emulator.client.errors import Refused, UnknownObject, telling
from emulator.client.objects import ObjectList, logical_name_list, named, short_name_list
from emulator.client.orders import invoking, writing
from emulator.client.short_names import OBJECT_LIST, ByShortName
from emulator.client.targets import (
    VALUE,
    Target,
    What,
    attribute_subject,
    split,
    together,
)

_OBJECT_LIST = AttributeDescriptor(classes.ASSOCIATION_LN.class_id, CURRENT_ASSOCIATION, VALUE)
_OBJECT_LISTS = {
    False: (_OBJECT_LIST, logical_name_list),
    True: (OBJECT_LIST, short_name_list),
}
"""Where the list is and what it is made into, by whether names are short."""

MAX_LIST = 16
"""Attributes of a list: with more the request may be longer than what small meters take, and the
answer costs them as many values at once.
"""


class Session:
    """Begins with an open association and ends with it: rights, and so the list, are its own."""

    def __init__(self, dialogues: Dialogues, association: ClientAssociation) -> None:
        self._associating = dialogues
        self._association = association
        self._by_short_name = association.config.short_names
        self._dialogues: Dialogues | ByShortName = dialogues
        if self._by_short_name:
            self._dialogues = ByShortName(ShortNameDialogues(dialogues.talk), self.objects)
        self._objects: ObjectList | Refused | None = None
        self._statics: dict[AttributeDescriptor, Data | Refused] = {}

    @property
    def talk(self) -> Conversation:
        """For services that have dialogues of their own."""
        return self._associating.talk

    @property
    def can_read(self) -> bool:
        """Whether there is a service to read with, and answers."""
        service = Conformance.READ if self._by_short_name else Conformance.GET
        negotiated = service in self._association.conformance
        return self._association.answered and (negotiated or self._by_access)

    @property
    def _by_access(self) -> bool:
        """Whether ACCESS is what there is to read with."""
        conformance = self._association.conformance
        return Conformance.ACCESS in conformance and Conformance.GET not in conformance

    @property
    def server_title(self) -> bytes | None:
        """The meter's system title, if the association needs one."""
        return self._association.server_title

    def security_setup(self, what: What, lasting: Lasting) -> Dialogue[SecuritySetupDialogues]:
        """The dialogues of a Security setup object."""
        target = yield from self.target(what, classes.SECURITY_SETUP.class_id)
        return SecuritySetupDialogues(self._dialogues, self._association, target.instance, lasting)

    def version(self, what: What, class_id: int) -> Dialogue[int]:
        """The version of an object's class, by the object list. :class:`Refused`,
        :class:`UnknownObject`.
        """
        target = yield from self.target(what, class_id)
        entry = (yield from self.objects()).get(target.instance, class_id)
        if entry is None:
            raise UnknownObject(f"no object {named(target.instance)} of class {class_id}")
        return entry.version

    def open(self) -> Dialogue[None]:
        """:class:`~emulator.client.errors.NotAssociated` if the meter refuses."""
        config = self._association.config
        with telling(f"association of client {config.client_sap} with {config.server_sap}"):
            yield from self._associating.open()

    # Objects --------------------------------------------------------------------------------------

    def objects(self) -> Dialogue[ObjectList]:
        """The object list, read once. :class:`Refused` if the meter does not give it."""
        if self._objects is None:
            attribute, taken_over = _OBJECT_LISTS[self._by_short_name]
            try:
                (value,) = yield from self.fetch([(attribute, None)])
            except Refused as refusal:
                value = refusal
            self._objects = value if isinstance(value, Refused) else taken_over(value)
        if isinstance(self._objects, Refused):
            raise self._objects
        return self._objects

    def target(
        self, what: What, class_id: int | None = None, version: int | None = None
    ) -> Dialogue[Target]:
        """The object that is meant, its class from the list unless it is said.

        A meter that keeps the list from this association, or cannot be asked for it, is asked by
        the class that objects of that name usually have. :class:`UnknownObject` if that is not
        known either.
        """
        if isinstance(what, int):
            what = (yield from self._objects_with_base_names()).at(what)
        said_class, said_version, instance = split(what)
        class_id = said_class if class_id is None else class_id
        version = said_version if version is None else version
        if class_id is None:
            try:
                if not self.can_read:
                    raise Refused("read the object list", "nothing can be read here")
                entry = (yield from self.objects()).find(instance)
            except Refused as refusal:
                class_id = catalogue.usual_class(instance)
                if class_id is None:
                    raise UnknownObject(
                        f"say which class_id {named(instance)} has: {refusal}"
                    ) from refusal
            else:
                class_id = entry.class_id
                version = entry.version if version is None else version
        known = None if version is None else classes.get(class_id, version)
        return Target(class_id, instance, known or self.interface_class(class_id, instance))

    def _objects_with_base_names(self) -> Dialogue[ObjectList]:
        if not self._by_short_name:
            raise UnknownObject("objects have base names where short names are used")
        return (yield from self.objects())

    def interface_class(self, class_id: int, instance: bytes) -> InterfaceClass | None:
        """The class in the version the list says, as far as it has been read; else the usual."""
        if isinstance(self._objects, ObjectList):
            entry = self._objects.get(instance, class_id)
            if entry is not None:
                return entry.interface_class
        return classes.BY_ID.get(class_id)

    # Reading --------------------------------------------------------------------------------------

    def fetch(
        self, items: Sequence[Item], statics: Sequence[AttributeDescriptor] = ()
    ) -> Dialogue[list[Data | Refused]]:
        """Read ``items``, and for :meth:`static` those of ``statics`` that have not been yet."""
        missing = [attribute for attribute in statics if attribute not in self._statics]
        wanted = [*items, *((attribute, None) for attribute in missing)]
        results: list[Data | Refused] = []
        listed = Conformance.MULTIPLE_REFERENCES in self._association.conformance
        size = MAX_LIST if listed or self._by_access else 1
        for first in range(0, len(wanted), size):
            part = wanted[first : first + size]
            alone = len(part) == 1 and not self._by_access
            read = self._read_one(*part[0]) if alone else self._read_list(part)
            results += yield from read
        self._statics |= dict(zip(missing, results[len(items) :], strict=True))
        return results[: len(items)]

    def _read_one(
        self, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Dialogue[list[Data | Refused]]:
        try:
            with telling(f"read {self.subject(attribute)}"):
                return [(yield from self._dialogues.get(attribute, selection))]
        except Refused as refusal:
            if refusal.result is None:  # the request as such, not the attribute
                raise
            return [refusal]

    def _read_list(self, items: Sequence[Item]) -> Dialogue[list[Data | Refused]]:
        subjects = [f"read {self.subject(attribute)}" for attribute, _ in items]
        with telling(together(subjects)):
            if self._by_access:
                results = yield from read_by_access(self.talk, items)
            else:
                results = yield from self._dialogues.get_list(items)
        return [
            Refused.by_result(subject, result) if isinstance(result, DataAccessResult) else result
            for subject, result in zip(subjects, results, strict=True)
        ]

    def static(self, attribute: AttributeDescriptor) -> Data:
        """What :meth:`fetch` has found. :class:`Refused` if the meter did not give it."""
        value = self._statics[attribute]
        if isinstance(value, Refused):
            raise value
        return value

    def subject(self, attribute: AttributeDescriptor) -> str:
        class_id, instance, number = attribute
        target = Target(class_id, instance, self.interface_class(class_id, instance))
        return attribute_subject(target, number)

    # Writing and acting ---------------------------------------------------------------------------

    def set(
        self,
        what: What,
        attribute: int | str,
        value: Any,
        class_id: int | None = None,
        *,
        confirmed: bool = True,
    ) -> Dialogue[None]:
        target = yield from self.target(what, class_id)
        order = writing(target, attribute, value)
        self.forget(target.instance)
        with telling(order.subject):
            if confirmed:
                yield from self._dialogues.set(order.attribute, order.value)
            else:
                yield from self._dialogues.set_unconfirmed(order.attribute, order.value)

    def invoke(
        self,
        what: What,
        method: int | str,
        parameter: Any,
        class_id: int | None = None,
        *,
        confirmed: bool = True,
    ) -> Dialogue[Any]:
        target = yield from self.target(what, class_id)
        order = invoking(target, method, parameter)
        self.forget(target.instance)
        with telling(order.subject):
            if not confirmed:
                yield from self._dialogues.action_unconfirmed(order.method, order.parameter)
                return None
            returned = yield from self._dialogues.action(order.method, order.parameter)
        return order.returned(returned)

    def forget(self, instance: bytes) -> None:
        """What was static may not be after this object has been written or has acted."""
        for attribute in [row for row in self._statics if row.instance == instance]:
            del self._statics[attribute]
        if instance == CURRENT_ASSOCIATION:
            self._objects = None
