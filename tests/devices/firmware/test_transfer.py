"""Image transfer: blocks in, in whatever order and however often (Blue Book 4.4.6)."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from devices.device import Device
from devices.objects.image_states import TABLE, Input
from devices.objects.image_transfer import MAX_IDENTIFIER
from devices.profile import available, gas
from dlms.axdr.data import boolean, double_long_unsigned, octet_string, structure
from dlms.cosem.image_transfer import Status
from dlms.xdlms.codes import ActionResult, DataAccessResult

SUCCESS, REFUSED = ActionResult.SUCCESS, ActionResult.OTHER_REASON
UNDER_WAY = ActionResult.TEMPORARY_FAILURE


@pytest.fixture
def meter(make_bench: Callable[..., Any], images: Any) -> Any:
    return make_bench("secure", images.QUICK)


@pytest.fixture
def slow(make_bench: Callable[..., Any], images: Any) -> Any:
    bench = make_bench("secure", images.SLOW)
    bench.device.advance(bench.now)
    return bench


def test_before_anything(meter: Any, images: Any) -> None:
    assert images.status(meter) == Status.NOT_INITIATED
    assert images.bits(meter) == ""
    assert meter.value(images.TRANSFER, 4) == 0
    assert meter.value(images.TRANSFER, 7) == ()
    for call in (images.verify, images.activate):
        assert call(meter) is REFUSED
    assert images.send(meter, 0, bytes(64)) is REFUSED
    assert meter.device.state.image == {}


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_every_maker_takes_its_firmware(
    make_bench: Callable[..., Any], images: Any, name: str
) -> None:
    quick = "\n".join(images.QUICK.split("\n")[:4])
    meter = make_bench(name, quick)
    images.transfer(meter, images.image(meter, bytes(3000)))
    assert images.verify(meter) is SUCCESS
    assert meter.value(images.VERSION, 2) == b"1.0.0"
    assert images.activate(meter) is SUCCESS
    assert meter.value(images.VERSION, 2) == b"2.0.0"
    assert meter.device.restart_wanted


@pytest.mark.parametrize("seed", range(5))
def test_blocks_in_any_order(meter: Any, images: Any, seed: int) -> None:
    octets = images.image(meter)
    blocks = list(enumerate(images.cut(octets)))
    random.Random(seed).shuffle(blocks)
    images.initiate(meter, len(octets))
    here: set[int] = set()
    for number, block in blocks:
        assert images.send(meter, number, block) is SUCCESS
        here.add(number)
        assert images.bits(meter) == "".join("01"[n in here] for n in range(len(blocks)))
        missing = [n for n in range(len(blocks)) if n not in here]
        assert meter.value(images.TRANSFER, 4) == min(missing, default=len(blocks))
    assert images.verify(meter) is SUCCESS
    assert images.activate(meter) is SUCCESS


def test_the_same_block_may_come_again(meter: Any, images: Any) -> None:
    octets = images.image(meter)
    images.transfer(meter, octets)
    for number, block in enumerate(images.cut(octets)):
        assert images.send(meter, number, block) is SUCCESS
    assert images.verify(meter) is SUCCESS


def test_another_block_of_the_same_number_does_not(meter: Any, images: Any) -> None:
    images.initiate(meter, 200)
    assert images.send(meter, 1, bytes(64)) is SUCCESS
    assert images.send(meter, 1, b"x" * 64) is REFUSED
    assert meter.device.state.image == {1: bytes(64)}


def test_or_it_does(make_bench: Callable[..., Any], images: Any) -> None:
    habit = 'image_replaces_blocks = { value = true, assumed = "overwrites" }\n[objects'
    meter = make_bench("secure", images.QUICK.replace("[objects", habit, 1))
    images.initiate(meter, 200)
    assert images.send(meter, 1, bytes(64)) is SUCCESS
    assert images.send(meter, 1, b"x" * 64) is SUCCESS
    assert meter.device.state.image == {1: b"x" * 64}


@pytest.mark.parametrize(
    ("number", "length"),
    [(0, 63), (0, 65), (0, 0), (2, 63), (3, 7), (3, 9), (3, 64), (3, 0), (4, 64), (4, 0), (4, 8),
     (0xFFFF_FFFF, 64), (0xFFFF_FFFF, 0)],
)  # fmt: skip
def test_what_is_no_block(meter: Any, images: Any, number: int, length: int) -> None:
    """200 octets are blocks 0 to 2 of 64 octets, and block 3 of 8."""
    images.initiate(meter, 200)
    assert images.send(meter, number, bytes(length)) is REFUSED
    assert meter.device.state.image == {}
    assert images.bits(meter) == "0000"


def test_the_last_block_may_be_whole(meter: Any, images: Any) -> None:
    images.initiate(meter, 128)
    assert images.bits(meter) == "00"
    assert images.send(meter, 1, bytes(63)) is REFUSED
    assert images.send(meter, 1, bytes(64)) is SUCCESS


def test_to_initiate_begins_anew(meter: Any, images: Any) -> None:
    """Even with the same image: all blocks are needed again."""
    octets = images.image(meter)
    images.transfer(meter, octets)
    assert images.verify(meter) is SUCCESS
    assert meter.value(images.TRANSFER, 7) != ()
    assert images.initiate(meter, len(octets)) is SUCCESS
    assert images.status(meter) == Status.INITIATED
    assert set(images.bits(meter)) == {"0"}
    assert meter.value(images.TRANSFER, 4) == 0
    assert meter.value(images.TRANSFER, 7) == ()
    assert meter.device.state.image == {}


@pytest.mark.parametrize(("size", "result"), [(0, REFUSED), (1, SUCCESS), (4096, SUCCESS),
                                              (4097, REFUSED), (0xFFFF_FFFF, REFUSED)])  # fmt: skip
def test_size_limits(meter: Any, images: Any, size: int, result: ActionResult) -> None:
    before = meter.digest()
    assert images.initiate(meter, size) is result
    assert (meter.digest() == before) is (result is REFUSED)


@pytest.mark.parametrize(("length", "result"), [(0, SUCCESS), (MAX_IDENTIFIER, SUCCESS),
                                                (MAX_IDENTIFIER + 1, REFUSED)])  # fmt: skip
def test_identifiers_are_bounded(
    meter: Any, images: Any, length: int, result: ActionResult
) -> None:
    assert images.initiate(meter, 100, bytes(length)) is result


def test_nothing_grows(meter: Any, images: Any) -> None:
    """However often it is begun, there is one image, and no more of it than was announced."""
    for round_ in range(20):
        images.initiate(meter, 4096 - round_)
        for number in range(100):
            images.send(meter, number, bytes(64))
        assert sum(map(len, meter.device.state.image.values())) <= 4096
    state = meter.device.state
    assert len([key for key in state.values if key[0] == bytes((0, 0, 44, 0, 0, 255))]) == 3


def test_disabled_nothing_is_done(meter: Any, images: Any) -> None:
    octets = images.image(meter)
    images.transfer(meter, octets)
    assert meter.set(images.TRANSFER, 5, boolean(False), "s1sp") is not DataAccessResult.SUCCESS
    assert meter.set(images.TRANSFER, 5, boolean(False)) is DataAccessResult.SUCCESS
    before = meter.digest()
    assert images.initiate(meter, 100) is REFUSED
    assert images.send(meter, 0, images.cut(octets)[0]) is REFUSED
    assert images.verify(meter) is REFUSED
    assert images.activate(meter) is REFUSED
    assert meter.digest() == before
    assert meter.set(images.TRANSFER, 5, boolean(True)) is DataAccessResult.SUCCESS
    assert images.verify(meter) is SUCCESS


def test_who_may_do_what(meter: Any, images: Any) -> None:
    """The S1SP does not activate, the DCO does not transfer, and others have no part in it."""
    denied = ActionResult.READ_WRITE_DENIED
    announced = structure(octet_string(b"x"), double_long_unsigned(100))
    block = structure(double_long_unsigned(0), octet_string(bytes(64)))
    for method, parameter in ((1, announced), (2, block), (3, None)):
        assert meter.act(images.TRANSFER, method, parameter, "dco") is denied
    assert meter.act(images.TRANSFER, 4, None, "s1sp") is denied
    for who in ("public", "reader"):
        assert meter.act(images.TRANSFER, 4, None, who) is ActionResult.OBJECT_UNDEFINED


def test_power_fails_at_every_block(make_bench: Callable[..., Any], images: Any) -> None:
    """What was there is there: the state goes into a new Device after each one."""
    meter = make_bench("secure", images.QUICK)
    octets = images.image(meter)
    images.initiate(meter, len(octets))
    blocks = images.cut(octets)
    for number, block in reversed(list(enumerate(blocks))):
        assert images.send(meter, number, block) is SUCCESS
        meter.device = Device(meter.profile, 7, state=meter.device.state)
        assert images.bits(meter) == "0" * number + "1" * (len(blocks) - number)
    assert images.verify(meter) is SUCCESS
    meter.device = Device(meter.profile, 7, state=meter.device.state)
    assert images.activate(meter) is SUCCESS
    meter.device = Device(meter.profile, 7, state=meter.device.state)
    assert meter.value(images.VERSION, 2) == b"2.0.0"
    assert images.status(meter) == Status.ACTIVATED
    assert not meter.device.restart_wanted


def test_after_activation_memory_is_free(meter: Any, images: Any) -> None:
    images.transfer(meter, images.image(meter))
    images.activate(meter)
    assert meter.device.state.image == {}
    assert set(images.bits(meter)) == {"1"}
    assert meter.value(images.TRANSFER, 4) == len(images.bits(meter))


# The table ----------------------------------------------------------------------------------------


def test_the_table_has_a_way_out_of_everything() -> None:
    """A transfer can be begun in every state but one, which ends by itself."""
    for status in Status:
        assert ((status, Input.INITIATE) in TABLE) is (status is not Status.ACTIVATING)
    for what in (Input.ACTIVATED, Input.NOT_ACTIVATED):
        assert (Status.ACTIVATING, what) in TABLE


def test_only_what_was_verified_is_activated() -> None:
    into = [key for key, after in TABLE.items() if after is Status.ACTIVATING]
    assert into == [(Status.VERIFIED, Input.ACTIVATE)]
    into = [key for key, after in TABLE.items() if after is Status.VERIFIED]
    assert into == [(Status.VERIFYING, Input.VERIFIED)]
    assert {key[0] for key, after in TABLE.items() if after is Status.ACTIVATED} == {
        Status.ACTIVATING
    }


def test_blocks_change_nothing_that_was_verified() -> None:
    takes = {status for status, what in TABLE if what is Input.BLOCK}
    assert takes == {Status.INITIATED, Status.VERIFICATION_FAILED}


@pytest.mark.parametrize("calls", list(itertools.permutations("bva", 3)))
def test_no_order_of_methods_activates_what_is_incomplete(
    meter: Any, images: Any, calls: tuple[str, ...]
) -> None:
    octets = images.image(meter)
    images.initiate(meter, len(octets))
    for call in calls:
        match call:
            case "b":
                images.send(meter, 0, images.cut(octets)[0])
            case "v":
                assert images.verify(meter) is REFUSED
            case "a":
                assert images.activate(meter) is REFUSED
    assert meter.value(images.VERSION, 2) == b"1.0.0"
    assert not meter.device.restart_wanted


def test_blocks_that_were_missing_may_follow(meter: Any, images: Any) -> None:
    octets = images.image(meter)
    images.initiate(meter, len(octets))
    first, *others = enumerate(images.cut(octets))
    for number, block in others:
        images.send(meter, number, block)
    assert images.verify(meter) is REFUSED
    assert images.status(meter) == Status.VERIFICATION_FAILED
    assert images.send(meter, *first) is SUCCESS
    assert images.status(meter) == Status.INITIATED
    assert images.verify(meter) is SUCCESS


def test_a_second_client_in_between(slow: Any, images: Any) -> None:
    """Two send blocks of one image; who begins another one ends the first."""
    octets = images.image(slow)
    images.initiate(slow, len(octets))
    for number, block in enumerate(images.cut(octets)):
        assert images.send(slow, number, block) is SUCCESS
        assert images.send(slow, number, block) is SUCCESS
    assert images.verify(slow) is UNDER_WAY
    assert images.initiate(slow, 100, b"other") is SUCCESS
    assert images.verify(slow) is REFUSED
    assert images.status(slow) == Status.VERIFICATION_FAILED
