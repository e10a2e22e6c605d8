"""A judge, and facts of a meter as they are after a proper beginning."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.judge.judge import Judge
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Facts

KINDS = ("GUEK", "GBEK", "GAK", "KEK")
CLIENTS = {"c": ClientKind(association="dco"), "s": ClientKind(association="suite1")}


@pytest.fixture
def judge() -> Judge:
    return Judge(Setting(clients=CLIENTS))


@pytest.fixture
def facts() -> Callable[..., Facts]:
    """Both ends agree, and the client has an association; what is given is otherwise."""

    def make(**other: object) -> Facts:
        given: dict[str, object] = {
            "digest": "one",
            "floors": {"dco/GUEK": 5, "dco/GBEK": 0, "suite1/GUEK": 2},
            "sends": {"dco/GUEK": 4, "dco/GBEK": 0, "suite1/GUEK": 2},
            "keys": {f"dco/{kind}": f"dco {kind}" for kind in KINDS},
            "client_keys": {f"c/{kind}": f"dco {kind}" for kind in KINDS},
            "client_sends": {"c/GUEK": 5},
            "agree": {"c": True},
            "open": frozenset({"c"}),
            "balance": 1000,
            "policies": {"dco": 0x3030},
            "sizes": {"counters": 10, "keys": 60},
        }
        return Facts(**{**given, **other})  # type: ignore[arg-type]

    return make
