"""What the catalogue holds: the official ids and no others, and nothing that it cannot say."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from emulator.conformance import Check, Origin, UnknownCheck, built_in
from emulator.conformance.catalogue.words import NOT_KNOWN

ROOT = Path(__file__).parents[4]
RULES = tomllib.loads((ROOT / "fixtures/reference/rules.toml").read_text("utf-8"))["rules"]
CATALOGUE = built_in()
CHECKS = list(CATALOGUE)


def numbered(prefix: str, *numbers: int) -> set[str]:
    return {f"{prefix}{number}" for number in numbers}


HDLC = {
    *numbered("HDLC_FRAME_P", 1, 2, 3),
    *numbered("HDLC_FRAME_N", 1, 2, 3, 4, 5, 7, 8),
    *numbered("HDLC_ADDRESS_P", 1),
    *numbered("HDLC_ADDRESS_N", 1, 4, 6, 7),
    *numbered("HDLC_NDM2NRM_P", 1, 2),
    *numbered("HDLC_INFO_P", 1),
    *numbered("HDLC_INFO_N", 1, 2, 3),
    *numbered("HDLC_NDMOP_N", 1),
}
APPL = {
    "APPL_IDLE_N1",
    *numbered("APPL_OPEN_", 1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14),
    *numbered("APPL_DATA_LN_N", 1, 3, 4),
    *numbered("APPL_DATA_SN_N", 1, 2, 3),
    "APPL_REL_P1",
}
SYMSEC = {
    "SYMSEC_0_BasicCap_1",
    *numbered("SYMSEC_0_FraCount_", 1, 3),
    *numbered("SYMSEC_0_Key_Tx_P", 1, 2, 3),
    *numbered("SYMSEC_0_Key_Tx_N", 1, 2),
    "SYMSEC_0_DedKey_N1",
    "SYMSEC_0_SecDataX_P1",
    "SYMSEC_0_SecDataX_N1",
    "SYMSEC_REL_N1",
    *numbered("SYMSEC_0_SecPol_", 1, 2, 3),
}
PROCEDURES = {
    "COSEM_X_Y", "COSEM_SELACC_AVAIL", "COSEM_RM_TYPES", "COSEM_SCRIPT_DUMMY", "COSEM_REPORT",
    "COSEM_PG_RANGE", "COSEM_PG_ENTRY", "COSEM_PG_SORT",
    *numbered("COSEM_MANDATORY_", 1, 2, 3),
    *numbered("COSEM_MULTIREF_", 1, 2, 3),
    *numbered("COSEM_PUSH_", 1, 2),
}  # fmt: skip
TLS_NUMBERS = {
    "A2_GP": (7, {1, 2, 3, 5, 6, 7}),
    "A2_CH": (10, {6, 10}),
    "A2_FR": (13, {12}),
    "B2_GP": (10, {1, 3, 5, 7, 9}),
    "B2_FR": (18, {1, 2}),
}
"""How many there are, and which of them are templates."""


def official(group: str) -> set[str]:
    return {one.id for one in CATALOGUE.of_group(group) if one.origin is Origin.OFFICIAL_ID}


@pytest.mark.parametrize(
    ("group", "ids", "count"),
    [("hdlc", HDLC, 22), ("appl", APPL, 20), ("symsec", SYMSEC, 15)],
)
def test_the_official_ids(group: str, ids: set[str], count: int) -> None:
    assert len(ids) == count
    assert official(group) == ids
    assert len(CATALOGUE.of_group(group)) == count


def test_the_ids_of_the_bsi() -> None:
    expected = {
        f"TLS_{part}_{number:02}{'_T' * (number in templates)}"
        for part, (count, templates) in TLS_NUMBERS.items()
        for number in range(1, count + 1)
    }
    assert len(expected) == 58
    singles = {"TLS_A1_FR_04_T", "TLS_B1_FR_10_T", "TLS_B1_FR_14"}
    assert official("tls-client") | official("tls-server") == expected | singles


def test_the_procedures_are_not_called_official_ids() -> None:
    found = {one.id: one.origin for one in CATALOGUE.of_group("cosem")}
    assert found == dict.fromkeys(PROCEDURES, Origin.PROCEDURE)


@pytest.mark.parametrize("check", CHECKS, ids=lambda one: one.id)
def test_a_row(check: Check) -> None:
    derived = check.origin is Origin.DERIVED
    assert check.id.startswith("X_") is derived
    assert check.clause.strip()
    assert re.fullmatch(r"[A-Z].+[^.]", check.title)
    assert bool(check.steps) is (check.evidence.steps != (NOT_KNOWN,))
    assert any(answer.strict for step in check.steps for answer in step.answers) or not check.steps
    for rule in check.rules:
        assert rule in RULES
    if derived:
        assert not {"S1", "S8"} & set(check.evidence.purpose), "nobody publishes such a test"
    for step in check.steps:
        assert check.step(step.name) is step
        for answer in step.answers:
            assert answer.strict is (answer.reason == "")
    with pytest.raises(KeyError, match=check.id):
        check.step("no-such-step")


ENDS = {
    "x-cli": "client",
    "tls-client": "tls.client",
    "tls-server": "tls.server",
    "x-tls": "tls.server",
}
"""Who is tested; everywhere else it is a meter."""


def test_every_check_is_about_the_end_of_its_group() -> None:
    for check in CHECKS:
        calls = check.id.startswith("X_TLS_CLI_")
        end = "tls.client" if calls else ENDS.get(check.group, "server")
        needed = {f"needs {other}" for other in ("server", "client", "tls.server", "tls.client")}
        assert needed & set(check.applies.unmet({})) == {f"needs {end}"}, check.id


def test_a_check_of_meters_is_not_for_head_ends() -> None:
    everything = {
        name: 9 if feature.is_number else True for name, feature in CATALOGUE.words.features.items()
    }
    head_end = everything | {"server": False}
    for check in CHECKS:
        if check.group in {"hdlc", "appl", "cosem", "symsec", "x-gbt"}:
            assert check.applies.unmet(head_end) == ("needs server",)
        if check.group == "x-cli":
            assert not check.applies.unmet(everything)
            assert "needs client" in check.applies.unmet(everything | {"client": False})


def test_no_word_is_there_for_nothing() -> None:
    words = CATALOGUE.words
    features = {word.feature for one in CHECKS for word in one.applies.words}
    answers = {answer.name for one in CHECKS for step in one.steps for answer in step.answers}
    labels = {
        label
        for one in CHECKS
        for label in one.evidence.purpose + one.evidence.steps + one.evidence.clause
    } | {label for one in words.families.values() for label in one.evidence}
    assert set(words.features) == features
    assert set(words.answers) == answers
    assert set(words.starts) == {one.start for one in CHECKS}
    assert set(words.evidence) == labels


def test_every_rule_of_a_case_has_its_check() -> None:
    """What rules.toml calls X_... is in the catalogue, by that name or as several of it."""
    for rule in RULES:
        if rule.startswith("X_"):
            assert all(one.id.startswith(rule) for one in CATALOGUE.find(rule))
            assert any(rule in one.rules for one in CATALOGUE.find(rule)), rule


def test_names_are_found() -> None:
    assert CATALOGUE.find("HDLC_FRAME_P1") == CATALOGUE.find("t_hdlc_frame_p1")
    assert [one.id for one in CATALOGUE.find("Test 21")] == ["X_HDLC_DUP_I"]
    assert {one.id for one in CATALOGUE.find("HDLC_2")} == {
        "HDLC_FRAME_P1", "HDLC_NDM2NRM_P1", "HDLC_NDM2NRM_P2",
    }  # fmt: skip
    assert len(CATALOGUE.find("X_GET_BLOCK_*")) == len(CATALOGUE.find("x_get_block")) == 3
    assert len(CATALOGUE.find("SYMSEC")) == 15
    assert [one.id for one in CATALOGUE.find("APPL_OPEN_1")] == ["APPL_OPEN_1"]


def test_an_unknown_name_has_a_hint() -> None:
    with pytest.raises(UnknownCheck, match=r"no check 'APPL_OPN_4' \(did you mean 'APPL_OPEN_4'\?"):
        CATALOGUE.find("APPL_OPN_4")
    for nothing in ("", "_", "*", "qqqqq"):
        with pytest.raises(UnknownCheck, match="conform list"):
            CATALOGUE.find(nothing)
    with pytest.raises(
        UnknownCheck, match=r"no group 'hdcl' \(did you mean 'hdlc'\?\); there are:"
    ):
        CATALOGUE.of_group("hdcl")


def test_the_page_counts_what_is_there() -> None:
    text = (ROOT / "docs/conformance.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", text, re.MULTILINE))
    counts = Counter(one.group for one in CHECKS)
    assert {name: int(count) for name, count in rows.items()} == dict(counts)
    assert list(rows) == list(CATALOGUE.words.groups)
    assert f"{len(CHECKS)} checks" in text
