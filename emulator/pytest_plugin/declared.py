"""Conformance checks on a device of which there is a declaration, by the runner of this package."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from devices.profile import ProfileError
from emulator.conformance import Check, UnknownCheck, built_in
from emulator.conformance.catalogue.selecting import chosen
from emulator.conformance.running.declared import read_target
from emulator.conformance.running.result import CaseResult
from emulator.conformance.running.runner import Runner
from emulator.conformance.trying.target import Target
from emulator.pytest_plugin.live import loop_in_thread
from emulator.pytest_plugin.suite import Asked


class DeclaredSuite:
    """``asked.target`` is the file. The device is not spoken to before the first check."""

    def __init__(self, asked: Asked) -> None:
        self._checks = _chosen(asked.patterns)
        self._stack = ExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runner = Runner(_target(Path(asked.target)), strict=asked.strict)

    def checks(self) -> Sequence[Check]:
        return self._checks

    def run(self, check: Check) -> CaseResult:
        """In a loop of its own, which is no test's."""
        if self._loop is None:
            self._loop = self._stack.enter_context(loop_in_thread())
        return asyncio.run_coroutine_threadsafe(self._runner.run_one(check), self._loop).result()

    def close(self) -> None:
        self._stack.close()


def _chosen(patterns: Sequence[str]) -> tuple[Check, ...]:
    """:class:`pytest.UsageError` if there is no such check."""
    try:
        return chosen(built_in(), patterns)
    except UnknownCheck as error:
        raise pytest.UsageError(f"--cosem-checks: {error}") from None


def _target(path: Path) -> Target:
    """:class:`pytest.UsageError` says what is wrong with the declaration, or a file it names."""
    try:
        return read_target(path)
    except (ProfileError, OSError) as error:
        raise pytest.UsageError(f"--cosem-target {path}: {error}") from None
