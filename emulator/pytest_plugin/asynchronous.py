"""The meters of asynchronous tests, in the event loop that the test runs in.

pytest-asyncio decides for each fixture by itself in which loop it runs. Servers in a loop that
stands still answer nobody, so there is one fixture for each scope that the loop of a test can have;
:mod:`emulator.pytest_plugin.fixtures` takes the one of the test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal

import pytest

from emulator.pytest_plugin.misuse import misused

if TYPE_CHECKING:
    from emulator.pytest_plugin.bench import Bench


def _installed() -> Any:
    try:
        import pytest_asyncio
    except ImportError:  # then there are synchronous tests only
        return None
    return pytest_asyncio


_ASYNCIO = _installed()

LoopScope = Literal["function", "class", "module", "package", "session"]


def _on(loop_scope: LoopScope) -> Any:
    async def bench(request: pytest.FixtureRequest, cosemlab_site: Any) -> AsyncIterator[Bench]:
        from emulator.pytest_plugin.bench import Bench
        from emulator.pytest_plugin.wanted import wanted_by

        async with Bench(wanted_by(request.node), cosemlab_site) as there:
            yield there

    if _ASYNCIO is None:
        return None
    return _ASYNCIO.fixture(bench, loop_scope=loop_scope, name=f"_cosemlab_bench_{loop_scope}")


_cosemlab_bench_function = _on("function")
_cosemlab_bench_class = _on("class")
_cosemlab_bench_module = _on("module")
_cosemlab_bench_package = _on("package")
_cosemlab_bench_session = _on("session")


def loop_scope_of(node: pytest.Item) -> str:
    """The scope of the loop in which the test runs. It fails if it does not run in
    one of pytest-asyncio's.
    """
    config = node.config
    if _ASYNCIO is None or not _is_in_use(config):
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
    return str(scope or _default(config) or "function")


def _is_in_use(config: pytest.Config) -> bool:
    """By whatever name: it may be switched off."""
    plugins = config.pluginmanager.get_plugins()
    return any(getattr(one, "__name__", "").startswith("pytest_asyncio") for one in plugins)


def _default(config: pytest.Config) -> object:
    try:
        return config.getini("asyncio_default_test_loop_scope")
    except (KeyError, ValueError):  # before pytest-asyncio 0.26
        return None
