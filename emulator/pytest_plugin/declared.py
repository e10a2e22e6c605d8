"""Conformance checks on a device of which there is a declaration, by the runner of this package."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from devices.profile import ProfileError
from emulator.conformance import Catalogue, Check, UnknownCheck, built_in
from emulator.conformance.declaration import key_file, loading
from emulator.conformance.declaration.routes import route
from emulator.conformance.running.result import CaseResult
from emulator.conformance.running.runner import Runner
from emulator.conformance.running.target import Target
from emulator.pytest_plugin.live import loop_in_thread
from emulator.pytest_plugin.suite import Asked

_WILD = frozenset("*?[")


class DeclaredSuite:
    """``asked.target`` is the file. The device is not spoken to before the first check."""

    def __init__(self, asked: Asked) -> None:
        self._checks = chosen(built_in(), asked.patterns)
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


def chosen(catalogue: Catalogue, patterns: Sequence[str]) -> tuple[Check, ...]:
    """All that a pattern means, in the order of the catalogue; without one, all that there are.

    A pattern is a group, a pattern of ids, or what ``cosemlab conform explain`` takes.
    :class:`pytest.UsageError` if there is no such check.
    """
    if not patterns:
        return tuple(catalogue)
    found: set[str] = set()
    for pattern in patterns:
        try:
            meant = _meant(catalogue, pattern)
        except UnknownCheck as error:
            raise pytest.UsageError(f"--cosem-checks {pattern}: {error}") from None
        found.update(check.id for check in meant)
    return tuple(check for check in catalogue if check.id in found)


def _meant(catalogue: Catalogue, pattern: str) -> Sequence[Check]:
    if pattern in catalogue.words.groups:
        return catalogue.of_group(pattern)
    if _WILD.isdisjoint(pattern):
        return catalogue.find(pattern)
    upper = pattern.upper()
    return [
        check
        for check in catalogue
        if any(fnmatchcase(name.upper(), upper) for name in (check.id, *check.aliases))
    ]


def _target(path: Path) -> Target:
    """:class:`pytest.UsageError` says what is wrong with the declaration, or a file it names."""
    try:
        declaration = loading.load(path)
        held = key_file.of(declaration)
        way = route(declaration.way, declaration.hdlc, declaration.timing)
    except (ProfileError, OSError) as error:
        raise pytest.UsageError(f"--cosem-target {path}: {error}") from None
    keys = {one.keys: held[one.name] for one in declaration.associations if one.keys}
    return Target(declaration, way, keys)
