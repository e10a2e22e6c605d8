"""Meters in a thread of their own, for clients that wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

pytest_plugins = ["pytester"]

BLOCKING = """
import socket
import threading
from decimal import Decimal

import pytest
from emulator.client import connect_blocking
from emulator.virtual_clock import ClockError

PORTS = []


def energy(meter, association="s1sp"):
    with (
        connect_blocking(meter.host, meter.port) as client,
        client.associate(**meter.options(association)) as one,
    ):
        return one.get("active_energy_import")


def test_a_plain_socket(live_meter):
    meter = live_meter("secure")
    PORTS.append(meter.port)
    with socket.create_connection((meter.host, meter.port), 10) as client:
        # An AARQ of the public client, by hand.
        aarq = bytes.fromhex(
            "601DA109060760857405080101BE10040E01000000065F1F0400000010FFFF"
        )
        client.sendall(bytes.fromhex("000100100001") + len(aarq).to_bytes(2, "big") + aarq)
        answer = client.recv(4096)
    assert (answer[:6].hex(), answer[8]) == ("000100010010", 0x61)
    assert [apdu.direction for apdu in meter.apdus] == ["<-", "->"]


def test_nothing_is_left_of_it():
    assert [one for one in threading.enumerate() if "cosemlab" in one.name] == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", PORTS[0]), 10)


def test_our_blocking_client(live_meter):
    assert str(energy(live_meter("itron"))).endswith(" Wh")


def test_all_of_it(live_sandbox):
    meter = live_sandbox.meter("secure")
    before = meter.balance
    live_sandbox.run(live_sandbox.head_end.top_up(meter, 5))
    assert meter.balance - before == 5
    live_sandbox.advance(hours=12)
    live_sandbox.advance(minutes=1)
    assert meter.balance - before == 5 - Decimal("0.25")
    assert live_sandbox.now().hour == 0
    live_sandbox.to(live_sandbox.now().replace(hour=3))
    with pytest.raises(ClockError):
        live_sandbox.to(live_sandbox.now().replace(hour=1))
    assert live_sandbox.ledger.entries(actor="S1SP", clause="G2.44(c)(i)")
    one, two = live_sandbox.fleet("secure", 2)
    assert energy(one) and energy(two)
    fault = live_sandbox.faults.set(one, "overloaded", count=1)
    with pytest.raises(Exception):
        energy(one)
    assert fault.is_over
    (event,) = live_sandbox.run(_rebooted(meter))
    assert event.meter == "secure"


async def _rebooted(meter):
    waiting = meter.wait_for("rebooted")
    meter.running.mains.reboot()
    return await waiting


@pytest.mark.cosemlab(profiles=["secure"], ways=["hdlc"])
def test_another_way(live_meter):
    from emulator.client import Hdlc
    from emulator.serving.lines import DEVICE_ADDRESS

    meter = live_meter("secure")
    hdlc = Hdlc(physical=DEVICE_ADDRESS)
    with (
        connect_blocking(meter.host, meter.hdlc_port, hdlc=hdlc) as client,
        client.associate(client_sap=16) as one,
    ):
        assert one.get("logical_device_name")
"""

WRONG = """
def boom():
    raise RuntimeError("in the thread")


def test_what_nobody_awaits(live_sandbox):
    live_sandbox.call(lambda: live_sandbox._loop.call_soon(boom))


async def _fails():
    raise LookupError("of the test's own")


def test_what_is_awaited(live_sandbox):
    live_sandbox.run(_fails())
"""


def test_blocking_clients(run_pytest: Callable[..., Any]) -> None:
    result = run_pytest({"test_blocking.py": BLOCKING})
    result.assert_outcomes(passed=5)


def test_without_pytest_asyncio(run_pytest: Callable[..., Any]) -> None:
    plugins = ("-p", "emulator.pytest_plugin")
    asked = "def test_sync(live_meter): live_meter('secure')\ndef test_other(meter): pass\n"
    result = run_pytest({"test_none.py": asked}, plugins=plugins)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*test_other: asynchronous meters need pytest-asyncio*"])


def test_what_goes_wrong_in_the_thread_is_told(run_pytest: Callable[..., Any]) -> None:
    result = run_pytest({"test_wrong.py": WRONG})
    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*RuntimeError: in the thread*", "*LookupError: of the test's own*"]
    )
