"""The meters of asynchronous tests, in the event loop that the test runs in.

A plug-in of its own, which is in use where pytest-asyncio is. That decides for each fixture by
itself in which loop it runs. Servers in a loop that stands still answer nobody, so there is one
fixture for each scope that the loop of a test can have
(:func:`~emulator.pytest_plugin.loop_scope.bench_of` takes the one of the test).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal

import pytest
import pytest_asyncio

from emulator.pytest_plugin.loop_scope import PREFIX

if TYPE_CHECKING:
    from emulator.pytest_plugin.bench import Bench
    from emulator.pytest_plugin.site import Site

LoopScope = Literal["function", "class", "module", "package", "session"]


def _on(loop_scope: LoopScope) -> Any:
    async def bench(request: pytest.FixtureRequest, cosemlab_site: Site) -> AsyncIterator[Bench]:
        from emulator.pytest_plugin.bench import Bench
        from emulator.pytest_plugin.wanted import wanted_by

        async with Bench(wanted_by(request.node), cosemlab_site) as there:
            yield there

    return pytest_asyncio.fixture(bench, loop_scope=loop_scope, name=f"{PREFIX}{loop_scope}")


on_function = _on("function")
on_class = _on("class")
on_module = _on("module")
on_package = _on("package")
on_session = _on("session")
