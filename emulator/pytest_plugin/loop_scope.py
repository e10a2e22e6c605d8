"""In which event loop a test runs, as pytest-asyncio has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator.pytest_plugin.misuse import misused

if TYPE_CHECKING:
    from emulator.pytest_plugin.bench import Bench

PREFIX = "_cosemlab_bench_on_"
"""Of the fixtures of :mod:`emulator.pytest_plugin.asynchronous`; the scope of a loop follows."""


def is_asynchronous(config: pytest.Config) -> bool:
    """Whether pytest-asyncio is in use, by whatever name: it may be missing or switched off."""
    plugins = config.pluginmanager.get_plugins()
    return any(getattr(one, "__name__", "") == "pytest_asyncio.plugin" for one in plugins)


def bench_of(request: pytest.FixtureRequest) -> Bench:
    """The meters of the test, in its loop."""
    bench: Bench = request.getfixturevalue(f"{PREFIX}{_scope_of(request.node)}")
    return bench


def _scope_of(node: pytest.Item) -> str:
    """It fails if the test does not run in a loop of pytest-asyncio's."""
    if not is_asynchronous(node.config):
        raise misused(
            f"{node.nodeid}: asynchronous meters need pytest-asyncio (the extra cosemlab[pytest]"
            " has it); synchronous tests have live_sandbox and live_meter"
        )
    marker = node.get_closest_marker("asyncio")
    if marker is None:
        raise misused(
            f"{node.nodeid}: this test is not asynchronous for pytest-asyncio, so nobody would run"
            " the meters while it waits: use live_sandbox or live_meter, or mark it with"
            " pytest.mark.asyncio"
        )
    scope = marker.kwargs.get("loop_scope") or marker.kwargs.get("scope")
    return str(scope or _default(node.config) or "function")


def _default(config: pytest.Config) -> object:
    try:
        return config.getini("asyncio_default_test_loop_scope")
    except (KeyError, ValueError):  # an older pytest-asyncio has no such option
        return None
