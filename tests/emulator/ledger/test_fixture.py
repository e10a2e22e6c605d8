"""The recorded demo: its chain holds, and its sums are those that were counted by hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from devices.profile import available, load
from emulator.cli.main import main

FIXTURES = Path(__file__).parents[3] / "fixtures" / "ledger"
DEMO, HEAD = FIXTURES / "demo.json", FIXTURES / "demo.head.json"

# By hand, from the flow of the protocol; tests/emulator/test_cli_demo.py has the flow in full. At
# each meter there are four associations, three of the S1SP (status, top-up, status) and one of the
# DCO. Each has a TLS handshake, a challenge, 3 Seal, 2 Open and 2 Mac; a status is four GETs.
#
# It was recorded with what asks for Level 3 in tokens and the rest in software. So the keys for one
# association, which are made in software, go to the token when they are to be used there: in each
# of the S1SP's associations the dedicated key (the InitiateRequest under long-lived keys has it),
# and where there is one the authentication key that is handed over (wrapped under the master key).
#
# For the two requests at each meter the DCC countersigns and the S1SP authorizes one: G2.45.
#
#              (a) DCO's   (b) TLS  (c)   (i)  (ii)  (iii)   G2.45  A1: challenges, keys destroyed,
COUNTS = {  #                                                      signatures verified
    "Aclara": (11, 4, 38, 1, 0, 0, 3, 4 + 9),
    "Honeywell Elster": (12, 4, 30, 2, 0, 23 + 3 + 3, 3, 10 + 9),
    "Itron": (11, 4, 15, 1, 0, 26 + 3, 3, 7 + 9),
    "Landis+Gyr": (12, 4, 30, 2, 0, 23 + 3 + 3, 3, 10 + 9),
    "Secure": (11, 4, 30, 2, 8, 0, 3, 4 + 9),
}
CLAUSES = (
    "G2.44(a)", "G2.44(b)", "G2.44(c)", "G2.44(c)(i)", "G2.44(c)(ii)", "G2.44(c)(iii)",
    "G2.45", "A1",
)  # fmt: skip
LEVEL_3, NONE = CLAUSES[:3], CLAUSES[7:]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--file", str(DEMO), "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


@pytest.fixture(scope="module")
def titles() -> dict[str, str]:
    found = {row["device"] for row in json.loads(DEMO.read_text(encoding="utf-8"))["entries"]}
    by_flag = {bytes.fromhex(title[:6]).decode(): title for title in found}
    profiles = [load(name) for name in available()]
    return {profile.manufacturer: by_flag[profile.flag_id] for profile in profiles}


def test_the_chain_verifies(capsys: pytest.CaptureFixture[str]) -> None:
    head = json.loads(HEAD.read_text(encoding="utf-8"))
    verified = shown(capsys, "ledger", "verify", "--head", str(HEAD))
    assert verified == {"verified": True, "known_head": head, **head}
    assert head["number"] == 418


@pytest.mark.parametrize("maker", COUNTS)
def test_classes_of_a_manufacturer(
    maker: str, titles: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    summary = shown(capsys, "ledger", "summary", "--device", titles[maker])
    counts: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    for row in summary["rows"]:
        counts[row["clause"]] += row["count"]
        classes[row["clause"], row["class"]] += row["count"]  # type: ignore[index]
        assert row["category"] == ("1" if maker == "Secure" else "2")
    expected = {
        clause: count for clause, count in zip(CLAUSES, COUNTS[maker], strict=True) if count
    }
    assert counts == expected
    assert classes == {
        (
            clause,
            "LEVEL_3" if clause in LEVEL_3 else "NONE" if clause in NONE else "G2_45",
        ): count
        for clause, count in expected.items()
    }
    assert summary["entries"] == sum(COUNTS[maker])
    assert summary["insufficient"] == 0
    assert summary["classes"] == {
        "LEVEL_3": sum(COUNTS[maker][:3]),
        "G2_45": sum(COUNTS[maker][3:7]),
        "NONE": COUNTS[maker][7],
    }


def test_all_together(capsys: pytest.CaptureFixture[str]) -> None:
    summary = shown(capsys, "ledger", "summary")
    assert summary["entries"] == sum(map(sum, COUNTS.values())) == 418
    assert summary["classes"] == {"LEVEL_3": 220, "G2_45": 88 + 15 + 15, "NONE": 35 + 45}


def test_level_3_where_the_letter_wants_it_and_software_where_it_does_not() -> None:
    """But for the keys that go to a token, which are not to be used in software."""
    rows = json.loads(DEMO.read_text(encoding="utf-8"))["entries"]
    for row in rows:
        in_token = row["module"].startswith("SoftHSM")
        assert in_token is (row["module_class"] == "LEVEL_3" or row["operation"] == "Import")
        assert (row["emulated"], row["sufficient"]) == ("yes" if in_token else "no", "yes")
    assert sum(row["operation"] == "Import" for row in rows) == 15


def test_operations_by_actor_and_category(capsys: pytest.CaptureFixture[str]) -> None:
    """Each association seals 3 times and each request once; makers of single-association
    authentication keys (two of the four in Category 2) hand over one in each of the S1SP's.
    """
    summary = shown(capsys, "ledger", "summary")
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in summary["rows"]:
        counts[row["actor"], row["category"], row["operation"]] += row["count"]
    assert counts == {
        ("DCC", "1", "Sign"): 2,
        ("DCC", "1", "Verify"): 2,
        ("DCO", "1", "Verify"): 3,
        ("DCO", "1", "Random"): 1,
        ("DCO", "1", "Seal"): 3 + 2,
        ("DCO", "1", "Open"): 2 + 2,
        ("DCO", "1", "Mac"): 2,
        ("S1SP", "1", "Sign"): 1,
        ("S1SP", "1", "Verify"): 2 + 2,
        ("S1SP", "1", "TLS handshake"): 3 + 1,  # for the DCO as well
        ("S1SP", "1", "Random"): 3,
        ("S1SP", "1", "Seal"): 3 * 3 + 8 + 1,
        ("S1SP", "1", "Open"): 3 * 2 + 8 + 1,
        ("S1SP", "1", "Mac"): 3 * 2 + 1,  # and its token
        ("DCC", "2", "Sign"): 4 * 2,
        ("DCC", "2", "Verify"): 4 * 2,
        ("DCO", "2", "Verify"): 4 * 3,
        ("DCO", "2", "Random"): 4,
        ("DCO", "2", "Seal"): 4 * (3 + 2),
        ("DCO", "2", "Open"): 4 * (2 + 2),
        ("DCO", "2", "Mac"): 4 * 2,
        ("DCO", "2", "GenerateKey"): 2,
        ("DCO", "2", "Discard"): 2,
        ("S1SP", "2", "Sign"): 4,
        ("S1SP", "2", "Verify"): 4 * (2 + 2),
        ("S1SP", "2", "TLS handshake"): 4 * (3 + 1),
        ("S1SP", "2", "Import"): 3 * 3 + 2 * 3,
        ("S1SP", "2", "Random"): 4 * 3,
        ("S1SP", "2", "Seal"): 4 * (3 * 3 + 8 + 1) + 2 * 3,
        ("S1SP", "2", "Open"): 4 * (3 * 2 + 8 + 1) + 2 * 3,
        ("S1SP", "2", "Mac"): 4 * 3 * 2 + 2,
        ("S1SP", "2", "GenerateKey"): 3 * 3 + 2 * 3,
        ("S1SP", "2", "Discard"): 3 * 3 + 2 * 2,
        ("S1SP", "2", "Wrap"): 2 * 3,
    }


def test_what_the_exceptions_saved(capsys: pytest.CaptureFixture[str]) -> None:
    """Category 1: (i) its Command and its token, (ii) 8 GETs. Category 2: (i) by itself Aclara's
    Command and two tokens under long-lived keys; the other three Commands are under keys of one
    association alone, which (iii) would except as well; (iii) all that has its clause. Before the
    letter, all with a key was Level 3, the signatures of requests as well, which no exception
    takes out of anything. Nobody stores keys in the demo.
    """
    first, second = shown(capsys, "ledger", "cost")
    assert first == {
        "category": "1",
        "operations": 59 + 12,
        "top_ups": 1,
        "level_3_before_letter": 59 + 12 - (4 + 9),
        "level_3_letter": 45,
        "saved": {"c-i": 2, "c-ii": 8, "c-iii": 0, "store-encrypted": 0},
        "saved_by_several": 0,
        "saved_without_exception": 3,
        "per_top_up": {
            "level_3_before_letter": 58,
            "level_3_letter": 45,
            "saved": {"c-i": 2, "c-ii": 8, "c-iii": 0, "store-encrypted": 0},
            "saved_by_several": 0,
            "saved_without_exception": 3,
        },
    }
    assert second["category"] == "2"
    assert (second["operations"], second["top_ups"]) == (284 + 4 * 12 + 15, 4)
    assert second["level_3_before_letter"] == 284 + 4 * 3 + 15 - (4 + 10 + 7 + 10)
    assert second["level_3_letter"] == 220 - 45
    assert second["saved"] == {"c-i": 3, "c-ii": 0, "c-iii": 72 + 15, "store-encrypted": 0}
    assert (second["saved_by_several"], second["saved_without_exception"]) == (3, 4 * 3)
    assert second["per_top_up"]["saved"]["c-iii"] == 21.75


def test_under_the_other_edition(capsys: pytest.CaptureFixture[str]) -> None:
    """What has a key becomes Level 3 without a clause of the letter; what has none stays."""
    replayed = shown(capsys, "policy", "what-if")
    assert (replayed["recorded"], replayed["edition"]) == (["letter"], "before-letter")
    assert replayed["operations"] == 418
    assert replayed["class_changed"] == 88 + 15 + 15
    assert replayed["only_clause_changed"] == 220
    assert replayed["recorded_otherwise"] == []
    by_clause: Counter[str] = Counter()
    for change in replayed["changes"]:
        assert (change["after"]["class"], change["after"]["clause"]) == ("LEVEL_3", "G2.44")
        by_clause[change["before"]["clause"]] += change["count"]
    assert by_clause == dict(
        zip(CLAUSES[:7], map(sum, zip(*COUNTS.values(), strict=True)), strict=False)
    )


def test_under_its_own_edition_nothing_changes(capsys: pytest.CaptureFixture[str]) -> None:
    replayed = shown(capsys, "policy", "what-if", "--edition", "letter")
    assert replayed["changes"] == replayed["recorded_otherwise"] == []
    assert replayed["operations"] == 418
