"""Devices have no clock, no randomness and no IO of their own: same inputs, same outputs."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import devices
from devices.profile import available, gas
from dlms.axdr.data import Data, DataType, double_long, enum, integer, long, octet_string
from dlms.cosem import obis

SOURCE = Path(devices.__file__).parent
NEVER = {
    "asyncio", "io", "os", "random", "secrets", "select", "selectors", "socket", "ssl",
    "subprocess", "sys", "threading", "time", "uuid", "cryptography", "emulator", "tls",
}  # fmt: skip
FILES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


def modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("name", FILES)
def test_imports(name: str) -> None:
    found = set(modules(ast.parse((SOURCE / name).read_text())))
    assert not found & NEVER


@pytest.mark.parametrize("name", FILES)
def test_nobody_looks_at_a_clock_or_a_file(name: str) -> None:
    """Profiles are read by ``sources`` alone, from the package."""
    tree = ast.parse((SOURCE / name).read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "utcnow", "today", "monotonic"} or (
                isinstance(node.value, ast.Name) and node.value.id in {"call", "asking", "self"}
            )
            assert node.attr not in {"read_text", "read_bytes"} or name == "profile/sources.py"
        if isinstance(node, ast.Name):
            assert node.id not in {"open", "print", "input", "id", "hash"}


SERVICES = ("get", "set", "act")
REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(SERVICES),
        st.integers(0, 30),
        st.integers(0, 8),
        st.sampled_from(
            [
                integer(0), long(30), double_long(100), enum(1), enum(7),
                octet_string(b"12345678901234567890"),
                octet_string(bytes.fromhex("07E3031A020C000000000000")),
                Data(DataType.ARRAY, ()),
            ]
        ),
        st.sampled_from(["public", "reader", "s1sp", "dco"]),
        st.integers(0, 100_000),
    ),
    max_size=12,
)  # fmt: skip


def play(meter: Any, requests: list[Any]) -> list[object]:
    answers: list[object] = []
    codes = [obis.text(instance) for instance in meter.profile.objects]
    for service, which, number, value, who, seconds in requests:
        meter.now += dt.timedelta(seconds=seconds)
        code = codes[which % len(codes)]
        if service == "get":
            answers.append(meter.get(code, number, who))
        elif service == "set":
            answers.append(meter.set(code, number, value, who))
        else:
            answers.append(meter.act(code, number, value, who))
    return [*answers, meter.digest(), meter.operations]


@given(st.sampled_from((*available(), *gas())), REQUESTS)
def test_same_requests_same_answers(
    make_bench: Callable[..., Any], name: str, requests: list[Any]
) -> None:
    """And none of them an accident."""
    assert play(make_bench(name), requests) == play(make_bench(name), requests)


def test_time_is_an_argument(bench: Any) -> None:
    early = bench.value("1-0:1.8.0.255", 2)
    bench.now += dt.timedelta(days=1)
    late = bench.value("1-0:1.8.0.255", 2)
    bench.now -= dt.timedelta(days=1)
    assert bench.value("1-0:1.8.0.255", 2) == early < late
