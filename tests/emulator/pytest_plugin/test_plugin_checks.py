"""Conformance checks as tests, with a runner that says what it is told."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

RUNNER = """
from pathlib import Path

import pytest
from emulator.conformance import built_in
from emulator.conformance.probing.record import Direction, Entry, Level
from emulator.conformance.running.result import (
    CaseResult, Difference, Standing, StepResult, Verdict
)

ANSWER = Entry(
    at=0.25, direction=Direction.RECEIVED, level=Level.APDU, octets=bytes(range(0x10, 0x30)),
    text="AARE", key="GUEK of s1sp", counter=7,
)
DIFFERENCE = Difference(
    answer="rejected", expected="result 1", actual="result 0", entry=0, offset=18
)


def result(id, verdict, standing=Standing.GOOD, expected="", reasons=("so it is",)):
    good = verdict in (Verdict.PASSED, Verdict.INFORMATIONAL)
    step = StepResult(
        step="one", subtest="3", sends="an AARQ with a wrong context", verdict=verdict,
        answer="", seen="AARE accepted", differences=() if good else (DIFFERENCE,),
        entries=(0, 1), notes=("something was found",),
    )
    return CaseResult(
        id=id, verdict=verdict, standing=standing, reasons=() if good else reasons,
        steps=(step,), record=(ANSWER,), seconds=0.5, expected=expected,
    )


V, S = Verdict, Standing
RESULTS = {
    "APPL_OPEN_1": (V.PASSED,),
    "APPL_OPEN_3": (V.FAILED, S.BAD),
    "APPL_OPEN_4": (V.NON_STRICT,),
    "APPL_OPEN_5": (V.INAPPLICABLE,),
    "APPL_OPEN_6": (V.INCONCLUSIVE,),
    "APPL_OPEN_7": (V.ERROR, S.BAD),
    "APPL_OPEN_9": (V.FAILED, S.EXPECTED_FAILURE, "ticket 7"),
    "APPL_OPEN_11": (V.PASSED, S.UNEXPECTED_PASS, "ticket 8"),
    "APPL_OPEN_12": (V.INFORMATIONAL,),
}


class Fake:
    def __init__(self, asked):
        self.asked = asked

    def checks(self):
        catalogue = built_in()
        wanted = self.asked.patterns or tuple(RESULTS)
        return [check for name in wanted for check in catalogue.find(name) if check.id in RESULTS]

    def run(self, check):
        return result(check.id, *RESULTS[check.id])

    def close(self):
        with Path("closed.txt").open("a") as file:
            file.write(f"{self.asked.target} {self.asked.strict}\\n")


def pytest_cosem_suite(config, asked):
    return Fake(asked)
"""

ORDINARY = "def test_ordinary(): pass\n"
BOTH = {"conftest.py": RUNNER, "test_ordinary.py": ORDINARY}
TARGET = ("--cosem-target", "tcp://192.0.2.7:4059")


def closed(pytester: Any) -> list[str]:
    return Path(pytester.path, "closed.txt").read_text().splitlines()


def test_what_becomes_of_verdicts(run_pytest: Callable[..., Any], pytester: Any) -> None:
    result = run_pytest(BOTH, *TARGET, "-rA")
    # Passed: ordinary, PASSED, NON_STRICT, INFORMATIONAL.
    result.assert_outcomes(passed=4, failed=2, errors=1, skipped=2, xfailed=1)
    lines = result.stdout.lines
    for wanted in (
        "PASSED cosem::APPL_OPEN_1",
        "PASSED cosem::APPL_OPEN_4",
        "PASSED cosem::APPL_OPEN_12",
        "XFAIL cosem::APPL_OPEN_9 - ticket 7",
    ):
        assert wanted in lines
    for wanted in ("INAPPLICABLE: so it is", "INCONCLUSIVE: so it is", "[XPASS(strict)] ticket 8"):
        assert any(wanted in line for line in lines)
    assert any(line.startswith("ERROR cosem::APPL_OPEN_7") for line in lines)
    assert {line.split()[1] for line in lines if line.startswith("FAILED cosem")} == {
        "cosem::APPL_OPEN_3",
        "cosem::APPL_OPEN_11",
    }
    assert closed(pytester) == ["tcp://192.0.2.7:4059 False"]


def test_a_failure_says_rule_octets_and_difference(run_pytest: Callable[..., Any]) -> None:
    result = run_pytest(BOTH, *TARGET, "--cosem-checks", "APPL_OPEN_3")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*APPL_OPEN_3*",
            "FAILED  APPL_OPEN_3: *",
            "official id, *",
            "reason: so it is",
            "step one (subtest 3): FAILED: an AARQ with a wrong context",
            "  seen: AARE accepted",
            "  not rejected: expected result 1, got result 0",
            "    octet 18:",
            "    0010  20 21 22 23 24 25 26 27 28 29 2A 2B 2C 2D 2E 2F",
            "                ^^",
            "  on the line:",
            "       0.250 s  <-  apdu key=GUEK of s1sp IC=7 AARE",
            "      0000  10 11 12 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F",
            "      0010  20 21 22 *",
            "No certification: *",
        ]
    )
    assert not any("Traceback" in line or "runtest" in line for line in result.stdout.lines)


def test_non_strict_is_told_and_may_fail(run_pytest: Callable[..., Any], pytester: Any) -> None:
    chosen = (*TARGET, "--cosem-checks", "APPL_OPEN_4")
    result = run_pytest(BOTH, *chosen, "-rP")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*cosem call*", "NON_STRICT  APPL_OPEN_4: *"])
    result = run_pytest(BOTH, *chosen, "--cosem-strict")
    result.assert_outcomes(passed=1, failed=1)
    assert closed(pytester)[1].endswith("True")


def test_ci_sees_each_check(run_pytest: Callable[..., Any], pytester: Any) -> None:
    run_pytest(BOTH, *TARGET, "--junitxml=out.xml")
    (suite,) = ET.parse(Path(pytester.path, "out.xml")).getroot()
    cases = {case.get("name"): case for case in suite if case.get("classname") == "cosem"}
    assert len(cases) == 9

    def became(id: str) -> list[str]:
        return [child.tag for child in cases[id] if child.tag != "properties"]

    assert became("APPL_OPEN_1") == []
    assert became("APPL_OPEN_3") == ["failure"]
    assert became("APPL_OPEN_7") == ["error"]
    assert became("APPL_OPEN_5") == became("APPL_OPEN_9") == ["skipped"]
    properties = {
        one.get("name"): one.get("value") for one in cases["APPL_OPEN_3"].iter("property")
    }
    assert properties["verdict"] == "FAILED"
    assert properties["origin"] == "official id"


def test_pytests_own_selection_works(run_pytest: Callable[..., Any]) -> None:
    result = run_pytest(BOTH, *TARGET, "-k", "APPL_OPEN_1 and not APPL_OPEN_12")
    result.assert_outcomes(passed=1, failed=1, deselected=8)  # and APPL_OPEN_11
    result = run_pytest(BOTH, *TARGET, "-k", "appl and OPEN_5")
    result.assert_outcomes(skipped=1, deselected=9)


def test_there_need_not_be_other_tests(run_pytest: Callable[..., Any]) -> None:
    result = run_pytest({"conftest.py": RUNNER}, *TARGET, "--cosem-checks", "APPL_OPEN_1")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK


def test_without_a_target_there_are_none(run_pytest: Callable[..., Any]) -> None:
    run_pytest(BOTH).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("files", "arguments", "text"),
    [
        (BOTH, ("--cosem-checks", "X"), "--cosem-checks goes with --cosem-target"),
        (BOTH, ("--cosem-strict",), "--cosem-strict goes with --cosem-target"),
        (BOTH, (*TARGET, "--cosem-checks", "HDLC"), "--cosem-checks HDLC: no check is meant"),
    ],
)
def test_usage(
    run_pytest: Callable[..., Any], files: dict[str, str], arguments: tuple[str, ...], text: str
) -> None:
    result = run_pytest(files, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert any(text in line for line in result.errlines)
