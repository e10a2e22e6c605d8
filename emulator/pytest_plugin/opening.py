"""What runs conformance checks, unless a plug-in knows better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from emulator.pytest_plugin.suite import Asked, Suite


def open_suite(asked: Asked) -> Suite:
    """:class:`pytest.UsageError` if the target is no declaration that can be used."""
    if "://" in asked.target:
        raise pytest.UsageError(
            f"--cosem-target {asked.target}: a URL does not say what may be done to the device;"
            " 'cosemlab conform declare' drafts a declaration, and its file is a target. A plug-in"
            " can take URLs with the hook pytest_cosem_suite"
        )
    from emulator.pytest_plugin.declared import DeclaredSuite

    return DeclaredSuite(asked)
