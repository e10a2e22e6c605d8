"""The suite that every Cryptographic Module passes.

Another module joins by a file in ``backends`` and its name in ``BACKENDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dlms.security.keys import KeyRef
from emulator.modules.keyring import suite_zero
from emulator.modules.module import CryptoModule

BACKENDS = ("software", "softhsm")


def _backend(name: str) -> ModuleType:
    path = Path(__file__).with_name("backends") / f"{name}.py"
    spec = spec_from_file_location(f"backend_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LOADED = {name: _backend(name) for name in BACKENDS}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, softhsm_folder: Path) -> Any:
    """One of the modules: ``made`` makes it, ``REFUSED`` says what it lacks."""
    return LOADED[request.param]


@pytest.fixture(scope="session")
def backends(softhsm_folder: Path) -> dict[str, Any]:
    """All of them, by name."""
    return dict(LOADED)


@pytest.fixture
def make(backend: Any) -> Iterator[Callable[..., CryptoModule]]:
    """``make(keys, secrets, suite_of)``: a module with keys from outside, and with the secrets of
    scopes to derive others from.
    """
    with ExitStack() as stack:

        def make(
            keys: Mapping[KeyRef, bytes],
            secrets: dict[str, bytes] | None = None,
            suite_of: Callable[[KeyRef], int] = suite_zero,
        ) -> CryptoModule:
            module: CryptoModule = stack.enter_context(backend.made(keys, secrets or {}, suite_of))
            return module

        yield make
