"""What runs conformance checks, unless a plug-in knows better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from emulator.pytest_plugin.suite import Asked, Suite


def open_suite(asked: Asked) -> Suite:
    """:class:`pytest.UsageError`: this version has the catalogue and no runner yet."""
    raise pytest.UsageError(
        f"--cosem-target {asked.target}: nothing here runs conformance checks yet; a conftest.py or"
        " plug-in can, with the hook pytest_cosem_suite"
    )
