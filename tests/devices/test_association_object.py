"""What an association says of itself, and what the meter says of its addresses and names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.profile import available, gas
from dlms.axdr.data import NULL, DataType, array, integer
from dlms.cosem import classes, obis
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance

CURRENT = "0-0:40.0.0.255"
ASSOCIATIONS = ("public", "reader", "s1sp", "dco")
TITLES = {"s1sp": b"S1S\0\0\0\0\1", "dco": b"DCO\0\0\0\0\1"}

SELECTORS = {(7, 2): (1, 2), (15, 2): (1, 2, 3, 4)}
"""Access selectors of a buffer (Blue Book 4.3.6) and of an object_list (4.4.4)."""

every = pytest.mark.parametrize(
    ("name", "association"),
    [(name, who) for name in (*available(), *gas()) for who in ASSOCIATIONS],
)


@pytest.fixture
def meter(make_bench: Callable[..., Any], name: str) -> Any:
    return make_bench(name, client_titles=TITLES)


def types(data: Any) -> list[DataType]:
    return [part.type for part in data.value]


@every
def test_object_list_has_the_form_of_the_book(meter: Any, association: str) -> None:
    """array of structure{class lu, version u, name os6, rights{attributes, methods}} (4.4.4)."""
    conformance = meter.association(association).config.conformance
    elements = meter.value(CURRENT, 2, association)
    names = [element.value[2].value for element in elements]
    assert len(set(names)) == len(names)
    assert {len(name) for name in names} == {6}
    for element in elements:
        assert types(element) == [
            DataType.LONG_UNSIGNED,
            DataType.UNSIGNED,
            DataType.OCTET_STRING,
            DataType.STRUCTURE,
        ]
        rights = element.value[3]
        assert types(rights) == [DataType.ARRAY, DataType.ARRAY]
        for attribute in rights.value[0].value:
            number, _, selectors = attribute.value
            selective = Conformance.SELECTIVE_ACCESS in conformance
            known = SELECTORS.get((element.value[0].value, number.value)) if selective else None
            assert types(attribute)[:2] == [DataType.INTEGER, DataType.ENUM]
            assert selectors == (NULL if known is None else array(*map(integer, known)))
        # Version 0 says of a method only whether it may be invoked (Blue Book, 5).
        own = meter.profile.objects[obis.parse(CURRENT)].interface_class.version
        kind = DataType.BOOLEAN if own == 0 else DataType.ENUM
        for method in rights.value[1].value:
            assert types(method) == [DataType.INTEGER, kind]


@every
def test_each_association_sees_its_own(meter: Any, association: str) -> None:
    seen = {element.value[2].value for element in meter.value(CURRENT, 2, association)}
    rows = meter.profile.objects
    assert seen == {name for name, row in rows.items() if association in row.rights}
    if association == "public":
        assert seen < {e.value[2].value for e in meter.value(CURRENT, 2, "dco")} | {
            obis.parse("0-0:43.1.1.255")
        }


@every
def test_partners(meter: Any, association: str) -> None:
    config = meter.association(association).config
    partners = meter.get(CURRENT, 3, association)
    assert types(partners) == [DataType.INTEGER, DataType.LONG_UNSIGNED]
    assert [part.value for part in partners.value] == [config.client_sap, config.server_sap]
    found = meter.device.association(config.client_sap, config.server_sap)
    assert found is meter.association(association)


def test_addresses_that_nobody_has(bench: Any) -> None:
    for saps in ((99, 1), (16, 2), (0, 0)):
        assert bench.device.association(*saps) is None


@every
def test_context(meter: Any, association: str) -> None:
    config = meter.association(association).config
    assert meter.value(CURRENT, 4, association) == config.context.oid
    assert meter.value(CURRENT, 6, association) == config.mechanism.oid
    assert len(config.context.oid) == len(config.mechanism.oid) == 7
    assert meter.value(CURRENT, 8, association) == 2  # associated
    info = meter.get(CURRENT, 5, association)
    assert types(info) == [
        DataType.BIT_STRING,
        DataType.LONG_UNSIGNED,
        DataType.LONG_UNSIGNED,
        DataType.UNSIGNED,
        DataType.INTEGER,
        DataType.OCTET_STRING,
    ]
    bits, receive, send, version, quality, ciphering = (part.value for part in info.value)
    assert (receive, send) == (config.max_pdu_size, 0xFFFF)
    assert (version, quality, ciphering) == (6, 0, b"")
    assert len(bits) == 24
    # Bit 0 is the first: GET is bit 19, SELECTIVE_ACCESS 21, ACTION 23 (Green Book 9.4.6.1).
    places = {Conformance.GET: 19, Conformance.SELECTIVE_ACCESS: 21, Conformance.ACTION: 23}
    for service, place in places.items():
        assert (bits[place] == "1") is (service in config.conformance)


@every
def test_security_setup_reference(meter: Any, association: str) -> None:
    number = meter.association(association).security_setup
    if meter.profile.objects[obis.parse(CURRENT)].interface_class.version == 0:
        assert meter.get(CURRENT, 9, association) is DataAccessResult.OBJECT_UNDEFINED
        return
    reference = meter.value(CURRENT, 9, association)
    if number is None:
        assert reference == bytes(6)  # no object
        return
    assert reference == bytes((0, 0, 43, 0, number, 255))
    setup = meter.profile.objects[reference].interface_class
    assert setup.class_id == classes.SECURITY_SETUP.class_id
    code = obis.text(reference)
    policy = meter.association(association).config.policy
    # Version 1 has bits of their own for requests and responses (Blue Book 4.4.7).
    wanted = policy >> 4 if setup.version == 0 else policy >> 2 | policy << 1
    assert meter.value(code, 2, association) == wanted
    assert meter.value(code, 3, association) == 0  # suite 0
    assert meter.value(code, 4, association) == TITLES[association]
    assert meter.value(code, 5, association) == meter.device.title


def test_without_a_registered_client_the_title_is_empty(bench: Any) -> None:
    assert bench.value("0-0:43.0.2.255", 4) == b""


@every
def test_the_secret_is_never_read(meter: Any, association: str) -> None:
    assert meter.get(CURRENT, 7, association) == 3
    assert meter.operations == []


@every
def test_sap_list_and_names(meter: Any, association: str) -> None:
    saps = meter.get("0-0:41.0.0.255", 2, association)
    assert [types(element) for element in saps.value] == [
        [DataType.LONG_UNSIGNED, DataType.OCTET_STRING]
    ]
    ((sap, name),) = [[part.value for part in element.value] for element in saps.value]
    assert sap == meter.profile.server_sap
    assert name == meter.value("0-0:42.0.0.255", 2, association)
    assert name == meter.profile.logical_device_name(7)
    assert meter.value("0-0:96.1.0.255", 2, association) == "00000007"


def test_the_invocation_counter_is_the_floor_of_that_associations_key(bench: Any) -> None:
    """R-IC-10: readable without keys, so that a client can begin."""
    state, device = bench.device.state, bench.device
    keys = {who: device.keys(device.profile.associations[who]).guek for who in ("s1sp", "dco")}
    state.counters.accept(keys["s1sp"], 41)
    state.counters.accept(keys["dco"], 0xFFFFFFFE)
    for who in ("public", "s1sp"):
        assert bench.value("0-0:43.1.1.255", 2, who) == 42
    for who in ("public", "dco"):
        assert bench.value("0-0:43.1.2.255", 2, who) == 0xFFFFFFFF


def test_keys_of_an_association(make_bench: Callable[..., Any]) -> None:
    """A secret for low level security, keys for ciphering, both for both, nothing for nobody."""
    extra = '[associations.s1sp]\nmechanism = "LLS"\n'
    meter = make_bench("secure", extra)
    keys = {who: meter.device.keys(meter.association(who)) for who in ASSOCIATIONS}
    there = {
        who: [n for n, key in row._asdict().items() if key is not None] for who, row in keys.items()
    }
    assert there["public"] == []
    assert there["reader"] == ["secret"]
    assert there["s1sp"] == ["guek", "gak", "secret", "kek"]
    assert there["dco"] == ["guek", "gak", "kek"]
    everything = [key for row in keys.values() for key in row if key is not None]
    assert len(set(everything)) == len(everything)
    assert {key.holder for key in everything} == {meter.device.title}


def test_the_offer_is_the_configuration_as_registered_and_activated(bench: Any) -> None:
    row = bench.association("s1sp")
    bench.device.client_titles["s1sp"] = TITLES["s1sp"]
    offer = bench.device.offer(row, b"channel!")
    assert offer.config.client_title == TITLES["s1sp"]
    assert (offer.own_title, offer.channel_title) == (bench.device.title, b"channel!")
    assert offer.counters is bench.device.state.counters
    assert offer.keys == bench.device.keys(row)
    assert row.config.client_title is None  # the profile is shared and stays as it is


def test_repr_names_the_meter(bench: Any) -> None:
    assert repr(bench.device) == "<Device secure 7>"
