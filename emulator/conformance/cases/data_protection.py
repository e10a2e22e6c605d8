"""X_DATAPROT_PARAMETERS: the methods of Data protection with parameters that cannot be right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from dlms.acse.names import Referencing
from dlms.association.config import CURRENT_ASSOCIATION
from dlms.axdr.data import (
    NULL,
    Data,
    DataType,
    array,
    enum,
    octet_string,
    structure,
)
from dlms.cosem.tables.security import DATA_PROTECTION
from dlms.errors import DlmsError
from dlms.xdlms.descriptors import MethodDescriptor
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import refused
from emulator.conformance.conversing.tree import Node, Sender, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_OBJECT = Note[tuple[DeclaredAssociation, bytes]]("an association, and its Data protection object")

_GET, _SET, _INVOKE = 1, 2, 3
_NO_TYPE = 200
"""A protection_type that no edition has."""
_BOTH = 2
"""authentication and encryption"""
_CLASS = 15
"""Of the current association, whose logical name may be read."""
_NO_CLASS = 0xFFFF


async def _object(trial: Trial) -> tuple[DeclaredAssociation, bytes]:
    """A Data protection object, and an association that has it in its list."""
    return await trial.notes.once(_OBJECT, partial(_found, trial))


async def _found(trial: Trial) -> tuple[DeclaredAssociation, bytes]:
    for row in _rows(trial):
        try:
            async with trial.session(row) as (client, session):
                objects = await client.hold(session.objects())
        except DlmsError:
            continue
        for entry in objects:
            if entry.class_id == DATA_PROTECTION.class_id:
                return row, entry.instance
    raise Unjudged("no association has a Data protection object in its list")


def _rows(trial: Trial) -> list[DeclaredAssociation]:
    """Those that ask for most first."""
    found = [
        row
        for row in trial.declaration.associations
        if row.context.referencing is Referencing.LOGICAL_NAME and trial.target.has_keys(row)
    ]
    return sorted(found, key=lambda row: -int(row.conformance).bit_count())


def _objects(class_id: int) -> Data:
    return array(
        structure(
            Data(DataType.LONG_UNSIGNED, class_id),
            octet_string(CURRENT_ASSOCIATION),
            Data(DataType.INTEGER, 1),
            Data(DataType.LONG_UNSIGNED, 0),
        )
    )


def _protection(kind: int, originator: bytes, recipient: bytes) -> Data:
    identified = structure(enum(0), structure(enum(0)))
    options = structure(
        octet_string(b"\x01"),
        octet_string(originator),
        octet_string(recipient),
        octet_string(b""),
        identified,
    )
    return array(structure(enum(kind), options))


def _wrong(trial: Trial, number: int, own: bytes) -> dict[str, Data]:
    """Parameters by what is wrong with them: the type, a part that is missing, a protection that
    does not exist, a recipient that is not the device, an object that does not exist.
    """
    stranger = b"CTT" + trial.rng.randbytes(5)
    device = trial.declaration.title
    noise = octet_string(trial.rng.randbytes(32))

    def parameter(class_id: int, protection: Data) -> Data:
        if number == _GET:
            return structure(_objects(class_id), protection)
        if number == _SET:
            return structure(_objects(class_id), protection, noise)
        return structure(_object_method(class_id), protection, noise)

    first = _object_method(_CLASS) if number == _INVOKE else _objects(_CLASS)
    return {
        "null-data": NULL,
        "one element": structure(first),
        "a protection that does not exist": parameter(_CLASS, _protection(_NO_TYPE, own, device)),
        "for another recipient": parameter(_CLASS, _protection(_BOTH, own, stranger)),
        "an object that does not exist": parameter(_NO_CLASS, _protection(_BOTH, own, device)),
    }


def _object_method(class_id: int) -> Data:
    return structure(
        Data(DataType.LONG_UNSIGNED, class_id),
        octet_string(CURRENT_ASSOCIATION),
        Data(DataType.INTEGER, 1),
    )


def _invoking(number: int) -> Sender:
    async def send(trial: Trial) -> Seen:
        row, instance = await _object(trial)
        method = MethodDescriptor(DATA_PROTECTION.class_id, instance, number)
        seen = Seen.found()
        probe = await trial.associated(row)
        own = probe.config.own_title or b""
        for name, parameter in _wrong(trial, number, own).items():
            if not probe.line.is_open:
                probe = await trial.associated(row)
            seen = await probe.act(method, parameter)
            if refused().judge(trial, seen) is not None:
                return seen.having(notes=(*seen.notes, name))
        return seen

    return send


@conversation("X_DATAPROT_PARAMETERS")
def wrong_parameters() -> Sequence[Node]:
    return (
        step("get", _invoking(_GET), refused()),
        step("set", _invoking(_SET), refused()),
        step("invoke", _invoking(_INVOKE), refused()),
    )
