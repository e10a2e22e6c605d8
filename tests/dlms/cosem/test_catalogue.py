"""OBIS codes by name and in words, against the Blue Book's rules read by hand."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.cosem import catalogue, classes, obis
from dlms.cosem.catalogue_rows import parse

IMPORT = "active energy import"

NAMED = [
    ("1-0:1.8.0", "active_energy_import", "active energy import, total", 3),
    ("1-0:1.8.1", "active_energy_import_tariff_1", "active energy import, total, tariff 1", 3),
    ("1-0:2.8.0", "active_energy_export", "active energy export, total", 3),
    ("1-0:3.8.0", "reactive_energy_import", "reactive energy import, total", 3),
    ("1-0:8.8.0", "reactive_energy_qiv", "reactive energy QIV, total", 3),
    ("1-0:15.8.0", "active_energy_absolute", "active energy absolute, total", 3),
    (
        "1-0:1.9.3",
        "active_energy_import_billing_period_tariff_3",
        "active energy import, current billing period, tariff 3",
        3,
    ),
    ("1-0:1.29.0", "active_energy_import_interval_1", f"{IMPORT}, recording interval 1", 3),
    ("1-0:1.7.0", "active_power_import", "active power import, instantaneous", 3),
    ("1-0:1.4.0", "active_power_import_average", "active power import, current average 1", 5),
    ("1-0:1.6.0", "active_power_import_maximum", "active power import, maximum 1", 4),
    (
        "1-0:1.6.0.126",
        "active_power_import_maximum_billing_126",
        "active power import, maximum 1, most recent billing periods",
        4,
    ),
    ("1-0:41.7.0", "active_power_import_l2", "active power import L2, instantaneous", 3),
    ("1-0:62.8.0", "active_energy_export_l3", "active energy export L3, total", 3),
    ("1-0:32.7.0", "voltage_l1", "voltage L1, instantaneous", 3),
    ("1-0:71.7.0", "current_l3", "current L3, instantaneous", 3),
    ("1-0:32.7.3", "voltage_l1_harmonic_3", "voltage L1, instantaneous, harmonic 3", 3),
    ("1-0:31.7.120", "current_l1_harmonic_120", "current L1, instantaneous, harmonic 120", 3),
    ("1-0:31.7.124", "current_l1_thd", "current L1, instantaneous, total harmonic distortion", 3),
    ("1-0:52.37.0", "voltage_l2_over_limit_duration", "voltage L2, over limit duration", 3),
    ("1-0:12.8.0", "voltage_integral_1", "voltage, time integral 1", 3),
    ("1-0:13.7.0", "power_factor", "power factor, instantaneous", 3),
    ("1-0:14.7.0", "frequency", "frequency, instantaneous", 3),
    ("1-1:14.7.0", "frequency_channel_1", "frequency, instantaneous, channel 1", 3),
    ("1-0:81.7.4", "angle_i_l1_to_u_l1", "angle of I L1 to U L1", 3),
    ("1-0:81.7.10", "angle_u_l1_to_u_l2", "angle of U L1 to U L2", 3),
    ("7-0:3.0.0", "gas_volume_forward", "gas, volume forward, at metering conditions", 3),
    ("7-0:3.2.0", "gas_volume_forward_base", "gas, volume forward, at base conditions", 3),
    ("6-0:1.0.0", "heat_energy", "heat, energy, current value", 3),
    ("8-0:1.0.0", "cold_water_volume", "cold water, accumulated volume, current value", 3),
    ("0-0:1.0.0", "clock", "clock", 8),
    ("0-0:10.0.107", "script_image_activation", "script table, image activation", 9),
    ("0-0:13.0.0", "activity_calendar", "activity calendar", 20),
    ("0-0:17.0.0", "limiter", "limiter", 71),
    ("0-0:19.0.0", "account", "account", 111),
    ("0-0:19.10.1", "credit_1", "credit 1", 112),
    ("0-0:19.20.0", "charge", "charge", 113),
    ("0-0:19.40.0", "token_gateway", "token gateway", 115),
    ("0-0:19.41.2", "token_gateway_41_2", "token gateway 41 2", 115),
    ("0-1:24.1.0", "mbus_client_channel_1", "M-Bus client, channel 1", 72),
    ("0-0:25.9.0", "push_setup", "push setup", 40),
    ("0-0:40.0.0", "current_association", "current association", 15),
    ("0-0:40.0.1", "association_1", "association 1", 15),
    ("0-0:42.0.0", "logical_device_name", "COSEM logical device name", 1),
    ("0-0:43.0.1", "security_setup_1", "security setup 1", 64),
    ("0-0:43.1.0", "invocation_counter", "invocation counter", 1),
    ("0-0:43.1.2", "invocation_counter_2", "invocation counter 2", 1),
    ("0-0:44.0.0", "image_transfer", "image transfer", 18),
    ("0-0:96.1.0", "device_id_1", "device ID 1, manufacturing number", 1),
    ("0-0:96.3.10", "disconnect_control", "disconnect control", 70),
    ("0-0:96.7.21", "power_failures", "number of power failures, any phase", 1),
    ("0-0:96.11.1", "event_code_1", "event code 1", 1),
    ("0-0:96.14.0", "active_tariff", "currently active tariff", 1),
    ("0-0:97.97.0", "error_register", "error register", 1),
    ("0-0:97.98.0", "alarm_register", "alarm register", 1),
    ("0-0:97.98.10", "alarm_filter", "alarm filter", 1),
    ("0-0:97.98.21", "alarm_descriptor_21", "alarm descriptor 21", 1),
    ("1-0:99.1.0", "load_profile", "load profile with recording period 1", 7),
    ("0-0:98.1.0", "billing_profile", "data of billing period", 7),
    ("0-0:98.1.0.3", "billing_profile_billing_3", "data of billing period, billing period 3", 7),
    ("0-0:99.98.2", "event_log_2", "event log 2", 7),
    ("0-0:94.44.128.22", "gb_disablement_threshold", "GB, disablement threshold", 9000),
    ("1-0:11.7.0.103", "current_billing_103", "current, instantaneous, last billing period 3", 3),
]  # fmt: skip
DESCRIBED = [
    ("0-0:199.0.0", "abstract, manufacturer specific, 0-0:199.0.0.255"),
    ("1-130:1.8.0", "electricity, manufacturer specific, 1-130:1.8.0.255"),
    ("1-0:1.8.64", "electricity, not in the catalogue, 1-0:1.8.64.255"),
    ("1-0:32.7.121", "electricity, not in the catalogue, 1-0:32.7.121.255"),
    ("1-0:81.7.3", "electricity, not in the catalogue, 1-0:81.7.3.255"),
    ("0-0:1.0.0.3", "abstract, not in the catalogue, 0-0:1.0.0.3"),
    ("3-0:1.0.0", "medium 3, not in the catalogue, 3-0:1.0.0.255"),
]


@pytest.mark.parametrize(("code", "name", "text", "class_id"), NAMED)
def test_names_both_ways(code: str, name: str, text: str, class_id: int) -> None:
    octets = obis.parse(code)
    assert catalogue.name(octets) == name
    assert catalogue.describe(octets) == text
    assert catalogue.usual_class(octets) == class_id
    assert catalogue.lookup(name) == octets
    assert catalogue.lookup(code) == octets
    assert catalogue.lookup(octets) == octets
    assert catalogue.lookup(name.replace("_", "-").upper()) == octets


@pytest.mark.parametrize(("code", "text"), DESCRIBED)
def test_codes_without_a_name(code: str, text: str) -> None:
    octets = obis.parse(code)
    assert catalogue.describe(octets) == text
    assert catalogue.name(octets) is None
    assert catalogue.usual_class(octets) is None


@given(st.binary(min_size=6, max_size=6))
def test_every_code_is_described_and_a_name_is_of_one_code(code: bytes) -> None:
    assert catalogue.describe(code)
    name = catalogue.name(code)
    assert (name is None) is (catalogue.usual_class(code) is None)
    if name is not None:
        assert catalogue.lookup(name) == code


likely = st.builds(
    lambda a, b, c, d, e, f: bytes((a, b, c, d, e, f)),
    st.sampled_from([0, 1, 6, 7, 8]),
    st.sampled_from([0, 0, 0, 1, 64, 65]),
    st.sampled_from([0, 1, 2, 12, 19, 24, 31, 40, 43, 52, 81, 94, 96, 97, 98, 99, 124]),
    st.integers(0, 99),
    st.integers(0, 128),
    st.sampled_from([255, 255, 255, 0, 12, 99, 100, 101, 126]),
)


@given(likely)
def test_names_of_likely_codes_are_of_one_code(code: bytes) -> None:
    name = catalogue.name(code)
    if name is not None:
        assert catalogue.lookup(name) == code
        assert name == name.lower()
        assert " " not in name


def test_every_name_is_looked_up() -> None:
    """Rows and rules have one name for a code; an alias is a second one."""
    names = catalogue.names()
    assert len(set(names)) == len(names) > 5000
    aliases = 0
    for name in names:
        code = catalogue.lookup(name)
        aliases += catalogue.name(code) != name
    assert aliases == 12


def test_every_code_of_every_row_has_a_name_of_its_own() -> None:
    """All rows, in three channels, each number of each group: no two codes share a name."""
    rows = catalogue._catalogue().rows.by_name.values()
    assert len(rows) > 350
    seen: dict[str, bytes] = {}
    for row in rows:
        ranges = [range(low, high + 1) for low, high in row.groups]
        ranges[1] = range(row.groups[1][0], min(row.groups[1][1], 1) + 1)
        for groups in itertools.product(*ranges):
            code = bytes(groups)
            name = catalogue.name(code)
            assert name is not None
            assert seen.setdefault(name, code) == code
            assert catalogue.lookup(name) == code
            usual = catalogue.usual_class(code)
            # Of power line and hybrid networks some are named whose classes are not tabulated.
            assert usual in classes.BY_ID or usual in {90, 91, 92, 140, 141, 142, 143}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            "active_energy",
            "may be active_energy_import, active_energy_export, active_energy_absolute",
        ),
        ("active_energy_imprt", "no name of one; near are active_energy_import"),
        ("clok", "near are clock"),
        ("active_energy_import_tariff_64", "no name of one"),
        ("active_energy_import_tariff_0", "no name of one"),
        ("active_energy_import_tariff_01", "no name of one"),
        ("voltage_l1_tariff_3", "no name of one"),
        ("voltage_l1_channel_0", "no name of one"),
        ("voltage_l1_channel_65", "no name of one"),
        ("voltage_l1_billing_255", "no name of one"),
        ("voltage_l1_billing_999", "no name of one"),
        ("clock_billing_3", "no name of one"),
        ("invocation_counter_0", "no name of one"),
        ("invocation_counter_128", "no name of one"),
        ("invocation_counter_1_1", "no name of one"),
        ("association", "may be association_1"),
        ("association_128", "no name of one"),
        ("credit_10_1", "no name of one"),
        ("", "'' is no OBIS code and no name of one"),
        ("x" * 5000, "xxx..."),
        ("1-0:256.8.0", "no OBIS code"),
    ],
)
def test_what_is_no_name(wanted: str, message: str) -> None:
    with pytest.raises(KeyError) as caught:
        catalogue.lookup(wanted)
    assert message in caught.value.args[0]
    assert len(caught.value.args[0]) < 500


@given(st.text(max_size=40))
def test_any_text_is_looked_up_or_refused(text: str) -> None:
    try:
        code = catalogue.lookup(text)
    except KeyError:
        return
    assert len(code) == 6


@pytest.mark.parametrize("octets", [b"", bytes(5), bytes(7)])
def test_six_octets(octets: bytes) -> None:
    with pytest.raises(KeyError, match="six octets"):
        catalogue.lookup(octets)
    for ask in (catalogue.name, catalogue.describe, catalogue.usual_class):
        with pytest.raises(ValueError, match="6 octets"):
            ask(octets)


@pytest.mark.parametrize(
    ("pattern", "groups"),
    [
        ("0-b:43.1.e", ((0, 0), (0, 64), (43, 43), (1, 1), (0, 127), (255, 255))),
        ("0-0:94.44.128.2", ((0, 0), (0, 0), (94, 94), (44, 44), (128, 128), (2, 2))),
        ("0-b:19.10..19.e", ((0, 0), (0, 64), (19, 19), (10, 19), (0, 127), (255, 255))),
    ],
)
def test_patterns(pattern: str, groups: tuple[tuple[int, int], ...]) -> None:
    assert parse(pattern) == groups


@pytest.mark.parametrize("pattern", ["", "1-0:1", "1-0:1.8.9..3", "1-0:1.8.256", "1-0:1.2.3.4.5"])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(ValueError, match="no pattern"):
        parse(pattern)
