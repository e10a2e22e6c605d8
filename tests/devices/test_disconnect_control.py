"""The supply: mode x state x method against a table written by hand from the book.

Transitions (Blue Book 4.5.8): a reconnect 0->1, b disconnect 1->0, c disconnect 2->0, d reconnect
0->2, i reconnect 2->1. Remote ones of the modes: 0 none; 1 bc d; 2 bc a; 3 bc d; 4 bc a; 5 bc d;
6 bc d; 7 bc a i.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.profile import available, gas
from dlms.axdr.data import Data, boolean, enum, integer, unsigned
from dlms.xdlms.codes import ActionResult, DataAccessResult

SUPPLY = "0-0:96.3.10.255"
OUT, IN, READY = 0, 1, 2
DISCONNECT, RECONNECT = 1, 2
REFUSED = None

# (mode, method): where the methods lead from disconnected, connected, ready. Where a method finds
# the relay in the state it leads to, it succeeds and nothing changes.
TABLE = {
    (0, DISCONNECT): (REFUSED, REFUSED, REFUSED),
    (0, RECONNECT): (REFUSED, REFUSED, REFUSED),
    (1, DISCONNECT): (OUT, OUT, OUT),
    (1, RECONNECT): (READY, REFUSED, READY),
    (2, DISCONNECT): (OUT, OUT, OUT),
    (2, RECONNECT): (IN, IN, REFUSED),
    (3, DISCONNECT): (OUT, OUT, OUT),
    (3, RECONNECT): (READY, REFUSED, READY),
    (4, DISCONNECT): (OUT, OUT, OUT),
    (4, RECONNECT): (IN, IN, REFUSED),
    (5, DISCONNECT): (OUT, OUT, OUT),
    (5, RECONNECT): (READY, REFUSED, READY),
    (6, DISCONNECT): (OUT, OUT, OUT),
    (6, RECONNECT): (READY, REFUSED, READY),
    (7, DISCONNECT): (OUT, OUT, OUT),
    (7, RECONNECT): (IN, IN, IN),
}


def in_state(make_bench: Callable[..., Any], mode: int, state: int) -> Any:
    extra = (
        f'[objects."{SUPPLY}"]\nvalues.3 = {{ enum = {state} }}\nvalues.4 = {{ enum = {mode} }}\n'
    )
    return make_bench("secure", extra)


@pytest.mark.parametrize("state", [OUT, IN, READY])
@pytest.mark.parametrize(("mode", "method"), TABLE)
def test_the_whole_table(
    make_bench: Callable[..., Any], mode: int, method: int, state: int
) -> None:
    meter = in_state(make_bench, mode, state)
    before = meter.digest()
    after = TABLE[mode, method][state]
    result = meter.act(SUPPLY, method, integer(0))
    assert result is (ActionResult.OTHER_REASON if after is REFUSED else ActionResult.SUCCESS)
    shown = state if after is REFUSED else after
    assert meter.value(SUPPLY, 3) == shown
    assert meter.value(SUPPLY, 2) is (shown == IN)
    assert (meter.digest() == before) is (shown == state)


def test_the_table_is_whole() -> None:
    assert set(TABLE) == {(mode, method) for mode in range(8) for method in (1, 2)}


@pytest.mark.parametrize("mode", range(256))
def test_modes(bench: Any, mode: int) -> None:
    """0 to 7 and no others; the mode does not move the relay."""
    before = bench.digest()
    result = bench.set(SUPPLY, 4, enum(mode))
    if mode <= 7:
        assert result is DataAccessResult.SUCCESS
        assert bench.value(SUPPLY, 4) == mode
        assert bench.value(SUPPLY, 3) == OUT
    else:
        assert result is DataAccessResult.OTHER_REASON
        assert bench.digest() == before


@pytest.mark.parametrize("attribute", [2, 3])
@pytest.mark.parametrize("value", [boolean(True), enum(IN)])
def test_state_changes_by_methods_only(bench: Any, attribute: int, value: Data) -> None:
    before = bench.digest()
    assert bench.set(SUPPLY, attribute, value) is DataAccessResult.READ_WRITE_DENIED
    assert bench.digest() == before


@pytest.mark.parametrize("parameter", [None, enum(0), unsigned(0)])
@pytest.mark.parametrize("method", [DISCONNECT, RECONNECT])
def test_the_parameter_is_an_integer(bench: Any, method: int, parameter: Data | None) -> None:
    before = bench.digest()
    assert bench.act(SUPPLY, method, parameter) is ActionResult.TYPE_UNMATCHED
    assert bench.digest() == before


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_a_new_meter_is_off_and_can_be_armed_and_enabled(
    make_bench: Callable[..., Any], name: str
) -> None:
    meter = make_bench(name)
    if name == "itron_gas":  # in credit mode, and on
        assert (meter.value(SUPPLY, 2), meter.value(SUPPLY, 3)) == (True, IN)
        assert meter.act(SUPPLY, DISCONNECT, integer(0)) is ActionResult.SUCCESS
    assert (meter.value(SUPPLY, 2), meter.value(SUPPLY, 3)) == (False, OUT)
    assert meter.act(SUPPLY, RECONNECT, integer(0)) is ActionResult.SUCCESS
    assert (meter.value(SUPPLY, 2), meter.value(SUPPLY, 3)) == (False, READY)
    assert meter.set(SUPPLY, 4, enum(7)) is DataAccessResult.SUCCESS
    assert meter.act(SUPPLY, RECONNECT, integer(0)) is ActionResult.SUCCESS
    assert (meter.value(SUPPLY, 2), meter.value(SUPPLY, 3)) == (True, IN)
    assert meter.act(SUPPLY, DISCONNECT, integer(0)) is ActionResult.SUCCESS
    assert (meter.value(SUPPLY, 2), meter.value(SUPPLY, 3)) == (False, OUT)
