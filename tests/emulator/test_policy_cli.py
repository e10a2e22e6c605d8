"""``policy explain``, ``policy table`` and ``policy diff`` through argparse."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest

from dlms.security.keys import KeyKind, KeyLifetime
from emulator.cli.policy import register
from emulator.policy.editions import EDITIONS, LETTER
from emulator.policy.question import KeyUse
from emulator.policy.words import key_text, kind_text, parse_key, set_text


def run(arguments: str) -> int:
    parser = argparse.ArgumentParser(prog="cosemlab")
    register(parser.add_subparsers(required=True))
    args = parser.parse_args(arguments.split())
    code = args.run(args)
    assert isinstance(code, int)
    return code


def run_json(arguments: str, capsys: pytest.CaptureFixture[str]) -> Any:
    assert run(f"{arguments} --json") == 0
    return json.loads(capsys.readouterr().out)


EXPLAIN = "policy explain --actor s1sp --purpose generate-instruction --category 2"


def test_explain_names_class_clause_reason_and_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{EXPLAIN} --key dedicated --key gak") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "class         FIPS 140-2 Level 3"
    assert lines[1] == "clause        G2.44(c)"
    assert lines[2].startswith("why           The S1SP uses a SMETS1 Symmetric Key")
    assert lines[3] == "deciding key  gak:long-lived"
    assert lines[4] == "edition       letter"


def test_explain_lists_the_judgement_of_each_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{EXPLAIN} --key dedicated --key gak") == 0
    head, rule, first, second = capsys.readouterr().out.splitlines()[6:]
    assert head.split() == ["key", "class", "clause", "rule", "why"]
    assert set(rule) == {"-", " "}
    assert first.split()[0] == "dedicated:single-association"
    assert second.split()[0] == "gak:long-lived"
    clauses = [line[head.index("clause") :].split()[0] for line in (first, second)]
    assert clauses == ["G2.44(c)(iii)", "G2.44(c)"]


def test_explain_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run_json(f"{EXPLAIN} --key dedicated --key gak:single-association", capsys)
    dedicated = {"kind": "dedicated", "lifetime": "single-association"}
    gak = {"kind": "gak", "lifetime": "single-association"}
    assert answer["edition"] == "letter"
    assert answer["question"] == {
        "actor": "s1sp",
        "purpose": "generate-instruction",
        "category": "2",
        "keys": [dedicated, gak],
    }
    assert answer["decision"]["class"] == "G2_45"
    assert answer["decision"]["class_text"] == "Information Classification Scheme"
    assert answer["decision"]["clause"] == "G2.44(c)(iii)"
    assert answer["decision"]["deciding_key"] == dedicated
    assert [j["key"] for j in answer["judgements"]] == [dedicated, gak]
    assert [j["rule"] for j in answer["judgements"]] == ["c-iii", "c-iii"]


def test_explain_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run_json("policy explain --actor dcc --purpose other --category 1", capsys)
    assert answer["decision"]["class"] == "NONE"
    assert answer["decision"]["deciding_key"] is None
    assert [j["key"] for j in answer["judgements"]] == [None]


def test_explain_in_the_earlier_edition(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (
        "policy explain --actor DCO --purpose GENERATE_INSTRUCTION --category NOT_SMETS1 "
        "--key GUEK:LONG_LIVED --edition before-letter"
    )
    answer = run_json(arguments, capsys)
    assert answer["edition"] == "before-letter"
    assert answer["question"]["category"] == "not-smets1"
    assert (answer["decision"]["class"], answer["decision"]["clause"]) == ("LEVEL_3", "G2.44")


@pytest.mark.parametrize("edition", EDITIONS)
def test_table_prints_every_rule_in_order(edition: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"policy table --edition {edition}") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{edition}: {EDITIONS[edition].authority}\n")
    lines = out.splitlines()
    body = lines[lines.index("") + 3 :]
    assert [line.split()[0] for line in body] == [rule.id for rule in EDITIONS[edition].rules]


def test_columns_line_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy table") == 0
    lines = capsys.readouterr().out.splitlines()
    header = lines[lines.index("") + 1]
    for line in lines[lines.index("") + 3 :]:
        for column in ("purpose", "category", "key", "lifetime", "class", "clause"):
            start = header.index(column)
            assert line[start - 2 : start] == "  "
            assert line[start] != " "


def test_table_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run_json("policy table", capsys)
    assert answer["edition"] == LETTER.name
    assert answer["authority"] == LETTER.authority
    by_id = {rule["rule"]: rule for rule in answer["rules"]}
    assert list(by_id) == [rule.id for rule in LETTER.rules]
    assert by_id["no-key"]["keys"] == by_id["no-key"]["lifetimes"] == []
    assert by_id["not-smets1"]["categories"] == ["not-smets1"]
    exception = by_id["c-iii"]
    assert exception["actors"] == ["s1sp"]
    assert exception["categories"] == ["2"]
    assert exception["keys"] == ["guek", "gbek", "gak", "dedicated", "kek", "ephemeral", "token"]
    assert exception["lifetimes"] == ["single-association"]
    assert (exception["class"], exception["clause"]) == ("G2_45", "G2.44(c)(iii)")


def test_diff_counts_and_lists_the_changes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy diff") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "before-letter -> letter"
    # 3 x 8 x 3 x 25 points; 3 x 8 x 2 x 24 of them have a key and a SMETS1 Device.
    assert lines[1].startswith("1944 points: ")
    assert lines[1].endswith(" 696 stay as they are")
    assert lines[3].split()[:2] == ["points", "actor"]
    assert sum(int(line.split()[0]) for line in lines[5:]) == 1248


def test_diff_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run_json("policy diff --from before-letter --to letter", capsys)
    assert (answer["from"], answer["to"], answer["points"]) == ("before-letter", "letter", 1944)
    assert answer["class_changed"] + answer["only_clause_changed"] == 1248
    assert sum(change["points"] for change in answer["changes"]) == 1248
    (credit,) = (c for c in answer["changes"] if c["after"]["clause"] == "G2.44(c)(i)")
    assert credit["actors"] == ["s1sp"]
    assert credit["purposes"] == ["generate-add-credit-command"]
    assert credit["categories"] == ["1", "2"]
    assert credit["points"] == 28
    assert credit["before"]["class"] == "LEVEL_3"


def test_diff_of_an_edition_with_itself_has_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("policy diff --from letter --to letter") == 0
    assert capsys.readouterr().out.splitlines() == [
        "letter -> letter",
        "1944 points: 0 change the class, 0 the clause only, 1944 stay as they are",
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("policy", "required: COMMAND"),
        ("policy explain --actor s1sp --purpose other", "required: --category"),
        ("policy explain --actor meter --purpose other --category 1", "argument --actor"),
        ("policy explain --actor dco --purpose fun --category 1", "argument --purpose"),
        ("policy explain --actor dco --purpose other --category 3", "argument --category"),
        (f"{EXPLAIN} --key rsa", "unknown kind of key 'rsa' (choose from guek, "),
        (f"{EXPLAIN} --key gak:", "unknown lifetime '' (choose from long-lived, "),
        (f"{EXPLAIN} --key gak:short", "unknown lifetime 'short'"),
        ("policy table --edition designated", "argument --edition"),
        ("policy diff --to designated", "argument --to"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        run(arguments)
    assert exit_info.value.code == 2
    captured = capsys.readouterr()
    assert complaint in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("lifetime", KeyLifetime)
def test_a_key_survives_being_written_and_read(kind: KeyKind, lifetime: KeyLifetime) -> None:
    key = KeyUse(kind, lifetime)
    assert parse_key(key_text(key)) == key


@pytest.mark.parametrize("kind", KeyKind)
def test_only_dedicated_and_ephemeral_keys_are_short_lived_unless_told(kind: KeyKind) -> None:
    single = parse_key(kind.name).lifetime is KeyLifetime.SINGLE_ASSOCIATION
    assert single == (kind in (KeyKind.DEDICATED, KeyKind.EPHEMERAL))


def test_sets_are_told_the_short_way() -> None:
    kinds = frozenset(KeyKind)
    assert kind_text(kinds) == "any"
    assert kind_text(frozenset({None})) == "none"
    assert kind_text(kinds - {KeyKind.TOKEN}) == "any but token"
    others = {
        KeyKind.LLS_SECRET,
        KeyKind.HLS_SECRET,
        KeyKind.STORAGE,
        KeyKind.SIGNING_KEY,
        KeyKind.AGREEMENT_KEY,
        KeyKind.TLS_PRIVATE_KEY,
    }
    assert kind_text(kinds - others) == "any symmetric"
    assert kind_text(frozenset({KeyKind.GAK, KeyKind.GUEK})) == "guek, gak"
    assert set_text(KeyLifetime, ()) == "-"
