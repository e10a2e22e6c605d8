"""A meter whose state goes back to what was kept: nothing is left that came of the rest."""

from __future__ import annotations

import datetime as dt
from typing import Any

from devices.agenda import TARIFFS
from devices.outbox import Changed
from dlms.cosem import obis
from dlms.xdlms.descriptors import AttributeDescriptor


def test_what_it_had_to_say_is_not_said(bench: Any) -> None:
    device = bench.device
    device.outbox.announce(Changed(AttributeDescriptor(1, obis.parse("0-0:96.1.0.255"), 2)))
    device.outbox.note(0x8F53)
    device.agenda.call_for(TARIFFS, 1)
    device.state.revert()
    assert device.outbox.take_announcements() == ()
    assert device.outbox.take_happenings() == ()
    assert not device.agenda


def test_what_it_had_worked_out_is_worked_out_again(bench: Any) -> None:
    """A register, and what is due next, from the conditions that are kept."""
    device, register = bench.device, "1-0:1.8.0.255"
    device.advance(bench.now)
    device.state.settle()
    reading, due, derived = bench.value(register, 2), device.due(), dict(device.derived)
    assert derived
    assert due is not None
    bench.now += dt.timedelta(days=2)
    device.advance(bench.now)
    assert device.due() > due
    device.state.revert()
    assert not device.derived
    bench.now -= dt.timedelta(days=2)
    assert device.due() == due
    assert bench.value(register, 2) == reading
