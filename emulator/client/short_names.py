"""Attributes and methods by class, logical name and number, of a meter that goes by short names.

The names come from the object_list, which has the base names (Blue Book 4.1.3, 4.4.3). What is not
in it is object-undefined without being asked for: so it would be for the meter. So is a number that
the class has no member for. A short name says only how far it is from the base name, and one
attribute too many may be a method.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from dlms.association.config import CURRENT_ASSOCIATION
from dlms.association.naming import CURRENT_ASSOCIATION_SN
from dlms.axdr.data import NULL, Data
from dlms.client.effects import Dialogue
from dlms.client.refusals import AccessRefused
from dlms.client.short_names import ShortNameDialogues, named
from dlms.cosem import classes
from dlms.cosem.interface_class import InterfaceClass
from dlms.cosem.short_names import MAX_NAME, attribute_offset, method_offset
from dlms.errors import LocalProtocolError
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, Item, MethodDescriptor, SelectiveAccess
from emulator.client.objects import ObjectEntry, ObjectList

ASSOCIATION_SN = classes.ASSOCIATION_SN.class_id
OBJECT_LIST = AttributeDescriptor(ASSOCIATION_SN, CURRENT_ASSOCIATION, 2)
"""Its base name is the same at every meter, so that it can be had without knowing any."""


class ByShortName:
    """What :class:`~dlms.client.dialogue.Dialogues` does by logical names, done by short ones.

    ``objects`` gives the object list; it may read :data:`OBJECT_LIST` by this very way.
    """

    def __init__(
        self, dialogues: ShortNameDialogues, objects: Callable[[], Dialogue[ObjectList]]
    ) -> None:
        self._dialogues = dialogues
        self._objects = objects

    def get(
        self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None
    ) -> Dialogue[Data]:
        """Read an attribute. :class:`AccessRefused` if the meter does not give it."""
        name = yield from self._name("read", attribute)
        return (yield from self._dialogues.read(name, selection))

    def get_list(self, items: Sequence[Item]) -> Dialogue[tuple[Data | DataAccessResult, ...]]:
        """Read several attributes at once; each has its value, or the reason why not."""
        names: list[int | None] = []
        for attribute, _ in items:
            names.append((yield from self._attribute(attribute)))
        asked = [
            named(name, selection)
            for name, (_, selection) in zip(names, items, strict=True)
            if name is not None
        ]
        results = iter((yield from self._dialogues.read_list(asked)) if asked else ())
        return tuple(
            DataAccessResult.OBJECT_UNDEFINED if name is None else next(results) for name in names
        )

    def set(self, attribute: AttributeDescriptor, value: Data) -> Dialogue[None]:
        """Write an attribute. :class:`AccessRefused` if the meter does not take it."""
        name = yield from self._name("write", attribute)
        yield from self._dialogues.write(name, value)

    def set_unconfirmed(self, attribute: AttributeDescriptor, value: Data) -> Dialogue[None]:
        """Write an attribute, and nobody says what became of it. :class:`AccessRefused` if it has
        no short name.
        """
        name = yield from self._name("write", attribute)
        yield from self._dialogues.write_unconfirmed([named(name)], [value])

    def action(self, method: MethodDescriptor, parameter: Data | None) -> Dialogue[Data | None]:
        """Invoke a method; gives what it returns. :class:`AccessRefused` if it failed.

        One of a class whose methods have no short names is object-undefined, too.
        """
        name, returns = yield from self._method(method)
        return (yield from self._dialogues.act(name, parameter, returns=returns))

    def action_unconfirmed(
        self, method: MethodDescriptor, parameter: Data | None
    ) -> Dialogue[None]:
        """Invoke a method, and nobody says what became of it. :class:`LocalProtocolError` if it
        returns something: then it is read, and there is no unconfirmed Read.
        """
        name, returns = yield from self._method(method)
        if returns:
            raise LocalProtocolError("by short names a method that returns something is confirmed")
        value = NULL if parameter is None else parameter
        yield from self._dialogues.write_unconfirmed([named(name)], [value])

    def _method(self, method: MethodDescriptor) -> Dialogue[tuple[int, bool]]:
        """The short name of a method, and whether it returns something."""
        class_id, instance, number = method
        entry = (yield from self._objects()).get(instance, class_id)
        table = None if entry is None else classes.get(class_id, entry.version)
        row = None if table is None else table.method(number)
        if entry is None or entry.base_name is None or table is None or row is None:
            raise AccessRefused("action", ActionResult.OBJECT_UNDEFINED)
        offset = method_offset(table, number)
        if offset is None or entry.base_name + offset > MAX_NAME:
            raise AccessRefused("action", ActionResult.OBJECT_UNDEFINED)
        return entry.base_name + offset, row.returns is not None

    def _name(self, what: str, attribute: AttributeDescriptor) -> Dialogue[int]:
        """The short name of an attribute. :class:`AccessRefused` if it has none."""
        name = yield from self._attribute(attribute)
        if name is None:
            raise AccessRefused(what, DataAccessResult.OBJECT_UNDEFINED)
        return name

    def _attribute(self, attribute: AttributeDescriptor) -> Dialogue[int | None]:
        """The short name of an attribute; ``None`` if it has none."""
        class_id, instance, number = attribute
        if attribute == OBJECT_LIST:
            return CURRENT_ASSOCIATION_SN + attribute_offset(number)
        objects = yield from self._objects()
        entry = objects.get(instance, class_id)
        if entry is None or entry.base_name is None or number < 1:
            return None
        name = entry.base_name + attribute_offset(number)
        table = classes.get(class_id, entry.version)
        return name if _is_attribute(name, number, table, entry, objects) else None


def _is_attribute(
    name: int, number: int, table: InterfaceClass | None, entry: ObjectEntry, objects: ObjectList
) -> bool:
    """Whether ``name`` can be an attribute of ``entry``.

    Of a class that is not tabulated all that is known is where the next object begins.
    """
    if table is not None:
        return table.attribute(number) is not None and name <= MAX_NAME
    bases = sorted(other.base_name for other in objects if other.base_name is not None)
    above = bisect_right(bases, entry.base_name or 0)
    return name < (bases[above] if above < len(bases) else MAX_NAME + 1)
