"""Head ends under test: in this process, and as commands."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from emulator.conformance import built_in
from emulator.conformance.catalogue.check import Check
from emulator.conformance.declaration.model import (
    Declaration,
    DeclaredClient,
    DeclaredWay,
    Timing,
    WayKind,
)
from emulator.conformance.hostile.head_end import Call
from emulator.conformance.hostile.site import head_end_target
from emulator.conformance.running.runner import Runner

HERE = Path(__file__).parent
FEATURES = {
    "client": 1,
    "ln": 1,
    "ciphered": 1,
    "hls": 1,
    "notify": 1,
    "image": 1,
    "clock": 1,
    "profiles": 1,
    "get.blocks": 1,
    "key.transfer": 1,
    "secret.change": 1,
}


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def head_ends() -> dict[str, Callable[..., Call]]:
    """What makes a head end that leaves out what it is told to, by name."""
    return {
        "naive": _module("naive_head_end").naive,
        "own": _module("careless_own_head_end").own,
    }


@pytest.fixture(scope="session")
def x_cli() -> tuple[Check, ...]:
    return tuple(check for check in built_in() if check.group == "x-cli")


@pytest.fixture
def run_on() -> Callable[..., Runner]:
    """``run_on(call, command=..., tasks=..., way=..., answer=...)``: a runner on a head end."""

    def make(
        call: Call | None = None,
        *,
        command: tuple[str, ...] = (),
        tasks: frozenset[str] = frozenset(),
        way: WayKind = WayKind.TCP,
        answer: float = 0.4,
        settings: dict[str, str] | None = None,
        keys: Any = None,
        **said: Any,
    ) -> Runner:
        declaration = Declaration(
            name="a head end",
            features=FEATURES,
            way=DeclaredWay(kind=way, host=""),
            timing=Timing(answer=answer, silence=0.1, patience=answer),
            client=DeclaredClient(command=command, tasks=tasks),
            settings=settings or {},
            **said,
        )
        return Runner(head_end_target(declaration, keys, call))

    return make
