"""What is wrong with a catalogue is said with file, line and place."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from devices.profile import ProfileError
from emulator.conformance.catalogue.holdings import catalogue_of

ROOT = Path(__file__).parents[4]
INDEX = """\
[groups.hdlc]
title = "HDLC"
document = "The suite"
ids = "HDLC_[A-Z]+_[PN][0-9]+"
official = 2
log_prefix = "T_"

[groups.more]
title = "More"
document = "derived"

[features]
hdlc = { kind = "flag", says = "HDLC" }
suite = { kind = "number", says = "the suite" }

[answers]
ua = "UA"
silence = "nothing"

[starts]
idle = "nothing yet"

[evidence]
S1 = "an index"
"not known" = "not known"

[families.HDLC_1]
says = "older"
evidence = ["S1"]
checks = ["HDLC_FRAME_P1", "X_WPDU_VER"]
"""
HDLC = """\
[defaults]
origin = "official id"
evidence = { purpose = ["S1"], steps = ["S1"], clause = ["S1"] }
clause = "IEC 62056-46"
applies = "hdlc"
start = "idle"
severity = "major"

[checks.HDLC_FRAME_P1]
title = "One"
steps = [
    { name = "connect", sends = "SNRM", answers = ["ua"], subtest = "1" },
    { name = "again", sends = "SNRM", answers = ["ua: at once", "ua: late"], lenient = [
        { answer = "silence", because = "it is slow" },
    ] },
]

[checks.HDLC_FRAME_N1]
title = "Two"
aliases = ["Old 2"]
also = "suite >= 1"
evidence = { steps = ["not known"] }
"""
MORE = """\
[checks.X_WPDU_VER]
title = "Three"
origin = "derived"
evidence = { purpose = ["S1"], steps = ["S1"], clause = ["S1"] }
clause = "IEC 62056-4-7"
applies = "not hdlc"
start = "idle"
severity = "minor"
rules = ["R-IC-4"]
corresponds = ["HDLC_FRAME_N1"]
steps = [{ name = "version", sends = "a header", answers = ["silence"] }]
"""
TEXTS = {"index.toml": INDEX, "hdlc.toml": HDLC, "more.toml": MORE}


def problem_of(file: str, old: str, new: str) -> str:
    assert TEXTS[file].count(old) == 1
    with pytest.raises(ProfileError) as caught:
        catalogue_of(TEXTS | {file: TEXTS[file].replace(old, new)})
    return str(caught.value)


def test_a_catalogue_that_is_right() -> None:
    catalogue = catalogue_of(TEXTS)
    assert list(catalogue.checks) == ["HDLC_FRAME_P1", "HDLC_FRAME_N1", "X_WPDU_VER"]
    one, two, three = catalogue
    assert one.aliases == ("T_HDLC_FRAME_P1",)
    assert two.aliases == ("Old 2", "T_HDLC_FRAME_N1")
    assert (one.corresponds, three.corresponds) == (("HDLC_FRAME_P1",), ("HDLC_FRAME_N1",))
    assert str(two.applies) == "hdlc and suite >= 1"
    assert two.applies.unmet({"hdlc": 1}) == ("needs suite >= 1",)
    assert two.steps == ()
    at_once, late, silence = one.step("again").answers
    assert (at_once.name, at_once.says, at_once.detail) == ("ua", "UA", "at once")
    assert at_once.strict
    assert late.strict
    assert (silence.strict, silence.reason, silence.detail) == (False, "it is slow", "")
    assert one.step("connect").subtest == "1"
    assert three.rules == ("R-IC-4",)


WRONG: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "hdlc.toml",
        ', clause = ["S1"] }',
        " }",
        "hdlc.toml:9: checks.HDLC_FRAME_P1.evidence",
        "'clause' is needed: how sure it is, or 'not known'",
    ),
    (
        "hdlc.toml",
        ', clause = ["S1"] }',
        ', clase = ["S1"] }',
        "hdlc.toml:3: defaults.evidence.clase",
        "unknown key (did you mean 'clause'?)",
    ),
    (
        "index.toml",
        'evidence = ["S1"]',
        'evidence = ["S3"]',
        "index.toml:29: families.HDLC_1.evidence.0",
        "'S3' is not one of S1, not known",
    ),
    (
        "index.toml",
        'evidence = ["S1"]\n',
        "",
        "index.toml:27: families.HDLC_1",
        "'evidence' is needed",
    ),
    (
        "hdlc.toml",
        "HDLC_FRAME_N1]",
        "X_HDLC_BCAST]",
        "hdlc.toml:18: checks.X_HDLC_BCAST",
        "is no id of the form that The suite has",
    ),
    (
        "more.toml",
        "X_WPDU_VER",
        "HDLC_FRAME_P9",
        "more.toml:1: checks.HDLC_FRAME_P9",
        "has the form of an official id (The suite), and is derived",
    ),
    (
        "more.toml",
        "X_WPDU_VER",
        "WPDU_VER",
        "more.toml:1: checks.WPDU_VER",
        "is derived: its name begins with X_",
    ),
    (
        "more.toml",
        '"derived"',
        '"official procedure"',
        "more.toml:1: checks.X_WPDU_VER",
        "is official procedure: its name begins with COSEM_",
    ),
    (
        "more.toml",
        '"derived"',
        '"official id"',
        "more.toml:1: checks.X_WPDU_VER",
        "is no id of the form that derived has",
    ),
    (
        "more.toml",
        '"derived"',
        '"dervied"',
        "more.toml:3: checks.X_WPDU_VER.origin",
        "'dervied' is not one of official id, official procedure, derived (did you mean",
    ),
    (
        "more.toml",
        "X_WPDU_VER",
        '"X WPDU"',
        "more.toml:1: checks.X WPDU",
        "an id is made of letters and digits, with underscores between",
    ),
    (
        "more.toml",
        '"IEC 62056-4-7"',
        '" "',
        "more.toml:5: checks.X_WPDU_VER.clause",
        "must say something",
    ),
    (
        "more.toml",
        'clause = "IEC 62056-4-7"\n',
        "",
        "more.toml:1: checks.X_WPDU_VER.clause",
        "a string is needed, and missing",
    ),
    (
        "more.toml",
        '"not hdlc"',
        '"not hldc"',
        "more.toml:6: checks.X_WPDU_VER.applies",
        "no feature 'hldc' (did you mean 'hdlc'?)",
    ),
    (
        "more.toml",
        '"not hdlc"',
        '"hdlc and"',
        "more.toml:6: checks.X_WPDU_VER.applies",
        "a feature is missing at the end",
    ),
    (
        "hdlc.toml",
        'applies = "hdlc"',
        'applies = "hdcl"',
        "hdlc.toml:5: defaults.applies",
        "no feature 'hdcl' (did you mean 'hdlc'?)",
    ),
    (
        "hdlc.toml",
        '"suite >= 1"',
        '"suite"',
        "hdlc.toml:21: checks.HDLC_FRAME_N1.also",
        "a feature is missing at the end",
    ),
    (
        "more.toml",
        '["silence"]',
        '["silense"]',
        "more.toml:11: checks.X_WPDU_VER.steps.0.answers.0",
        "'silense' is not one of ua, silence (did you mean 'silence'?)",
    ),
    (
        "more.toml",
        '["silence"]',
        "[]",
        "more.toml:11: checks.X_WPDU_VER.steps.0",
        "'answers' is needed: at least one that is right",
    ),
    (
        "hdlc.toml",
        ', because = "it is slow"',
        "",
        "hdlc.toml:14: checks.HDLC_FRAME_P1.steps.1.lenient.0.because",
        "a string is needed, and missing",
    ),
    (
        "hdlc.toml",
        '"ua: late"',
        '"ua:  at once"',
        "hdlc.toml:13: checks.HDLC_FRAME_P1.steps.1",
        "has the same answer twice",
    ),
    (
        "hdlc.toml",
        '"again"',
        '"connect"',
        "hdlc.toml:13: checks.HDLC_FRAME_P1.steps.1.name",
        "there is a step 'connect' already",
    ),
    (
        "hdlc.toml",
        '"again"',
        '"Again!"',
        "hdlc.toml:13: checks.HDLC_FRAME_P1.steps.1.name",
        "'Again!' is no word of small letters",
    ),
    (
        "hdlc.toml",
        'steps = ["not known"]',
        'steps = ["S1"]',
        "hdlc.toml:18: checks.HDLC_FRAME_N1",
        "either has steps, or its evidence says 'not known'",
    ),
    (
        "hdlc.toml",
        'steps = ["not known"]',
        'steps = ["S1", "not known"]',
        "hdlc.toml:22: checks.HDLC_FRAME_N1.evidence.steps",
        "'not known' stands alone",
    ),
    (
        "more.toml",
        'steps = ["S1"]',
        "steps = []",
        "more.toml:4: checks.X_WPDU_VER.evidence",
        "'steps' is needed",
    ),
    (
        "more.toml",
        'purpose = ["S1"]',
        'purpose = ["S9"]',
        "more.toml:4: checks.X_WPDU_VER.evidence.purpose.0",
        "'S9' is not one of S1, not known",
    ),
    (
        "more.toml",
        '"minor"',
        '"small"',
        "more.toml:8: checks.X_WPDU_VER.severity",
        "'small' is not one of critical, major",
    ),
    (
        "more.toml",
        '"R-IC-4"',
        '"IC-4"',
        "more.toml:9: checks.X_WPDU_VER.rules.0",
        "'IC-4' is no name of a rule",
    ),
    (
        "more.toml",
        '"HDLC_FRAME_N1"',
        '"HDLC_FRAME_N2"',
        "more.toml:10: checks.X_WPDU_VER.corresponds",
        "'HDLC_FRAME_N2' is no official test (did you mean 'HDLC_FRAME_N1'?)",
    ),
    (
        "more.toml",
        '"HDLC_FRAME_N1"',
        '"X_WPDU_VER"',
        "more.toml:10: checks.X_WPDU_VER.corresponds",
        "'X_WPDU_VER' is no official test",
    ),
    (
        "hdlc.toml",
        'aliases = ["Old 2"]',
        'corresponds = ["HDLC_FRAME_P1"]',
        "hdlc.toml:20: checks.HDLC_FRAME_N1.corresponds",
        "an official id corresponds to itself",
    ),
    (
        "hdlc.toml",
        '"Old 2"',
        '"t_hdlc_frame_p1"',
        "hdlc.toml:20: checks.HDLC_FRAME_N1.aliases",
        "'t_hdlc_frame_p1' is an alias of HDLC_FRAME_P1 already",
    ),
    (
        "hdlc.toml",
        '"Old 2"',
        '"X_WPDU_VER"',
        "hdlc.toml:20: checks.HDLC_FRAME_N1.aliases",
        "'X_WPDU_VER' is the id X_WPDU_VER already",
    ),
    (
        "hdlc.toml",
        '"Old 2"',
        '"Old 2", "Old 2"',
        "hdlc.toml:20: checks.HDLC_FRAME_N1.aliases.1",
        "'Old 2' is there already",
    ),
    (
        "hdlc.toml",
        "severity =",
        "severty =",
        "hdlc.toml:7: defaults.severty",
        "unknown key (did you mean 'severity'?)",
    ),
    (
        "hdlc.toml",
        "aliases =",
        "alias =",
        "hdlc.toml:20: checks.HDLC_FRAME_N1.alias",
        "unknown key (did you mean 'aliases'?)",
    ),
    (
        "index.toml",
        "official = 2",
        "official = 3",
        "hdlc.toml",
        "has 2 official ids, and The suite 3",
    ),
    (
        "index.toml",
        "official = 2\n",
        "",
        "index.toml:1: groups.hdlc",
        "'ids' and 'official' come together",
    ),
    (
        "index.toml",
        "[PN][0-9]+",
        "[PN",
        "index.toml:4: groups.hdlc.ids",
        "is no regular expression",
    ),
    (
        "index.toml",
        '"flag"',
        '"flags"',
        "index.toml:13: features.hdlc.kind",
        "'flags' is not one of flag, number (did you mean 'flag'?)",
    ),
    (
        "index.toml",
        "hdlc = {",
        "and = {",
        "index.toml:13: features.and",
        "'and' joins features: it cannot be one",
    ),
    ("index.toml", 'ua = "UA"', 'ua = ""', "index.toml:17: answers.ua", "must say something"),
    (
        "index.toml",
        '"HDLC_FRAME_P1", "X_WPDU_VER"',
        '"HDLC_FRAME_P2"',
        "index.toml:30: families.HDLC_1.checks",
        "no check 'HDLC_FRAME_P2' (did you mean 'HDLC_FRAME_P1'?)",
    ),
    (
        "index.toml",
        "families.HDLC_1",
        'families."OLD 2"',
        "index.toml:27: families.OLD 2",
        "is an alias of HDLC_FRAME_N1 already",
    ),
    ("index.toml", "[groups.more]", "[groups.less]", "less.toml", "is missing"),
)
"""The file, what is written in it, what in its place, where the error is, and what it says."""


@pytest.mark.parametrize(("file", "old", "new", "where", "problem"), WRONG)
def test_what_is_wrong(file: str, old: str, new: str, where: str, problem: str) -> None:
    assert problem_of(file, old, new).startswith(f"{where}: {problem}")


def test_every_bad_row_is_named_at_once() -> None:
    bad = HDLC.replace('"One"', '""').replace('"Two"', '""')
    with pytest.raises(ProfileError) as caught:
        catalogue_of(TEXTS | {"hdlc.toml": bad, "more.toml": MORE.replace('"Three"', "3")})
    assert [str(one).partition(": ")[0] for one in caught.value.all] == [
        "hdlc.toml:10", "hdlc.toml:19", "more.toml:2",
    ]  # fmt: skip


def test_an_id_in_two_groups() -> None:
    with pytest.raises(ProfileError, match=r"^more.toml:1: checks.X_WPDU_VER: is in group hdlc"):
        catalogue_of(TEXTS | {"hdlc.toml": HDLC + MORE})


def test_ids_that_differ_in_case_only() -> None:
    twice = MORE + MORE.replace("VER]", "Ver]")
    with pytest.raises(ProfileError, match="differ in the case of their letters only"):
        catalogue_of(TEXTS | {"more.toml": twice})


def test_a_file_of_no_group() -> None:
    with pytest.raises(ProfileError, match=r"^stray.toml: belongs to no group of index.toml"):
        catalogue_of(TEXTS | {"stray.toml": ""})


def test_the_files_are_installed_with_the_package() -> None:
    """pyproject.toml names them as data of the package ``emulator``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["emulator"]
    installed = {path for pattern in patterns for path in (ROOT / "emulator").glob(pattern)}
    files = set((ROOT / "emulator/conformance/catalogue").glob("*.toml"))
    assert len(files) == 17
    assert files <= installed
