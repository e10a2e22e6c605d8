"""The laboratory's own meter: everything at least once, and all of it consistent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.profile import available, every, gas, load
from dlms import axdr
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import CURRENT_ASSOCIATION
from dlms.association.knobs import LEGACY, PRESETS
from dlms.axdr.data import Data
from dlms.cosem import classes, obis
from dlms.cosem.fitting import misfit
from dlms.security.control import Protection
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest

PROFILE = load("laboratory")
LN = [name for name, row in PROFILE.associations.items() if not row.config.short_names]


@pytest.fixture
def lab(make_bench: Callable[..., Any]) -> Any:
    return make_bench("laboratory")


def test_it_is_no_part_of_the_demonstration() -> None:
    assert "laboratory" not in available()
    assert set(every()) == {*available(), *gas(), "laboratory"}


def test_every_interface_class_is_there() -> None:
    rows = (*PROFILE.objects.values(), *PROFILE.short_names.objects.values())
    assert {row.interface_class.class_id for row in rows} == set(classes.BY_ID)


def test_what_the_associations_offer() -> None:
    rows = PROFILE.associations.values()
    configs = [row.config for row in rows]
    assert {config.context for config in configs} == set(ApplicationContext)
    # Mechanism 2 is a manufacturer's computation, and no profile can say it.
    assert {config.mechanism for config in configs} == set(Mechanism) - {Mechanism.HLS}
    assert {config.suite for config in configs} == {0, 1, 2}
    assert {row.name for row in rows if row.config.pre_established} == {
        "alerts",
        "pre_established",
        "broadcast",
    }
    assert [row.name for row in rows if row.config.broadcast] == ["broadcast"]
    assert [row.name for row in rows if row.config.unconfirmed] == ["unconfirmed"]
    assert PROFILE.associations["users"].users == {1: "installer", 2: "inspector"}
    assert PROFILE.associations["users"].config.users == {1, 2}
    offered = Conformance(0)
    for config in configs:
        offered |= config.conformance
    assert set(Conformance) - set(offered) == {Conformance.DELTA_VALUE_ENCODING}
    in_blocks = {
        row.name: row.config.block_window
        for row in rows
        if row.config.conformance & Conformance.GENERAL_BLOCK_TRANSFER
    }
    assert in_blocks == {
        "reader": 8,
        "dco": 8,
        "md5": 63,
        "suite1": 4,
        "small": 1,
        "broadcast": 1,
        "unconfirmed": 1,
    }
    assert PROFILE.associations["sha1"].config.knobs == PRESETS["field"]
    legacy = PROFILE.associations["legacy"].config.knobs
    assert legacy.answer_form is LEGACY.answer_form
    assert legacy.exception_codes is not LEGACY.exception_codes


def test_every_fact_is_assumed_or_has_a_source() -> None:
    for row in (*PROFILE.objects.values(), *PROFILE.short_names.objects.values()):
        assert row.provenance.text
    assert all(found.assumed or found.text for found in PROFILE.provenance.values())


ALL = Protection.BOTH | Protection.SIGNED


@pytest.mark.parametrize("association", LN)
def test_every_attribute_reads_as_its_class_says_or_is_refused(lab: Any, association: str) -> None:
    """With all protection there is: what a right asks for beside is another test's."""
    read = 0
    for instance, row in PROFILE.objects.items():
        rights = row.rights.get(association)
        for number in range(1, 26):
            what = AttributeDescriptor(row.interface_class.class_id, instance, number)
            result = lab.handle(GetRequest(0, what), association, ALL).result
            attribute = row.interface_class.attribute(number)
            where = (obis.text(instance), number)
            if rights is None or attribute is None:
                assert result is DataAccessResult.OBJECT_UNDEFINED, where
            elif not rights.attribute(number).readable:
                assert result is DataAccessResult.READ_WRITE_DENIED, where
            else:
                assert isinstance(result, Data), (where, result)
                assert misfit(attribute.shape, result) is None, where
                assert axdr.decode(axdr.encode(result)) == result, where
                read += 1
    assert read or association == "broadcast"  # which is never answered


def test_rights_are_those_of_another_where_there_are_none() -> None:
    for row in PROFILE.objects.values():
        assert row.rights.get("sha1") == row.rights.get("reader")
    own = PROFILE.objects[CURRENT_ASSOCIATION].rights
    assert own["sha256"] != own["reader"]
    assert own["sha256"].methods == {2}


def test_each_has_keys_of_its_own_kind(lab: Any) -> None:
    def keys(name: str) -> set[str]:
        found = lab.device.keys(lab.association(name))._asdict()
        return {key for key, ref in found.items() if ref is not None}

    assert keys("public") == keys("pre_established") == set()
    assert keys("small") == {"secret"}
    assert keys("md5") == keys("sha1") == {"hls_secret"}
    assert keys("sha256") == {"hls_secret", "guek", "gak", "kek"}
    pairs = {"guek", "gak", "kek", "signing_key", "agreement_key"}
    assert keys("ecdsa2") == keys("suite1") == pairs
    assert keys("broadcast") == {"guek", "gak", "gbek", "kek"}


def test_errors_in_rights_as(make_bench: Callable[..., Any]) -> None:
    for wrong, why in (("nobody", "'nobody'"), ("md5", "from another itself"), ("sha1", "itself")):
        with pytest.raises(ValueError, match=why):
            make_bench("laboratory", f'[associations.sha1]\nrights_as = "{wrong}"\n')
