"""What is wrong in a file of scenarios is said in one line, with the file and the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.fuzz.actions import Open, Transfer
from emulator.fuzz.scenario.place import ScenarioError
from emulator.fuzz.scenario.playing import play
from emulator.fuzz.scenario.reading import FORMAT, parse, read, read_all
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import EditKind, Lost

OPEN = {"do": "open", "client": "dco", "expect": "accepted"}


def document(*steps: Any, **more: Any) -> dict[str, Any]:
    scenario = {"name": "KL-IC-99", "title": "a case", "steps": list(steps) or [OPEN], **more}
    return {"format": FORMAT, "version": 1, "scenarios": [scenario]}


def test_a_scenario_is_read_whole() -> None:
    entry = {"key_id": 0, "under": "GAK", "edits": [{"flip": [-1, "80"]}]}
    step = {"do": "transfer", "client": "dco", "entries": [entry], "lose": "response"}
    expect = {"outcome": ["refused", "silence"], "says": "no", "floor": {"dco/GUEK": "+1"}}
    (scenario,) = parse(document(OPEN, {**step, "expect": expect}, alive="suite1"))
    first, second = scenario.courses[0].steps
    assert first.action == Open(client="dco")
    assert first.expected.outcomes == {Outcome.ACCEPTED}
    assert isinstance(second.action, Transfer)
    assert second.action.entries[0].edits[0].kind is EditKind.FLIP
    assert second.action.twist.lose is Lost.RESPONSE
    assert second.expected.says == ("no",)
    assert second.expected.floor == {"dco/GUEK": "+1"}
    assert scenario.alive == "suite1"


def test_each_binding_is_a_course() -> None:
    step = {"do": "rotate", "client": "$who", "kinds": ["$kind"]}
    bindings = [{"who": "dco", "kind": "GUEK"}, {"who": "s1sp", "kind": "GAK"}]
    (scenario,) = parse(document(step, each=bindings))
    first, second = (course.steps[0].action for course in scenario.courses)
    assert (first.client, first.kinds) == ("dco", ("GUEK",))  # type: ignore[union-attr]
    assert (second.client, second.kinds) == ("s1sp", ("GAK",))  # type: ignore[union-attr]
    assert scenario.courses[1].binding == "who=s1sp kind=GAK"


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"client": "dco"}, "it has no do"),
        ({"do": "opne"}, "'opne' is none of open, challenge"),
        ({"do": "open"}, "missing 1 required keyword-only argument: 'client'"),
        ({"do": "open", "client": 1}, ".client: text is needed, not 1"),
        ({"do": "open", "client": "dco", "what": 1}, "'what' is not known; there are client"),
        ({"do": "open", "client": "dco", "lose": "all"}, ".lose: 'all' is none of nothing, req"),
        ({"do": "open", "client": "dco", "octets": [{"flip": 1}]}, ".octets[0].flip: a list"),
        ({"do": "open", "client": "dco", "octets": [{"turn": 1}]}, "'turn' is not known"),
        ({"do": "open", "client": "dco", "octets": [{"add": "0"}]}, "'0' is not hexadecimal"),
        ({"do": "wait", "seconds": 1, "cut": 0}, "nothing is said here that could be twisted"),
        ({"do": "get", "client": "dco", "attribute": [1, "0-0:1", 2]}, ".attribute: "),
        ({"do": "set", "client": "dco", "attribute": [1, "0-0:96.1.9.255", 2], "value": 5}, "type"),
        ({"do": "send", "client": "dco", "plain": {"put": 1}}, ".plain: 'put' is not known"),
        ({**OPEN, "expect": "yes"}, ".expect: 'yes' is none of accepted, refused"),
        ({**OPEN, "expect": {"state": "new"}}, ".expect.state: same or changed is needed"),
        ({**OPEN, "expect": {"floor": {"a": "x"}}}, ".floor.a: a number, same, +N or -N"),
        ({**OPEN, "client": "$who"}, "$who stands for nothing"),
        ({**OPEN, "recorded": [["->", "dco"]]}, ".recorded[0]: direction, client and octets"),
    ],
)
def test_a_wrong_step_is_named(step: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(document(step), "here.json")
    (line,) = str(caught.value).splitlines()
    assert says in line
    if "stands for" not in line:
        assert line.startswith("here.json.scenarios[0] (KL-IC-99).steps[0]")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ([], "a table is needed"),
        ({"format": "other"}, ".format: 'cosemlab-scenarios' is needed"),
        ({"format": FORMAT, "version": 2}, ".version: 1 is needed"),
        ({"format": FORMAT, "version": 1}, "it has no scenarios"),
        ({"format": FORMAT, "version": 1, "scenarios": [{}]}, "it has no name"),
        ({**document(), "more": 1}, "'more' is not known"),
        (document(not_here="why"), "either steps or not_here is needed"),
        (document(knob={}), ".knob: it has no at"),
        (document(clients={"a": {}}), "missing 1 required keyword-only argument: 'association'"),
    ],
)
def test_a_wrong_document_is_named(written: Any, says: str) -> None:
    with pytest.raises(ScenarioError, match=r"^here\.json") as caught:
        parse(written, "here.json")
    assert says in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none\.json: cannot be read: No such file"):
        read(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(ScenarioError, match=r"broken\.json: no JSON"):
        read(broken)


def test_no_name_twice(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps(document()))
    with pytest.raises(ScenarioError, match="KL-IC-99 is there 2 times"):
        read_all(sorted(tmp_path.glob("*.json")))


def test_an_object_that_there_is_not_is_a_problem_and_no_crash() -> None:
    (scenario,) = parse(document({"do": "open", "client": "nobody"}))
    (result,) = play(scenario)
    assert result.problems == ("step 1: it cannot be done: laboratory has no association nobody",)
