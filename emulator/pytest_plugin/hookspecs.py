"""Hooks of this plug-in, for conftest.py and other plug-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from emulator.pytest_plugin.suite import Asked, Suite


@pytest.hookspec(firstresult=True)
def pytest_cosem_suite(config: pytest.Config, asked: Asked) -> Suite | None:
    """What runs conformance checks against ``asked.target``; ``None`` leaves it to others.

    :class:`pytest.UsageError` if there is no such target, or a pattern fits no check.
    """
