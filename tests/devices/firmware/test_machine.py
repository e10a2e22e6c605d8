"""The transfer process against a little model of it, by hypothesis: whatever is asked in whatever
order, with power cuts in between.

The model is independent: it knows whether an image is good because it has made it, and says in its
own way what the book says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from devices.device import Device
from dlms.xdlms.codes import ActionResult

DONE, NOT, BUSY = (
    ActionResult.SUCCESS,
    ActionResult.OTHER_REASON,
    ActionResult.TEMPORARY_FAILURE,
)
VERIFICATION, ACTIVATION = 5, 20
SIZE = 64


class Model:
    """What the meter should be like; times are in seconds."""

    def __init__(self) -> None:
        self.status, self.size, self.version = 0, 0, b"1.0.0"
        self.blocks: dict[int, bytes] = {}
        self.ends = self.now = 0
        self.activates = False
        self.verdict = False
        self.restarts = 0

    @property
    def count(self) -> int:
        return (self.size + SIZE - 1) // SIZE

    def initiate(self, size: int) -> ActionResult:
        if self.status == 5:
            return BUSY
        if not 1 <= size <= 4096:
            return NOT
        self.status, self.size, self.blocks = 1, size, {}
        return DONE

    def block(self, number: int, octets: bytes) -> ActionResult:
        if self.status in (2, 5):
            return BUSY
        last = number == self.count - 1
        wanted = self.size - SIZE * number if last else SIZE
        fits = number < self.count and len(octets) == wanted
        if self.status not in (1, 4) or not fits:
            return NOT
        if self.blocks.setdefault(number, octets) != octets:
            return NOT
        self.status = 1
        return DONE

    def verify(self, good: Callable[[bytes], bytes | None], activate: bool) -> ActionResult:
        if self.status in (2, 5):
            return BUSY
        if activate and self.status == 3:
            self.status, self.ends = 5, self.now + ACTIVATION
            return BUSY
        if self.status not in ((1, 4, 7) if activate else (1, 3, 4, 7)):
            return NOT
        if len(self.blocks) < self.count:
            self.status = 4
            return NOT
        found = good(b"".join(self.blocks[n] for n in sorted(self.blocks)))
        self.status, self.ends = 2, self.now + VERIFICATION
        self.verdict, self.activates = found is not None, activate
        return BUSY

    def wait(self, seconds: int, good: Callable[[bytes], bytes | None]) -> None:
        until = self.now + seconds
        while self.status in (2, 5) and self.ends <= until:
            self.now = self.ends
            if self.status == 2:
                self.status = 3 if self.verdict else 4
                if self.verdict and self.activates:
                    self.status, self.ends = 5, self.now + ACTIVATION
            else:
                version = good(b"".join(self.blocks[n] for n in sorted(self.blocks)))
                assert version is not None
                self.status, self.version = 6, version
                self.restarts += 1
        self.now = until


@pytest.fixture
def machine(make_bench: Callable[..., Any], images: Any) -> type[RuleBasedStateMachine]:
    maker = make_bench("secure", images.SLOW)
    made = {
        images.image(maker, bytes(120), version=version): version.encode()
        for version in ("2.0.0", "3.0.0")
    }
    first, second = made
    bad = first[:70] + bytes((first[70] ^ 1,)) + first[71:]
    choices = st.sampled_from([first, second, bad])

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.meter = make_bench("secure", images.SLOW)
            self.meter.device.advance(self.meter.now)
            self.model = Model()
            self.restarts = 0

        def restart(self) -> None:
            self.restarts += self.meter.device.restart_wanted
            self.meter.device.restart_wanted = False

        @rule(octets=choices)
        def initiate(self, octets: bytes) -> None:
            size = len(octets)
            assert images.initiate(self.meter, size) is self.model.initiate(size)

        @rule(size=st.sampled_from([0, 1, 64, 65, 4096, 4097, 2**32 - 1]))
        def initiate_some(self, size: int) -> None:
            assert images.initiate(self.meter, size) is self.model.initiate(size)

        @rule(octets=choices, number=st.integers(0, 6), length=st.sampled_from([None, 0, 1, 64]))
        def block(self, octets: bytes, number: int, length: int | None) -> None:
            block = octets[number * SIZE : (number + 1) * SIZE]
            if length is not None:
                block = bytes(length)
            assert images.send(self.meter, number, block) is self.model.block(number, block)

        @rule(octets=choices, data=st.data())
        def all_blocks(self, octets: bytes, data: Any) -> None:
            for number, block in data.draw(st.permutations(list(enumerate(images.cut(octets))))):
                assert images.send(self.meter, number, block) is self.model.block(number, block)

        @rule(octets=choices)
        def all_of_it(self, octets: bytes) -> None:
            self.initiate(octets)
            for number, block in enumerate(images.cut(octets)):
                assert images.send(self.meter, number, block) is self.model.block(number, block)

        @rule()
        def verify(self) -> None:
            assert images.verify(self.meter) is self.model.verify(made.get, False)

        @rule()
        def activate(self) -> None:
            assert images.activate(self.meter) is self.model.verify(made.get, True)

        @rule(seconds=st.sampled_from([0, 1, 4, 5, 20, 25, 100]))
        def wait(self, seconds: int) -> None:
            self.meter.now += dt.timedelta(seconds=seconds)
            self.meter.device.advance(self.meter.now)
            self.model.wait(seconds, made.get)
            self.restart()

        @rule()
        def power_fails(self) -> None:
            self.restart()
            self.meter.device = Device(self.meter.profile, 7, state=self.meter.device.state)

        @invariant()
        def they_agree(self) -> None:
            model, meter = self.model, self.meter
            assert images.status(meter) == model.status
            everything = model.status == 6
            bits = "".join("01"[n in model.blocks or everything] for n in range(model.count))
            assert images.bits(meter) == bits
            first = meter.value(images.TRANSFER, 4)
            assert first == (bits.find("0") if "0" in bits else model.count)
            assert meter.value(images.VERSION, 2) == model.version
            assert bool(meter.value(images.TRANSFER, 7)) is (model.status in (3, 5, 6, 7))
            assert self.restarts == model.restarts
            held = meter.device.state.image
            assert held == ({} if everything else model.blocks)

    return Machine


def test_whatever_is_asked(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
        ),
    )
