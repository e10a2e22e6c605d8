"""Conformance checks as tests: ``cosem::APPL_OPEN_1`` and so on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from emulator.conformance import DISCLAIMER, Check
from emulator.conformance.running.result import CaseResult, Standing, Verdict
from emulator.pytest_plugin.telling import told

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr

    from emulator.pytest_plugin.suite import Asked, Suite

_SUITE = pytest.StashKey["Suite"]()
NAME = "cosem"


class NotPassed(Exception):
    """What came of a check that has not passed; the text is the whole story."""


def collect(session: pytest.Session, asked: Asked) -> list[pytest.Item]:
    """A test for each check that was chosen. :class:`pytest.UsageError` if there can be none."""
    suite: Suite | None = session.config.hook.pytest_cosem_suite(config=session.config, asked=asked)
    if suite is None:
        raise pytest.UsageError(f"--cosem-target {asked.target}: nothing runs conformance checks")
    session.config.stash[_SUITE] = suite
    parent = Checks.from_parent(session, name=NAME, nodeid=NAME, suite=suite, strict=asked.strict)
    items = list(parent.collect())
    if not items:
        raise pytest.UsageError(f"--cosem-checks {' '.join(asked.patterns)}: no check is meant")
    return items


def close(config: pytest.Config) -> None:
    """The run is over."""
    suite = config.stash.get(_SUITE, None)
    if suite is not None:
        del config.stash[_SUITE]
        suite.close()


class Checks(pytest.Collector):
    """All of them: there is no file that they are in."""

    def __init__(self, *, suite: Suite, strict: bool, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._suite = suite
        self._strict = strict

    def collect(self) -> list[pytest.Item]:
        return [
            CheckItem.from_parent(
                self, name=check.id, check=check, suite=self._suite, strict=self._strict
            )
            for check in self._suite.checks()
        ]


class CheckItem(pytest.Item):
    """The check runs in the set-up, so that an ERROR of the tester, of which the device is not
    guilty, is an error for pytest and no failure. The test itself is the verdict.
    """

    def __init__(self, *, check: Check, suite: Suite, strict: bool, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.check = check
        self._suite = suite
        self._strict = strict
        self._result: CaseResult | None = None
        self.keywords.update({NAME: None, check.group: None})
        self.user_properties += [("origin", check.origin.value), ("title", check.title)]

    def setup(self) -> None:
        self._result = result = self._suite.run(self.check)
        self.user_properties.append(("verdict", result.verdict.value))
        if result.verdict is Verdict.ERROR:
            raise NotPassed(told(self.check, result))

    def runtest(self) -> None:
        result = self._result
        assert result is not None  # setup() has run it
        reasons = "; ".join(result.reasons) or "no reason was given"
        match result.standing:
            case Standing.EXPECTED_FAILURE:
                pytest.xfail(result.expected)
            case Standing.UNEXPECTED_PASS:
                raise NotPassed(f"[XPASS(strict)] {result.expected}\n{told(self.check, result)}")
            case Standing.GOOD | Standing.BAD:
                pass
        match result.verdict:
            case Verdict.INAPPLICABLE | Verdict.INCONCLUSIVE:
                pytest.skip(f"{result.verdict.value}: {reasons}")
            case Verdict.FAILED:
                raise NotPassed(told(self.check, result))
            case Verdict.NON_STRICT if self._strict:
                raise NotPassed(told(self.check, result))
            case Verdict.NON_STRICT | Verdict.INFORMATIONAL:
                self.add_report_section("call", NAME, told(self.check, result))
            case Verdict.PASSED | Verdict.ERROR:
                pass

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None
    ) -> str | TerminalRepr:
        if isinstance(excinfo.value, NotPassed):
            return f"{excinfo.value}\n{DISCLAIMER}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        return NAME, None, self.name
