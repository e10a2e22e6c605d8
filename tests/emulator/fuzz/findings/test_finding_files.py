"""A finding as a file: played again it breaks the same; mended it passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.fuzz.actions import Get, Open, Plant, Wait
from emulator.fuzz.breach import Breach
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.findings.comparing import differing, remark
from emulator.fuzz.findings.evidence import found as evidence_of
from emulator.fuzz.findings.filing import file
from emulator.fuzz.findings.finding import Finding, Key
from emulator.fuzz.findings.words import in_words
from emulator.fuzz.in_process.world import SECRET
from emulator.fuzz.scenario.found import Found
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.playing import play
from emulator.fuzz.scenario.reading import read
from emulator.fuzz.setting import Setting
from emulator.fuzz.twist import Edit, EditKind, Otherwise, Twist

Make = Callable[..., Finding]


def filed(tmp_path: Path, finding: Finding) -> tuple[Scenario, Found]:
    (scenario,) = read(file(tmp_path / "findings", finding))
    assert scenario.found is not None
    return scenario, scenario.found


def test_where_the_defect_is_it_names_the_invariant(tmp_path: Path, found: Make) -> None:
    scenario, evidence = filed(tmp_path, found())
    (result,) = play(scenario)
    assert result.problems == ("step 2: R-HLS-4: a challenge comes twice",)
    assert remark(evidence, result) == "the octets of all 8 APDUs are those that were found"
    assert scenario.name == "FOUND-R-HLS-4-d83053eb"


def test_where_it_is_mended_it_passes(tmp_path: Path, found: Make) -> None:
    scenario, evidence = filed(tmp_path, found())
    (result,) = play(replace(scenario, plants=()))
    assert result.passed
    assert differing(evidence, result) == (1, 2)
    assert remark(evidence, result).startswith("other octets than were found pass in steps 1, 2:")


def test_what_only_the_judge_sees_is_named(tmp_path: Path, found: Make) -> None:
    """The meter itself sees nothing wrong in a tag that it does not look at."""
    unchecked = Setting(plants=(Plant(fault="tags-unchecked"),))
    forged = Open(client="suite1", twist=Twist(seal=Otherwise(ak="NONE")))
    finding = found(Wait(seconds=1), forged, setting=unchecked)
    assert finding.step == 2
    scenario, _ = filed(tmp_path, finding)
    (course,) = scenario.courses
    longer = replace(course, steps=(*course.steps, course.steps[0]))
    (result,) = play(replace(scenario, courses=(longer,)))
    assert len(result.played) == 2  # what comes behind the breach is not played
    assert f"step 2: {finding.breach}" in result.problems
    (unjudged,) = play(replace(scenario, found=None))
    assert unjudged.passed
    (mended,) = play(replace(scenario, plants=()))
    assert mended.passed


def test_what_shows_in_the_end_names_it_too(tmp_path: Path, found: Make) -> None:
    """Nobody gets in any more, and no step is to blame."""
    deaf = Setting(plants=(Plant(fault="overloaded"),))
    finding = found(Wait(seconds=1), setting=deaf)
    assert finding.key == Key("I6", "no legitimate client gets in")
    scenario, evidence = filed(tmp_path, finding)
    assert evidence.step == finding.step == 0
    assert [one.outcome for one in evidence.seen] == ["done", "in the end"]
    (result,) = play(scenario)
    (problem,) = result.problems
    assert problem.startswith("in the end: I6: no legitimate client gets in: refused")
    (mended,) = play(replace(scenario, plants=()))
    assert mended.passed


def test_the_evidence_has_octets_counters_and_keys(tmp_path: Path, found: Make) -> None:
    _, evidence = filed(tmp_path, found(was=40))
    assert (evidence.seed, evidence.steps, evidence.was, evidence.step) == (7, 321, 40, 2)
    assert evidence.target == "in process"
    first, second = evidence.seen
    assert [one[0] for one in first.line] == ["->", "<-", "->", "<-"]
    assert first.line[0][1] == "dco"
    assert first.line[0][2].startswith("60")
    assert first.line[0][3].startswith("AARQ context=LN_CIPHERED")
    assert first.breaks == ()
    assert second.breaks == ("R-HLS-4: a challenge comes twice",)
    assert first.floors["dco/GUEK"] < second.floors["dco/GUEK"]
    assert first.open == ("dco",)
    names = {one.name: one for one in evidence.keys}
    assert {"dco/GUEK", "dco/GAK"} <= set(names)
    assert "dco" in names["dco/GUEK"].holder
    assert all(not name.startswith("s1sp") for name in names)


@pytest.mark.parametrize("is_dedicated", [False, True], ids=["global", "dedicated"])
def test_what_is_ciphered_is_told_too(
    found: Make, stale: Setting, note: AttributeDescriptor, is_dedicated: bool
) -> None:
    clients = {"dco": ClientKind(association="dco", dedicated=is_dedicated)}
    ask = Get(client="dco", attribute=note)
    flip = Edit(kind=EditKind.FLIP, at=-1, octets=b"\x01")
    finding = found(
        Open(client="dco"), ask, replace(ask, twist=Twist(answer=(flip,))), Open(client="dco"),
        setting=Setting(plants=stale.plants, clients=clients),
    )  # fmt: skip
    _, right, flipped, _ = evidence_of(finding).seen
    assert [row[3].partition(": ")[2].split("(")[0] for row in right.line] == [
        "GetRequest",
        "GetResponse",
    ]
    assert flipped.line[-1][3].endswith("and its tag does not verify")


@pytest.mark.parametrize("is_dedicated", [False, True], ids=["global", "dedicated"])
def test_what_an_aarq_carries_is_told_without_its_key(
    found: Make, stale: Setting, is_dedicated: bool
) -> None:
    clients = {"dco": ClientKind(association="dco", dedicated=is_dedicated)}
    setting = Setting(plants=stale.plants, clients=clients)
    evidence = evidence_of(found(Open(client="dco"), Open(client="dco"), setting=setting))
    first, *_ = evidence.seen
    assert ": InitiateRequest(conformance=" in first.line[0][3]
    assert ": InitiateResponse(conformance=" in first.line[1][3]
    keys = [one for one in evidence.keys if "DEDICATED" in one.name]
    assert bool(keys) is is_dedicated
    said = "".join(row[3] for row in first.line).lower()
    for one in keys:
        assert one.octets.lower() not in said
        assert repr(bytes.fromhex(one.octets)).lower() not in said


def test_the_secret_of_all_keys_is_not_among_them(tmp_path: Path, found: Make) -> None:
    path = file(tmp_path, found())
    assert SECRET.hex() not in path.read_text().lower()


def test_the_same_finding_is_the_same_file(tmp_path: Path, found: Make) -> None:
    first = file(tmp_path, found())
    octets = first.read_bytes()
    assert file(tmp_path, found(Open(client="s1sp"), Open(client="s1sp"))) == first
    assert first.read_bytes() != octets
    assert file(tmp_path, found()).read_bytes() == octets
    assert [one.name for one in tmp_path.iterdir()] == [first.name]


def test_findings_are_told_apart_by_invariant_and_shape() -> None:
    one = Breach(invariant="I2", words="dco 5 -> 3", shape="a counter goes back")
    assert Key.of(one) == Key.of(replace(one, words="s1sp 9 -> 0"))
    assert Key.of(one) != Key.of(replace(one, shape="another"))
    assert Key.of(one) != Key.of(replace(one, invariant="I3"))
    names = {Key.of(replace(one, invariant=name)).name for name in ("I2", "I3", "R-HLS-4")}
    assert len(names) == 3


def test_a_file_says_what_is_wrong_in_it(tmp_path: Path, found: Make) -> None:
    path = file(tmp_path, found())
    document = json.loads(path.read_text())
    del document["scenarios"][0]["found"]["shape"]
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"\.found: missing 1 required .* 'shape'"):
        read(path)


def test_every_action_of_the_cases_has_words(every_scenario: dict[str, Scenario]) -> None:
    said = {
        in_words(step.action)
        for scenario in every_scenario.values()
        for course in scenario.courses
        for step in course.steps
    }
    assert len(said) > 200
    assert all(one and "\n" not in one for one in said)
    assert "dco replaces GUEK by key_transfer; the response is lost" in said
    assert "dco sends a get of 1/0-0:96.1.9.255/2" in said
