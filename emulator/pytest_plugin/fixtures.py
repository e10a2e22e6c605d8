"""What tests ask for by name. What a test's own conftest.py calls the same goes before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from emulator.pytest_plugin.loop_scope import bench_of

if TYPE_CHECKING:
    from emulator.pytest_plugin.bench import Bench
    from emulator.pytest_plugin.clock import BenchClock
    from emulator.pytest_plugin.entries import BenchLedger
    from emulator.pytest_plugin.faults import BenchFaults
    from emulator.pytest_plugin.head_end import BenchHeadEnd
    from emulator.pytest_plugin.live import LiveSandbox
    from emulator.pytest_plugin.meter import BenchMeter
    from emulator.pytest_plugin.site import Site
    from emulator.sandbox import Sandbox


@pytest.fixture(scope="session")
def cosemlab_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Certificates and profiles, made once for all tests."""
    from emulator.pytest_plugin.site import Site

    return Site(tmp_path_factory.mktemp("cosemlab"))


@pytest.fixture
def cosemlab_bench(request: pytest.FixtureRequest) -> Bench:
    """All that the other asynchronous fixtures are made of."""
    return bench_of(request)


@pytest.fixture
def sandbox(cosemlab_bench: Bench) -> Sandbox:
    """Meters that serve on free ports of 127.0.0.1, each new as from the factory: one of each
    manufacturer, or those of ``@pytest.mark.cosemlab(profiles=[...])``.
    """
    return cosemlab_bench.sandbox


@pytest.fixture
def meter(cosemlab_bench: Bench) -> Callable[[str], BenchMeter]:
    """``meter("secure")``: the meter of that profile."""
    return cosemlab_bench.meter


@pytest.fixture
def fleet(cosemlab_bench: Bench) -> Callable[[str, int], Awaitable[tuple[BenchMeter, ...]]]:
    """``await fleet("secure", 3)``: so many more meters of one profile."""
    return cosemlab_bench.fleet


@pytest.fixture
def head_end(cosemlab_bench: Bench) -> BenchHeadEnd:
    """S1SP and DCO with the keys of the meters: ``await head_end.top_up(meter("secure"), 20)``."""
    return cosemlab_bench.head_end


@pytest.fixture
def virtual_clock(cosemlab_bench: Bench) -> BenchClock:
    """The time of the meters: ``await virtual_clock.advance(hours=12)``."""
    return cosemlab_bench.clock


@pytest.fixture
def ledger(cosemlab_bench: Bench) -> BenchLedger:
    """Every cryptographic operation of ``head_end``: ``ledger.entries(actor="S1SP")``."""
    return cosemlab_bench.ledger


@pytest.fixture
def faults(cosemlab_bench: Bench) -> Iterator[BenchFaults]:
    """``faults.set(meter("secure"), "flipped-tag")``: until the test is over."""
    yield cosemlab_bench.faults
    cosemlab_bench.faults.clear()


@pytest.fixture
def live_sandbox(request: pytest.FixtureRequest, cosemlab_site: Site) -> Iterator[LiveSandbox]:
    """All of that for a test that is not asynchronous: the meters are in a thread of their own."""
    from emulator.pytest_plugin.live import live
    from emulator.pytest_plugin.wanted import wanted_by

    with live(wanted_by(request.node), cosemlab_site) as there:
        yield there


@pytest.fixture
def live_meter(live_sandbox: LiveSandbox) -> Callable[[str], BenchMeter]:
    """``live_meter("secure")``: the meter of that profile, for a blocking client."""
    return live_sandbox.meter
