"""The pytest plug-in: meters, a head end and faults as fixtures; conformance checks as tests.

Every pytest run in an environment that has this package loads this module, whether a test uses it
or not: what costs time to import is imported where a fixture is first asked for.
"""

from __future__ import annotations

from emulator.pytest_plugin.fixtures import (
    cosemlab_bench,
    cosemlab_site,
    faults,
    fleet,
    head_end,
    ledger,
    live_meter,
    live_sandbox,
    meter,
    sandbox,
    virtual_clock,
)
from emulator.pytest_plugin.hooks import (
    pytest_addhooks,
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_cosem_suite,
    pytest_unconfigure,
)

__all__ = [
    "cosemlab_bench",
    "cosemlab_site",
    "faults",
    "fleet",
    "head_end",
    "ledger",
    "live_meter",
    "live_sandbox",
    "meter",
    "pytest_addhooks",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_cosem_suite",
    "pytest_unconfigure",
    "sandbox",
    "virtual_clock",
]
