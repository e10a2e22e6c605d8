"""Everything that our client can ask of a meter: each attribute, lists, ACCESS, short names, values
so long that they go in blocks; with the look-outs of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from dlms.axdr.data import (
    Data,
    array,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
    visible_string,
)
from dlms.client.access import read_by_access
from dlms.client.effects import Dialogue
from dlms.client.short_names import ShortNameDialogues
from dlms.cosem.security_setup import ByEntity, BySerial, Entity
from dlms.security.asymmetric import CertificatePurpose
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.variable_access import VariableName
from emulator.fuzz import actions
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.speaking import said
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import STRAIGHT

READERS = (
    ClientKind(association="reader"),
    ClientKind(association="reader", max_pdu_size=100),
    ClientKind(association="dco"),
    ClientKind(association="dco", max_pdu_size=120),
    ClientKind(association="suite1", max_pdu_size=200),
    ClientKind(association="md5", max_pdu_size=80),
    ClientKind(association="small"),
    ClientKind(association="users", user=1),
)
"""Clients that read: in one APDU, in blocks, in general blocks, plain and ciphered."""
BY_SHORT_NAMES = (
    ClientKind(association="sn"),
    ClientKind(association="sn", max_pdu_size=100),
    ClientKind(association="sn_ciphered", max_pdu_size=160),
)
AT_ONCE = 6
"""Attributes that are asked for in one list."""
OBJECT_LIST = AttributeDescriptor(15, bytes((0, 0, 40, 0, 0, 255)), 2)
SELECTIONS = (
    SelectiveAccess(1, integer(0)),
    SelectiveAccess(2, array(long_unsigned(15), long_unsigned(64))),
    SelectiveAccess(3, array(structure(long_unsigned(15), octet_string(OBJECT_LIST.instance)))),
    SelectiveAccess(4, structure(long_unsigned(15), octet_string(OBJECT_LIST.instance))),
    SelectiveAccess(9, integer(0)),
)
"""Of the object_list: without rights, by class, by object, one, and none that there is."""
LONG = octet_string(bytes(3000))
ADD_USER, REMOVE_USER = (MethodDescriptor(15, OBJECT_LIST.instance, number) for number in (5, 6))
NOBODYS = ByEntity(Entity.CLIENT, CertificatePurpose.SIGNATURE, bytes(8))


What: TypeAlias = Callable[[InProcess, BenchClient], Iterator[Dialogue[Any]]]


def asking() -> None:
    """``AssertionError`` if a client is not let in, or something is broken that must never be."""
    for kind in READERS:
        _ask(kind, _by_logical_names)
    for kind in BY_SHORT_NAMES:
        _ask(kind, _by_short_names)


def _ask(kind: ClientKind, what: What) -> None:
    name = kind.association
    target = InProcess(clients={name: kind})
    opened = target.do(actions.Open(client=name))
    if opened.outcome is not Outcome.ACCEPTED:
        raise AssertionError(f"{name}: {opened.says}")
    client = target.world.client(name)
    for dialogue in what(target, client):
        said(target.world, client, lambda one=dialogue: one, STRAIGHT)  # type: ignore[misc]
    target.do(actions.Release(client=name))
    if target.look().breaches:
        raise AssertionError(f"{name}: {target.look().breaches[0]}")


def _attributes(target: InProcess, name: str) -> list[AttributeDescriptor]:
    return [
        AttributeDescriptor(row.interface_class.class_id, row.instance, member.number)
        for row in target.world.profile.objects.values()
        if name in row.rights
        for member in row.interface_class.attributes
    ]


def _by_logical_names(target: InProcess, client: BenchClient) -> Iterator[Dialogue[Any]]:
    dialogues, talk = client.dialogues, client.dialogues.talk
    attributes = _attributes(target, client.row.name)
    for attribute in attributes:
        yield dialogues.get(attribute)
    for selection in SELECTIONS:
        yield dialogues.get(OBJECT_LIST, selection)
    for at in range(0, len(attributes), AT_ONCE):
        items = [(one, None) for one in attributes[at : at + AT_ONCE]]
        yield dialogues.get_list(items)
        yield read_by_access(talk, items)
    several = [(one, None) for one in attributes[:3]]
    yield dialogues.set(attributes[0], LONG)
    yield dialogues.set_list(several, [LONG] * 3)
    methods = [MethodDescriptor(3, bytes(6), number) for number in (1, 2)]
    yield dialogues.action(methods[0], LONG)
    yield dialogues.action_list(methods, [LONG] * 2)
    user = structure(unsigned(7), visible_string("learner"))
    for method in (ADD_USER, REMOVE_USER, REMOVE_USER):
        yield dialogues.action(method, user)
    if client.setup is not None:
        yield client.setup.certificates()
        yield client.setup.certificate_request(CertificatePurpose.SIGNATURE)
        yield client.setup.generate_key_pair(CertificatePurpose.KEY_AGREEMENT)
        for named in (NOBODYS, BySerial(b"\x01", b"0")):
            yield client.setup.export_certificate(named)
            yield client.setup.remove_certificate(named)


def _by_short_names(target: InProcess, client: BenchClient) -> Iterator[Dialogue[Any]]:
    dialogues = ShortNameDialogues(client.dialogues.talk)
    bases = target.world.profile.short_names.bases
    names = [base + 8 * number for base in bases.values() for number in range(4)]
    for name in names:
        yield dialogues.read(name)
    for at in range(0, len(names), AT_ONCE):
        yield dialogues.read_list([VariableName(name=one) for one in names[at : at + AT_ONCE]])
    association = _OBJECT_LIST_BY_SHORT_NAME
    for selector, parameter in _SELECTED_BY_SHORT_NAME:
        yield dialogues.read(association, SelectiveAccess(selector, parameter))
    yield dialogues.write(names[0], octet_string(bytes(6)))
    yield dialogues.write_list([VariableName(name=one) for one in names[:3]], [LONG] * 3)
    for method in range(8):
        yield dialogues.act(0xFA20 + 8 * method, integer(0), returns=method % 2 == 0)


_OBJECT_LIST_BY_SHORT_NAME = 0xFA08
_SELECTED_BY_SHORT_NAME: tuple[tuple[int, Data], ...] = (
    (1, long_unsigned(12)),
    (2, structure(long_unsigned(12), octet_string(OBJECT_LIST.instance))),
    (3, integer(0)),
)
