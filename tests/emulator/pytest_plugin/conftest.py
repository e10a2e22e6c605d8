"""Runs of pytest with the plug-in, each in a process of its own.

Plug-ins are not found by themselves there, so that it does not matter whether this package is
installed with its entry point: both are named.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PLUGINS = ("-p", "asyncio", "-p", "emulator.pytest_plugin")
INI = """\
[pytest]
asyncio_mode = {mode}
asyncio_default_fixture_loop_scope = function
addopts = -p no:cacheprovider --strict-markers
filterwarnings = error
{more}
"""


@pytest.fixture
def run_pytest(pytester: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """``run_pytest({"test_a.py": text}, *arguments, mode="strict")``: what came of it."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run(
        files: dict[str, str],
        *arguments: str,
        mode: str = "auto",
        more: str = "",
        plugins: tuple[str, ...] = PLUGINS,
    ) -> Any:
        asynchronous = "asyncio" in plugins
        ini = INI.format(mode=mode, more=more)
        if not asynchronous:
            ini = "\n".join(line for line in ini.splitlines() if not line.startswith("asyncio"))
        Path(pytester.path, "pytest.ini").write_text(ini)
        for name, text in files.items():
            Path(pytester.path, name).write_text(text)
        os.makedirs(pytester.path, exist_ok=True)
        return pytester.runpytest_subprocess(*plugins, *arguments, timeout=120)

    return run
