"""The profiles that come with the package."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devices.objects.roles import FACTORS, READINGS
from devices.objects.roles import ROLES as COMPUTED
from devices.profile import Profile, available, gas, load
from devices.profile.model import ROLES, ActionStep, Provenance, SetStep
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import CURRENT_ASSOCIATION
from dlms.cosem import classes, obis

FLAG_IDS = {
    "aclara": b"ACL",
    "honeywell_elster": b"ELR",
    "itron": b"ITR",
    "landis_gyr": b"LGB",
    "secure": b"EHL",
    "honeywell_elster_gas": b"ELR",
    "itron_gas": b"ITR",
    "landis_gyr_gas": b"LGB",
    "secure_gas": b"EHL",
}
SERIALS = (0, 1, 4711, 99_999_999)


@pytest.fixture(params=(*available(), *gas()))
def profile(request: pytest.FixtureRequest) -> Profile:
    return load(request.param)


def test_there_are_five_and_four() -> None:
    """Electricity meters of five manufacturers, gas meters of four of them."""
    assert {*available(), *gas()} == FLAG_IDS.keys()
    assert {load(name).name for name in (*available(), *gas())} == FLAG_IDS.keys()
    makers = [load(name).manufacturer for name in available()]
    assert len(set(makers)) == len(makers) == 5
    assert {load(f"{name}_gas").manufacturer for name in FLAG_IDS if f"{name}_gas" in FLAG_IDS} == (
        set(makers) - {"Aclara"}
    )


def test_names_say_what_is_measured() -> None:
    kinds = {name: load(name).kind for name in (*available(), *gas())}
    assert {name for name, kind in kinds.items() if kind == "electricity"} == set(available())
    assert {name for name, kind in kinds.items() if kind == "gas"} == set(gas())


def test_no_two_models_share_system_titles() -> None:
    titles = {load(name).system_title(1) for name in (*available(), *gas())}
    assert len(titles) == len(FLAG_IDS)


def test_category_1_is_secure_alone() -> None:
    """Letter, paragraph 10."""
    categories = {name: load(name).category for name in (*available(), *gas())}
    assert categories.pop("secure") == categories.pop("secure_gas") == 1
    assert set(categories.values()) == {2}


def test_both_ways_of_adding_credit_and_both_units_occur() -> None:
    profiles = [load(name) for name in (*available(), *gas())]
    assert {profile.top_up for profile in profiles} == {"credit", "token"}
    assert {profile.currency_scale for profile in profiles} == {-2, -5}


def test_names(profile: Profile) -> None:
    """System title: 8 octets; logical device name: at most 16. Both begin with the FLAG ID."""
    flag = FLAG_IDS[profile.name]
    for make, most in ((profile.system_title, 8), (profile.logical_device_name, 16)):
        names = [make(serial) for serial in SERIALS]
        assert all(name.startswith(flag) for name in names)
        assert all(len(name) <= most for name in names)
        assert len(set(names)) == len(SERIALS)
    assert {len(profile.system_title(serial)) for serial in SERIALS} == {8}
    assert all(profile.logical_device_name(serial).isalnum() for serial in SERIALS)


def test_a_serial_number_that_does_not_fit_is_refused(profile: Profile) -> None:
    with pytest.raises(OverflowError):
        profile.system_title(2**40)


def test_associations(profile: Profile) -> None:
    rows = profile.associations
    assert rows.keys() >= {"public", "s1sp", "dco"}
    saps = [(row.config.client_sap, row.config.server_sap) for row in rows.values()]
    assert len(set(saps)) == len(saps)
    assert {sap for _, sap in saps} == {profile.server_sap}
    assert rows["public"].config.mechanism is Mechanism.NONE
    assert rows["public"].config.client_sap == 16
    assert rows["public"].security_setup is None
    for name in ("s1sp", "dco"):
        assert rows[name].config.context is ApplicationContext.LN_CIPHERED
        assert rows[name].config.mechanism is Mechanism.HLS_GMAC
        assert rows[name].config.policy != 0
    assert all(row.name == name for name, row in rows.items())


def test_each_party_has_keys_of_its_own(profile: Profile) -> None:
    """Two hands on a critical instruction are two only if their keys are."""
    setups = [row.security_setup for row in profile.associations.values() if row.security_setup]
    assert len(setups) == len(set(setups)) >= 2
    for number in setups:
        setup = profile.objects[bytes((0, 0, 43, 0, number, 255))]
        assert setup.interface_class.class_id == classes.SECURITY_SETUP.class_id
        counter = profile.objects[bytes((0, 0, 43, 1, number, 255))]
        names = {n for n, row in profile.associations.items() if row.security_setup == number}
        assert {counter.role} == {f"invocation-counter {name}" for name in names}


def test_protection_is_never_less_than_the_policy(profile: Profile) -> None:
    for row in profile.associations.values():
        assert not row.config.policy & ~row.protection


def provenances(profile: Profile) -> Iterator[tuple[str, Provenance]]:
    yield from profile.provenance.items()
    for name, association in profile.associations.items():
        yield name, association.provenance
    for instance, row in profile.objects.items():
        yield obis.text(instance), row.provenance
    for name, instruction in profile.instructions.items():
        yield name, instruction.provenance


def test_every_fact_has_a_provenance(profile: Profile) -> None:
    for name, provenance in provenances(profile):
        assert provenance.text.strip(), name
        assert str(provenance).startswith("assumed: " if provenance.assumed else "source: ")
    identity = {name for name in profile.provenance if not name.startswith("habits.")}
    assert identity == {
        "kind",
        "manufacturer",
        "model",
        "flag_id",
        "category",
        "server_sap",
        "title_prefix",
        "ldn",
        "top_up",
        "currency_scale",
        "max_credit",
        "max_balance",
    }


def test_what_nobody_published_is_not_given_as_a_fact(profile: Profile) -> None:
    """How meters take credit, and what an Instruction consists of, is assumed or says so."""
    assert profile.provenance["top_up"].assumed
    for row in profile.instructions.values():
        assert "assumed" in str(row.provenance) or "arms in" in row.provenance.text


def test_the_objects_every_meter_needs(profile: Profile) -> None:
    found = {obis.text(instance): row.interface_class for instance, row in profile.objects.items()}
    assert profile.objects[CURRENT_ASSOCIATION].interface_class.name == "Association LN"
    assert found["0-0:41.0.0.255"] is classes.SAP_ASSIGNMENT
    assert profile.objects[obis.parse("0-0:42.0.0.255")].role == "logical-device-name"
    assert found["0-0:1.0.0.255"] is classes.CLOCK
    assert {classes.ACCOUNT, classes.CREDIT, classes.DISCONNECT_CONTROL} <= set(found.values())
    if profile.top_up == "token":
        assert classes.TOKEN_GATEWAY in found.values()
    assert all(row.instance == instance for instance, row in profile.objects.items())


def test_roles_are_the_same_in_profiles_and_behaviours() -> None:
    elsewhere = {"import-demand", "max-import-demand", "stored", "friendly-hours", *FACTORS}
    assert COMPUTED.keys() | READINGS.keys() | {"import-energy-rate"} == ROLES.keys() - elsewhere


def test_instructions_are_the_dcos_and_can_be_carried_out(profile: Profile) -> None:
    of_gas = {"set_calorific_value"} if profile.kind == "gas" else set()
    assert profile.instructions.keys() == of_gas | {
        "disable_supply",
        "activate_firmware",
        "arm_supply",
        "enable_supply",
        "set_clock",
        "set_payment_mode",
    }
    for row in profile.instructions.values():
        assert row.critical
        assert row.association == "dco"
        assert row.steps
        for step in row.steps:
            if isinstance(step, SetStep):
                target = profile.objects[step.attribute.instance]
                assert target.interface_class.class_id == step.attribute.class_id
                assert target.rights["dco"].attribute(step.attribute.attribute).writable
            else:
                assert isinstance(step, ActionStep)
                target = profile.objects[step.method.instance]
                assert step.method.method in target.rights["dco"].methods
                assert step.parameter is not None


def test_amounts_are_in_the_unit_of_the_currency_attribute(profile: Profile) -> None:
    currency = profile.objects[obis.parse("0-0:19.0.0.255")].values[15].value
    assert isinstance(currency, tuple)
    assert [part.value for part in currency] == ["GBP", profile.currency_scale, 2]
    assert 0 < profile.max_credit <= profile.max_balance


def test_repr_is_short(profile: Profile) -> None:
    assert repr(profile) == f"<Profile {profile.name}>"
