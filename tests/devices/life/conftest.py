"""Meters that live: in prepayment mode, connected, with time that a test moves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from dlms.axdr.data import double_long
from dlms.xdlms.codes import ActionResult

CREDIT, EMERGENCY = "0-0:19.10.0.255", "0-0:19.10.1.255"
RELAY, LOG, SECURITY_LOG = "0-0:96.3.10.255", "0-0:99.98.0.255", "0-0:99.98.1.255"
CONNECTED = f'[objects."{RELAY}"]\nclass = "Disconnect control"\nvalues.3 = {{ enum = 1 }}\n'
NOON = dt.datetime(2019, 3, 5, 12, 0, tzinfo=dt.UTC)
"""A Tuesday: not a friendly hour."""


class Life:
    """A meter on the bench whose time goes on. ``row`` and ``now`` as everywhere."""

    def __init__(self, bench: Any, begin: dt.datetime) -> None:
        self.bench = bench
        self.device = bench.device
        self.go(begin)

    def go(self, until: dt.datetime | dt.timedelta) -> None:
        now = self.bench.now + until if isinstance(until, dt.timedelta) else until
        self.bench.now = now
        self.device.advance(now)

    @property
    def now(self) -> dt.datetime:
        now = self.bench.now
        assert isinstance(now, dt.datetime)
        return now

    def has(self, pence: int) -> None:
        """The token credit is set."""
        assert self.bench.act(CREDIT, 2, double_long(pence)) is ActionResult.SUCCESS

    def pays(self, pence: int) -> None:
        assert self.bench.act(CREDIT, 1, double_long(pence), "s1sp") is ActionResult.SUCCESS

    def happenings(self, log: str = LOG) -> list[int]:
        return [row.value[1].value for row in self.bench.value(log, 2)]

    @property
    def tokens(self) -> int:
        return int(self.bench.value(CREDIT, 2))

    @property
    def emergency(self) -> tuple[int, int]:
        """Amount and status."""
        return self.bench.value(EMERGENCY, 2), self.bench.value(EMERGENCY, 8)

    @property
    def relay(self) -> int:
        return int(self.bench.value(RELAY, 3))


@pytest.fixture
def life(make_bench: Callable[..., Any]) -> Callable[..., Life]:
    """``life(extra, profile=..., begin=...)``: a meter that is connected."""

    def make(extra: str = "", *, profile: str = "secure", begin: dt.datetime = NOON) -> Life:
        bench = make_bench(profile, CONNECTED + extra)
        return Life(bench, begin)

    return make
