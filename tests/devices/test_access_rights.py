"""What an association may do is exactly what its object_list says (X_ACL)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from devices.profile import available, gas, load
from devices.profile.model import ActionStep, SetStep
from dlms.axdr.data import NULL, Data, DataType
from dlms.cosem import classes, obis
from dlms.cosem.shape import types_of
from dlms.xdlms.codes import ActionResult, DataAccessResult

ASSOCIATIONS = ("public", "reader", "s1sp", "dco")
CURRENT = "0-0:40.0.0.255"
DENIED = 3
UNDEFINED = 4

CASES = [(name, who) for name in (*available(), *gas()) for who in ASSOCIATIONS]


class Seen(NamedTuple):
    """What an object_list says of one object."""

    class_id: int
    version: int
    attributes: dict[int, int]
    methods: dict[int, int]


def object_list(meter: Any, association: str) -> dict[bytes, Seen]:
    found = {}
    for element in meter.value(CURRENT, 2, association):
        class_id, version, instance, rights = (part.value for part in element.value)
        attributes, methods = (part.value for part in rights)
        found[instance] = Seen(
            class_id,
            version,
            {part.value[0].value: part.value[1].value for part in attributes},
            {part.value[0].value: part.value[1].value for part in methods},
        )
    return found


@pytest.mark.parametrize(("name", "association"), CASES)
def test_reading_agrees(make_bench: Callable[..., Any], name: str, association: str) -> None:
    meter = make_bench(name)
    seen = object_list(meter, association)
    for instance in meter.profile.objects:
        for number in range(1, 24):
            result = meter.get(obis.text(instance), number, association)
            mode = seen[instance].attributes.get(number) if instance in seen else None
            if mode is None:
                assert result is DataAccessResult.OBJECT_UNDEFINED
            elif mode & 1:
                assert isinstance(result, Data)
            else:
                assert result is DataAccessResult.READ_WRITE_DENIED


def class_of(meter: Any, instance: bytes) -> int:
    class_id: int = meter.profile.objects[instance].interface_class.class_id
    return class_id


@pytest.mark.parametrize(("name", "association"), CASES)
def test_writing_agrees(make_bench: Callable[..., Any], name: str, association: str) -> None:
    """Writable: what is there can be written back, but for wrong types, and for the title of a
    client where none is registered. Else: denied.
    """
    meter = make_bench(name)
    seen = object_list(meter, association)
    for instance, number in itertools.product(meter.profile.objects, range(1, 24)):
        code = obis.text(instance)
        mode = seen[instance].attributes.get(number) if instance in seen else None
        present = meter.get(code, number, association)
        value = present if isinstance(present, Data) else NULL
        result = meter.set(code, number, value, association)
        if mode is None:
            assert result == UNDEFINED
        elif mode & 2:
            wanted = DataAccessResult.SUCCESS if mode & 1 else DataAccessResult.TYPE_UNMATCHED
            if (class_of(meter, instance), number, value.value) == (64, 4, b""):
                wanted = DataAccessResult.OTHER_REASON
            assert result is wanted
            assert meter.get(code, number, association) == present
        else:
            assert result == DENIED


@pytest.mark.parametrize(("name", "association"), CASES)
def test_methods_agree(make_bench: Callable[..., Any], name: str, association: str) -> None:
    """A method that may be invoked is not denied, and it tries to do something."""
    meter = make_bench(name)
    seen = object_list(meter, association)
    for instance, number in itertools.product(meter.profile.objects, range(12)):
        code = obis.text(instance)
        mode = seen[instance].methods.get(number) if instance in seen else None
        interface_class = meter.profile.objects[instance].interface_class
        method = interface_class.method(number)
        types = () if method is None else types_of(method.parameter)
        parameter = Data(types[0], SAMPLE[types]) if types else NULL
        result = meter.act(code, number, parameter, association)
        if mode is None:
            assert result == UNDEFINED
        elif mode:
            # A sample of a structure is empty, and fits no class.
            assert result in (
                ActionResult.SUCCESS,
                ActionResult.OTHER_REASON,
                ActionResult.TYPE_UNMATCHED,
            )
        else:
            assert result == DENIED


SAMPLE = {
    (DataType.INTEGER,): 0,
    (DataType.LONG,): 0,
    (DataType.LONG_UNSIGNED,): 0,
    (DataType.DOUBLE_LONG,): 0,
    (DataType.ENUM,): 0,
    (DataType.OCTET_STRING,): b"",
    (DataType.ARRAY,): (),
    (DataType.STRUCTURE,): (),
}


@pytest.mark.parametrize(("name", "association"), CASES)
def test_the_list_is_complete(make_bench: Callable[..., Any], name: str, association: str) -> None:
    """All the objects the association has a right on, with all their attributes and methods."""
    meter = make_bench(name)
    seen = object_list(meter, association)
    rows = meter.profile.objects
    assert seen.keys() == {i for i, row in rows.items() if association in row.rights}
    for instance, found in seen.items():
        interface_class = rows[instance].interface_class
        assert (found.class_id, found.version) == interface_class[:2]
        numbers = [1, *(attribute.number for attribute in interface_class.attributes)]
        assert list(found.attributes) == numbers
        assert list(found.methods) == [method.number for method in interface_class.methods]
        assert found.attributes[1] == 1
        assert set(found.attributes.values()) <= {0, 1, 2, 3}
        assert set(found.methods.values()) <= {0, 1}


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_the_supply_the_clock_and_the_payment_mode_are_the_dcos_alone(name: str) -> None:
    """Critical: neither the S1SP by itself nor anyone without keys may."""
    critical = {
        classes.DISCONNECT_CONTROL: ({4}, {1, 2}),
        classes.CLOCK: ({2}, {1, 3, 6}),
        classes.ACCOUNT: ({2}, set()),
    }
    profile = load(name)
    found = set()
    for row in profile.objects.values():
        if row.interface_class not in critical:
            continue
        found.add(row.interface_class)
        attributes, methods = critical[row.interface_class]
        for association, rights in row.rights.items():
            writable = {n for n, mode in rights.attributes.items() if mode.writable}
            if association == "dco":
                assert writable == attributes
                assert rights.methods == methods
            else:
                assert writable == set()
                assert rights.methods == set()
    assert found == set(critical)


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_every_step_of_a_critical_instruction_is_the_dcos_alone(name: str) -> None:
    profile = load(name)
    for row in profile.instructions.values():
        assert row.critical
        for step in row.steps:
            target = step.attribute if isinstance(step, SetStep) else step.method
            for association, rights in profile.objects[target.instance].rights.items():
                if association == row.association:
                    continue
                if isinstance(step, ActionStep):
                    assert step.method.method not in rights.methods
                else:
                    assert not rights.attribute(step.attribute.attribute).writable


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_without_keys_nothing_changes(name: str) -> None:
    """The public client and the password may only read."""
    profile = load(name)
    for row in profile.objects.values():
        for association, rights in row.rights.items():
            if profile.associations[association].security_setup is None:
                assert not rights.methods
                assert not any(mode.writable for mode in rights.attributes.values())


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_the_public_client_reads_no_consumption_and_no_money(name: str) -> None:
    """X_PUBLIC_MIN."""
    private = {
        classes.REGISTER,
        classes.PROFILE_GENERIC,
        classes.ACCOUNT,
        classes.CREDIT,
        classes.CHARGE,
        classes.TOKEN_GATEWAY,
        classes.DISCONNECT_CONTROL,
    }
    rows = load(name).objects.values()
    assert not [row for row in rows if "public" in row.rights and row.interface_class in private]


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_the_s1sp_may_add_credit_by_the_way_its_meter_has(
    make_bench: Callable[..., Any], name: str
) -> None:
    """Add credit is a Command of the S1SP; setting a balance is not, and is the DCO's."""
    rows = load(name).objects
    assert 1 in rows[obis.parse("0-0:19.10.0.255")].rights["s1sp"].methods
    assert 1 in rows[obis.parse("0-0:19.40.0.255")].rights["s1sp"].methods
    assert {
        who
        for who, rights in rows[obis.parse("0-0:19.10.0.255")].rights.items()
        if 2 in rights.methods
    } == {"dco"}


def test_write_only_and_nothing_at_all(make_bench: Callable[..., Any]) -> None:
    """No profile has these, but a profile may."""
    rights = '[objects."0-0:1.0.0.255"]\nrights.dco = "r 2w"\nrights.s1sp = "-"\n'
    meter = make_bench("secure", rights)
    code = "0-0:1.0.0.255"
    written = meter.get(code, 2, "reader")
    assert meter.get(code, 2, "dco") is DataAccessResult.READ_WRITE_DENIED
    assert meter.set(code, 2, written, "dco") is DataAccessResult.SUCCESS
    assert object_list(meter, "dco")[obis.parse(code)].attributes[2] == 2
    for number in range(1, 10):
        assert meter.get(code, number, "s1sp") is DataAccessResult.READ_WRITE_DENIED
        assert object_list(meter, "s1sp")[obis.parse(code)].attributes[number] == 0
