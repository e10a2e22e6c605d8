"""Conformance checks as tests on a meter that runs, by its declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator.conformance import built_in
from emulator.conformance.catalogue.selecting import chosen
from emulator.conformance.declaration import key_file
from emulator.conformance.declaration.model import Declaration, ExpectedFailure
from emulator.conformance.declaration.of_profile import Circumstances, declare, keys_of
from emulator.conformance.declaration.rendering import render
from emulator.head_end.party import client_titles
from emulator.key_suites import suites_of
from emulator.modules.keyring import KeyRing
from emulator.pytest_plugin.live import live
from emulator.pytest_plugin.meter import BenchMeter
from emulator.pytest_plugin.site import Site, fleet_secret
from emulator.pytest_plugin.wanted import Wanted

pytest_plugins = ["pytester"]

CHECK = "APPL_OPEN_12"
"""That a request before the association is refused, and what else: any that can be run would do."""


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[BenchMeter]:
    with live(Wanted(profiles=("secure",)), Site(tmp_path / "site")) as sandbox:
        yield sandbox.meter("secure")


@pytest.fixture
def declaration(secure: BenchMeter, tmp_path: Path) -> Declaration:
    keys = tmp_path / "keys.toml"
    ring = KeyRing(fleet_secret("0"), suites_of(secure.profile))
    key_file.save(keys, keys_of(secure.profile, secure.title, ring, client_titles()))
    how = Circumstances(titles=client_titles(), key_file=str(keys))
    return declare(secure.profile, secure.address, how)


def test_a_check_runs_on_the_meter(
    run_pytest: Callable[..., Any], secure: BenchMeter, declaration: Declaration
) -> None:
    files = {"meter.toml": render(declaration)}
    chosen_one = ("--cosem-target", "meter.toml", "--cosem-checks", CHECK)
    result = run_pytest(files, *chosen_one, "-rA")
    result.assert_outcomes(passed=1)
    assert f"PASSED cosem::{CHECK}" in result.stdout.lines
    assert secure.apdus  # somebody has spoken to it


def test_what_does_not_apply_is_skipped(
    run_pytest: Callable[..., Any], declaration: Declaration
) -> None:
    files = {"meter.toml": render(declaration)}
    result = run_pytest(files, "--cosem-target", "meter.toml", "--cosem-checks", "X_CLI_*", "-rs")
    checks = chosen(built_in(), ("X_CLI_*",))
    result.assert_outcomes(skipped=len(checks))
    result.stdout.fnmatch_lines(["*INAPPLICABLE: needs client*"])


def test_a_meter_that_is_gone_is_an_error(
    run_pytest: Callable[..., Any], secure: BenchMeter, declaration: Declaration
) -> None:
    secure.power_off()
    files = {"meter.toml": render(declaration)}
    result = run_pytest(files, "--cosem-target", "meter.toml", "--cosem-checks", CHECK)
    result.assert_outcomes(errors=1)


def test_what_is_declared_to_fail_must_not_pass(
    run_pytest: Callable[..., Any], declaration: Declaration
) -> None:
    expected = (ExpectedFailure(id=CHECK, reason="ticket 9"),)
    files = {"meter.toml": render(replace(declaration, expected=expected))}
    result = run_pytest(files, "--cosem-target", "meter.toml", "--cosem-checks", CHECK)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*XPASS(strict)* ticket 9"])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--cosem-target", "tcp://192.0.2.7:4059"), "'cosemlab conform declare' drafts"),
        (("--cosem-target", "nowhere.toml"), "--cosem-target nowhere.toml: "),
        (("--cosem-target", "odd.toml"), "--cosem-target odd.toml: odd.toml"),
    ],
)
def test_no_such_target(
    run_pytest: Callable[..., Any], arguments: tuple[str, ...], text: str
) -> None:
    result = run_pytest({"odd.toml": "nonsense = 1\n"}, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert any(text in line for line in result.errlines), result.errlines
