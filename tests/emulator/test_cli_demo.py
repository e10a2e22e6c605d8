"""``cosemlab demo``: it says "done" only if it was done, and the ledger adds up by hand."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from devices.objects import account, token_gateway
from devices.prepayment import top_up
from devices.profile import available
from emulator.cli.main import main
from emulator.head_end import services

BALANCES = {
    "aclara": ("-1.50", "18.50"),
    "honeywell_elster": ("0.00", "20.00"),
    "itron": ("-0.42", "19.58"),
    "landis_gyr": ("-0.20", "19.80"),
    "secure": ("0.75", "20.75"),
}
MANUFACTURERS = {
    "aclara": ("Aclara", 2, "credit"),
    "honeywell_elster": ("Honeywell Elster", 2, "token"),
    "itron": ("Itron", 2, "credit"),
    "landis_gyr": ("Landis+Gyr", 2, "token"),
    "secure": ("Secure", 1, "token"),
}

# Counted by hand from the flow of the protocol. For each meter the demo opens four associations:
# the S1SP's three times (status, top-up, status), the DCO's once (arm the supply: one SET, one
# ACTION). A status is four GETs. In each association
#
#   TLS                    1 handshake with the DCC Private Key            TLS private key
#   AARQ                   1 Random (challenge)                            no key
#                          1 GenerateKey, if there is a dedicated key      dedicated
#                          1 Seal (InitiateRequest)                        GUEK, AK (, dedicated)
#   AARE                   1 Open (InitiateResponse)                       GUEK, AK
#   pass 3                 1 Mac f(StoC), 1 Seal                           GUEK, AK; request keys
#   pass 4                 1 Open, 1 Mac f(CtoS)                           request keys; GUEK, AK
#   each request           1 Seal                                          request keys
#   each response          1 Open                                          request keys
#   RLRQ                   1 Seal (InitiateRequest; the RLRE is plain)     GUEK, AK
#   end                    1 Discard, if there is a dedicated key          judged as no key
#
# where the request keys are GUEK and AK, dedicated and AK, or (Itron's S1SP) dedicated alone. A
# token costs one Mac more under the token key. So the S1SP does, besides TLS and what touches no
# key, 3 x (3 Seal, 2 Open, 2 Mac) for the associations, 8 Seal for Instructions (GETs), 1 Seal for
# the add-credit Command and 9 Open for responses; the DCO 1 x (3 Seal, 2 Open, 2 Mac), 2 Seal and
# 2 Open, all of it under (a).
#
# To add credit and to arm the supply take a Service Request each. Besides, for each of the two
#
#   DSP     1 Verify (User's signature)                                    no key
#           1 Sign (countersignature)                                      DCC's signing key
#   S1SP    2 Verify (countersignature, User's signature)                  no key
#
# and for the second, which is the DCO's to carry out,
#
#   S1SP    1 Sign (authorisation)                                         S1SP's signing key
#   DCO     3 Verify (authorisation, countersignature, User's signature)   no key
#
# so 3 Sign, which are no use of a SMETS1 Symmetric Key and fall to G2.45, and 9 Verify. The User's
# own signature is not made by the DCC. The TLS of the DCO's association is the S1SP's handshake.
#
# Where authentication keys live for one association (Landis+Gyr, Honeywell Elster) the S1SP hands
# over the next one in each: 1 GenerateKey (the new AK), 1 Wrap (KEK), 1 Seal and 1 Open (request
# keys), and in the second and third, which are under such a key, 1 Discard of it at the end.
_A, _B, _C = "G2.44(a)", "G2.44(b)", "G2.44(c)"
_I, _II, _III = "G2.44(c)(i)", "G2.44(c)(ii)", "G2.44(c)(iii)"
_45 = "G2.45"
COUNTS: dict[str, dict[str, int]] = {
    # Long-lived keys throughout. (c): 21 association + 8 Instructions + 9 responses.
    "aclara": {_A: 11, _B: 4, _C: 38, _I: 1, _45: 3, "A1": 13},
    # A dedicated key, and from the second association on an AK for it alone. (c): the first as
    # before, 7 association + 1 Wrap + 2 for the transfer + 8 for GETs; the others 5 + 1 Wrap each.
    # (iii): 3 x 2 generated keys; in the second pass 3 and 4, the transfer, and the response to the
    # Command, 2 + 2 + 1; in the third 2 + 2 + 8 for GETs. (i): the Command and its token. (a) has
    # the DCO's generated key; A1 9 Verify, 4 Random, 4 Discards of dedicated keys and 2 of AKs.
    "honeywell_elster": {_A: 12, _B: 4, _C: 30, _I: 2, _III: 23, _45: 3, "A1": 19},
    # S1SP: dedicated key and encryption alone. (c): 3 x (2 Seal, 1 Open, 2 Mac) under GUEK.
    # (iii): 3 keys, 3 x (pass 3, pass 4), 8 Instructions, 9 responses. The DCO has long-lived keys.
    "itron": {_A: 11, _B: 4, _C: 15, _I: 1, _III: 26, _45: 3, "A1": 16},
    "landis_gyr": {_A: 12, _B: 4, _C: 30, _I: 2, _III: 23, _45: 3, "A1": 19},
    # Category 1: the 8 Instructions are (ii). (c): 21 association + 9 responses.
    "secure": {_A: 11, _B: 4, _C: 30, _I: 2, _II: 8, _45: 3, "A1": 13},
}
CLASSES = {_A: "LEVEL_3", _B: "LEVEL_3", _C: "LEVEL_3", "A1": "NONE"}


def run_json(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    status = main(arguments)
    captured = capsys.readouterr()
    assert captured.err == ""
    return status, json.loads(captured.out)


def by_meter(shown: Any) -> dict[str, list[Any]]:
    """Ledger entries by meter; the demo visits one after the other."""
    entries: dict[str, list[Any]] = {}
    for entry in shown["ledger"]:
        entries.setdefault(entry["device"], []).append(entry)
    return dict(zip(available(), entries.values(), strict=True))


def test_every_step_happened(capsys: pytest.CaptureFixture[str]) -> None:
    status, shown = run_json(["demo", "--json"], capsys)
    assert status == 0
    assert shown["mode"] == "observe"
    assert shown["edition"] == "letter"
    assert [result["meter"] for result in shown["meters"]] == list(available())
    for result in shown["meters"]:
        name = result["meter"]
        before, after = BALANCES[name]
        assert (result["manufacturer"], result["category"], result["way"]) == MANUFACTURERS[name]
        assert result["problem"] == ""
        assert result["before"] == {
            "balance": result["before"]["balance"],
            "payment_mode": "prepayment",
            "supply": "disconnected",
        }
        assert Decimal(result["before"]["balance"]) == Decimal(before)
        assert Decimal(result["after"]["balance"]) == Decimal(after)
        assert result["after"]["supply"] == "armed"


def test_the_ledger_is_what_was_counted_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = run_json(["demo", "--json"], capsys)
    found = by_meter(shown)
    for name, entries in found.items():
        assert dict(Counter(entry["clause"] for entry in entries)) == COUNTS[name], name
        for entry in entries:
            expected = CLASSES.get(entry["clause"], "G2_45")
            assert entry["module_class"] == expected
            assert entry["sufficient"] is (expected != "LEVEL_3")
            assert entry["outcome"] == "done"
    total = sum(sum(counts.values()) for counts in COUNTS.values())
    assert total == len(shown["ledger"]) == 343 + 5 * 12
    strict = sum(counts[clause] for counts in COUNTS.values() for clause in (_A, _B, _C))
    assert strict == 220


def test_the_operations_are_what_was_counted_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = run_json(["demo", "--json"], capsys)
    for name, entries in by_meter(shown).items():
        token = MANUFACTURERS[name][2] == "token"
        s1sp = 3 * (name in ("honeywell_elster", "itron", "landis_gyr"))
        dco = name in ("honeywell_elster", "landis_gyr")
        handed = 3 * (name in ("honeywell_elster", "landis_gyr"))
        expected = {
            "TLS handshake": 4,
            "Random": 4,
            "Sign": 3,
            "Verify": 9,
            "Seal": 4 * 3 + 8 + 1 + 2 + handed,
            "Open": 4 * 2 + 8 + 1 + 2 + handed,
            "Mac": 4 * 2 + token,
        }
        if s1sp:
            made, ended = s1sp + dco + handed, s1sp + dco + max(handed - 1, 0)
            expected |= {"GenerateKey": made, "Discard": ended}
        if handed:
            expected["Wrap"] = handed
        assert dict(Counter(entry["operation"] for entry in entries)) == expected, name


def test_before_the_letter_everything_with_a_key_is_level_3(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, shown = run_json(["demo", "--json", "--edition", "before-letter"], capsys)
    assert status == 0
    counts = Counter(entry["module_class"] for entry in shown["ledger"])
    assert counts == {"LEVEL_3": 403 - 80, "NONE": 80}
    assert {entry["edition"] for entry in shown["ledger"]} == {"before-letter"}
    assert {entry["mode"] for entry in shown["ledger"]} == {"observe"}


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    out = capsys.readouterr().out
    assert "Five meters, one per manufacturer, on loopback TLS 1.2. Top-up: £20.00." in out
    for manufacturer, category, _ in MANUFACTURERS.values():
        (line,) = [line for line in out.splitlines() if line.startswith(manufacturer)]
        assert f"Category {category}" in line
        assert line.endswith("done")
    assert "403 operations, 220 of them on a module that is not strong enough." in out
    assert "G2.44(c)(iii)" in out


def test_another_amount(capsys: pytest.CaptureFixture[str]) -> None:
    status, shown = run_json(["demo", "--json", "--amount", "0.01"], capsys)
    assert status == 0
    for result in shown["meters"]:
        before, after = result["before"]["balance"], result["after"]["balance"]
        assert Decimal(after) - Decimal(before) == Decimal("0.01")


@pytest.mark.parametrize("amount", ["", "abc", "NaN", "sNaN", "Infinity", "1,5", "£1"])
def test_what_is_no_amount(amount: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["demo", "--amount", amount])
    assert caught.value.code == 2
    assert "is no amount of pounds" in capsys.readouterr().err


def test_an_amount_no_meter_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """Each meter says so, and the demo has failed."""
    status, shown = run_json(["demo", "--json", "--amount", "500"], capsys)
    assert status == 1
    problems = {result["meter"]: result["problem"] for result in shown["meters"]}
    assert problems["aclara"] == "action: other-reason"
    assert problems["secure"] == "token not accepted: validation-failure"
    assert all(problems.values())


# Enforce ------------------------------------------------------------------------------------------


def test_enforce_refuses_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--mode", "enforce"]) == 1
    out = capsys.readouterr().out
    why = "G2.44(b) needs FIPS 140-2 Level 3, and no module at hand is that"
    assert out.count(why) == 5
    assert "done" not in [line.split()[-1] for line in out.splitlines() if line.strip()]
    assert "5 operations, 5 of them on a module that is not strong enough." in out


def test_enforce_touches_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    status, shown = run_json(["demo", "--json", "--mode", "enforce"], capsys)
    assert status == 1
    assert [entry["outcome"] for entry in shown["ledger"]] == ["refused"] * 5
    assert {entry["operation"] for entry in shown["ledger"]} == {"TLS handshake"}
    assert {(entry["edition"], entry["mode"]) for entry in shown["ledger"]} == {
        ("letter", "enforce")
    }
    for result in shown["meters"]:
        assert result["before"] is None
        assert result["after"] is None
        assert "Level 3" in result["problem"]


# Modules ------------------------------------------------------------------------------------------


def test_level_3_in_tokens_and_the_rest_in_software(
    softhsm_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In enforce mode nothing is refused: each operation is where the letter wants it. Beside what
    was counted, keys for one association go to the token when they are to be used there: dedicated
    ones with an InitiateRequest (three makers), authentication keys to be wrapped (two).
    """
    arguments = ["demo", "--json", "--mode", "enforce", "--modules", "mixed"]
    status, shown = run_json(arguments, capsys)
    assert status == 0
    assert {result["problem"] for result in shown["meters"]} == {""}
    for name, entries in by_meter(shown).items():
        imports = 3 * (name in ("honeywell_elster", "itron", "landis_gyr"))
        imports += 3 * (name in ("honeywell_elster", "landis_gyr"))
        clauses = Counter(entry["clause"] for entry in entries)
        assert clauses == Counter(COUNTS[name]) + Counter({_III: imports}), name
        for entry in entries:
            in_token = entry["module"].startswith("SoftHSM")
            moved = entry["operation"] == "Import"
            assert in_token is (entry["module_class"] == "LEVEL_3" or moved)
            assert (entry["emulated"], entry["sufficient"]) == (in_token, True)
            assert in_token or entry["module"] == "software"
        tokens = {(e["actor"], e["module"]) for e in entries if e["module"].startswith("SoftHSM")}
        assert {actor for actor, _ in tokens} == {"S1SP", "DCO"}
        assert len({module for _, module in tokens}) == 2, "each party has its own"


def test_everything_in_tokens(softhsm_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["demo", "--json", "--mode", "enforce", "--modules", "tokens"]
    status, shown = run_json(arguments, capsys)
    assert status == 0
    assert len(shown["ledger"]) == 403
    software = [entry for entry in shown["ledger"] if not entry["emulated"]]
    assert {entry["actor"] for entry in software} == {"DCC"}


def test_tokens_are_said_to_be_emulated(
    softhsm_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--mode", "enforce", "--modules", "mixed"]) == 0
    out = capsys.readouterr().out
    assert "yes, emulated" in out
    assert "418 operations, 0 of them on a module that is not strong enough." in out
    assert "235 on a module that only plays one of its class." in out


# It fails when something does not happen ----------------------------------------------------------


def do_nothing(*_: Any) -> None:
    """Instead of what should have been done."""


def add_too_little(device: Any, row: Any, value: int, now: Any) -> None:
    top_up.add_credit(device, row, value - 1, now)


@pytest.mark.parametrize("instead", [do_nothing, add_too_little])
def test_credit_that_does_not_arrive(
    instead: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every meter answers that all is well; the demo looks at the balance."""
    monkeypatch.setattr(account, "add_credit", instead)
    monkeypatch.setattr(token_gateway, "add_credit", instead)
    status, shown = run_json(["demo", "--json"], capsys)
    assert status == 1
    for result in shown["meters"]:
        assert result["problem"].startswith("balance grew by ")
        assert result["problem"].endswith(", not by 20.00")
        assert result["after"]["supply"] == "armed"


def test_a_supply_that_is_not_armed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def instruct(*_: Any) -> None:
        """Says that it was done."""

    monkeypatch.setattr(services.HeadEnd, "instruct", instruct)
    status, shown = run_json(["demo", "--json"], capsys)
    assert status == 1
    assert {result["problem"] for result in shown["meters"]} == {
        "supply is disconnected, not armed"
    }


def test_one_meter_that_fails_is_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    top_up = services.HeadEnd.top_up

    async def fails_at_itron(self: Any, meter: Any, profile: Any, pounds: Any) -> Any:
        if meter.name == "itron":
            raise TimeoutError
        return await top_up(self, meter, profile, pounds)

    monkeypatch.setattr(services.HeadEnd, "top_up", fails_at_itron)
    status, shown = run_json(["demo", "--json"], capsys)
    assert status == 1
    problems = {result["meter"]: result["problem"] for result in shown["meters"]}
    assert problems.pop("itron") == "no answer in time"
    assert set(problems.values()) == {""}


# Options ------------------------------------------------------------------------------------------


def test_keylog(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line of TLS secrets for each handshake."""
    path = tmp_path / "keys.log"
    status, _ = run_json(["demo", "--json", "--keylog", str(path)], capsys)
    assert status == 0
    lines = [line for line in path.read_text().splitlines() if line.startswith("CLIENT_RANDOM")]
    assert len(lines) == 20
    assert path.stat().st_mode & 0o077 == 0


def test_it_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    assert list(tmp_path.iterdir()) == []
