"""Verification and activation: what is good and what is not, at once and in time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from devices.device import Device
from devices.firmware import Flaw, target
from devices.happenings import Happening
from devices.image import Seal, read_image
from devices.objects.image_transfer import BUSY
from dlms.axdr.data import Data, array, integer, octet_string, structure
from dlms.cosem.image_transfer import Status
from dlms.xdlms.codes import ActionResult, DataAccessResult

SUCCESS, REFUSED = ActionResult.SUCCESS, ActionResult.OTHER_REASON
UNDER_WAY = ActionResult.TEMPORARY_FAILURE
LOG = bytes((0, 0, 99, 98, 0, 255))


@pytest.fixture
def meter(make_bench: Callable[..., Any], images: Any) -> Any:
    return make_bench("secure", images.QUICK)


@pytest.fixture
def slow(make_bench: Callable[..., Any], images: Any) -> Any:
    bench = make_bench("secure", images.SLOW)
    bench.device.advance(bench.now)
    return bench


def later(meter: Any, seconds: float) -> None:
    meter.now += dt.timedelta(seconds=seconds)
    meter.device.advance(meter.now)


ABOUT = (Happening.FIRMWARE_VERIFIED, Happening.FIRMWARE_VERIFICATION_FAILED)


def alerts(meter: Any) -> list[Any]:
    """Those about firmware: a meter that lives has others, too."""
    found = (alert for _, alert in sorted(meter.device.state.alerts.items()))
    return [alert for alert in found if alert.code in ABOUT]


def told(meter: Any) -> list[tuple[int, int]]:
    return [(alert.code, alert.argument) for alert in alerts(meter)]


def logged(meter: Any) -> list[tuple[int, int]]:
    rows = sorted(meter.device.state.rows.items())
    return [
        (row.value[1].value, row.value[2].value) for (instance, _), row in rows if instance == LOG
    ]


def test_a_good_image(meter: Any, images: Any) -> None:
    octets = images.image(meter)
    images.transfer(meter, octets)
    assert images.verify(meter) is SUCCESS
    assert images.status(meter) == Status.VERIFIED
    image = read_image(octets)
    ((size, identifier, seal),) = (
        tuple(part.value for part in one.value) for one in meter.value(images.TRANSFER, 7)
    )
    assert (size, identifier, seal) == (len(octets), images.IDENTIFIER, image.seal)
    assert meter.value(images.HASH, 2) == image.digest
    assert told(meter) == [(Happening.FIRMWARE_VERIFIED, 0)]
    assert logged(meter) == [(Happening.FIRMWARE_VERIFIED, 0)]
    assert images.activate(meter) is SUCCESS
    assert images.status(meter) == Status.ACTIVATED
    assert meter.value(images.VERSION, 2) == b"2.0.0"
    assert meter.value(images.TRANSFER, 7) != ()
    assert logged(meter)[1:] == [(Happening.COMMAND_DONE, 18)]
    assert meter.device.restart_wanted


def damages(images: Any, meter: Any) -> dict[str, tuple[bytes, Flaw]]:
    good = images.image(meter)
    whom = target(meter.device)
    at = len(good) // 2
    return {
        "flipped": (good[:at] + bytes((good[at] ^ 4,)) + good[at + 1 :], Flaw.DAMAGED),
        "truncated": (good[:-1], Flaw.NO_IMAGE),
        "longer": (good + b"\0", Flaw.NO_IMAGE),
        "rubbish": (bytes(300), Flaw.NO_IMAGE),
        "other maker": (
            images.image(meter, whom=whom._replace(flag_id="ITR")), Flaw.NOT_FOR_THIS_METER,
        ),
        "other model": (
            images.image(meter, whom=whom._replace(model="Liberty 110")), Flaw.NOT_FOR_THIS_METER,
        ),
        "other hardware": (
            images.image(meter, whom=whom._replace(hardware="2")), Flaw.NOT_FOR_THIS_METER,
        ),
        "other kind of seal": (
            images.image(meter, kind=Seal.GMAC), Flaw.NOT_FROM_THE_MANUFACTURER,
        ),
        "forged": (good[:-1] + bytes((good[-1] ^ 1,)), Flaw.NOT_FROM_THE_MANUFACTURER),
        "no seal": (good[:-64] + bytes(64), Flaw.NOT_FROM_THE_MANUFACTURER),
    }  # fmt: skip


KINDS = [
    "flipped", "truncated", "longer", "rubbish", "other maker", "other model", "other hardware",
    "other kind of seal", "forged", "no seal",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", ["verify", "activate"])
def test_every_damage_is_found(meter: Any, images: Any, kind: str, call: str) -> None:
    octets, flaw = damages(images, meter)[kind]
    images.transfer(meter, octets)
    assert getattr(images, call)(meter) is REFUSED
    assert images.status(meter) == Status.VERIFICATION_FAILED
    assert meter.value(images.TRANSFER, 7) == ()
    assert meter.value(images.HASH, 2) == b""
    assert told(meter) == [(Happening.FIRMWARE_VERIFICATION_FAILED, flaw)]
    assert meter.value(images.VERSION, 2) == b"1.0.0"
    assert not meter.device.restart_wanted
    assert images.activate(meter) is REFUSED


def test_the_seal_that_a_symmetric_meter_takes(make_bench: Callable[..., Any], images: Any) -> None:
    meter = make_bench("aclara", images.QUICK)
    images.transfer(meter, images.image(meter, kind=Seal.SIGNATURE))
    assert images.verify(meter) is REFUSED
    images.transfer(meter, images.image(meter, kind=Seal.GMAC))
    assert images.verify(meter) is SUCCESS


def test_what_is_missing(meter: Any, images: Any) -> None:
    octets = images.image(meter)
    images.initiate(meter, len(octets))
    assert images.verify(meter) is REFUSED
    assert told(meter) == [(Happening.FIRMWARE_VERIFICATION_FAILED, Flaw.INCOMPLETE)]


def test_missing_is_seen_at_once(slow: Any, images: Any) -> None:
    images.initiate(slow, 100)
    assert images.verify(slow) is REFUSED


def test_to_verify_takes_its_time(slow: Any, images: Any) -> None:
    octets = images.image(slow)
    images.transfer(slow, octets)
    assert images.verify(slow) is UNDER_WAY
    for seconds in (0, 4, 0.999):
        later(slow, seconds)
        assert images.status(slow) == Status.VERIFYING
        assert images.verify(slow) is UNDER_WAY
        assert images.activate(slow) is UNDER_WAY
        assert images.send(slow, 0, images.cut(octets)[0]) is UNDER_WAY
        assert told(slow) == []
    assert slow.device.due() == slow.now + dt.timedelta(milliseconds=1)
    later(slow, 0.001)
    assert images.status(slow) == Status.VERIFIED
    assert told(slow) == [(Happening.FIRMWARE_VERIFIED, 0)]


def test_to_find_that_it_is_not_good_takes_as_long(slow: Any, images: Any) -> None:
    images.transfer(slow, damages(images, slow)["forged"][0])
    assert images.verify(slow) is UNDER_WAY
    later(slow, 4.9)
    assert images.status(slow) == Status.VERIFYING
    later(slow, 0.1)
    assert images.status(slow) == Status.VERIFICATION_FAILED
    assert images.verify(slow) is UNDER_WAY


def test_to_activate_takes_its_time(slow: Any, images: Any) -> None:
    images.transfer(slow, images.image(slow))
    images.verify(slow)
    later(slow, 5)
    assert images.activate(slow) is UNDER_WAY
    later(slow, 19.9)
    assert images.status(slow) == Status.ACTIVATING
    assert images.initiate(slow, 100) is UNDER_WAY
    assert images.verify(slow) is UNDER_WAY
    assert slow.value(images.VERSION, 2) == b"1.0.0"
    assert not slow.device.restart_wanted
    later(slow, 0.1)
    assert images.status(slow) == Status.ACTIVATED
    assert slow.value(images.VERSION, 2) == b"2.0.0"
    assert slow.device.restart_wanted


def test_activation_verifies_first(slow: Any, images: Any) -> None:
    images.transfer(slow, images.image(slow))
    assert images.activate(slow) is UNDER_WAY
    assert images.status(slow) == Status.VERIFYING
    later(slow, 5)
    assert images.status(slow) == Status.ACTIVATING
    assert told(slow) == [(Happening.FIRMWARE_VERIFIED, 0)]
    later(slow, 20)
    assert images.status(slow) == Status.ACTIVATED


def test_all_of_it_in_one_step_of_the_clock(slow: Any, images: Any) -> None:
    """However far the clock is moved: each thing happens at its time."""
    images.transfer(slow, images.image(slow))
    images.activate(slow)
    begun = slow.now
    later(slow, 3600)
    assert images.status(slow) == Status.ACTIVATED
    (alert,) = alerts(slow)
    assert alert.moment == begun + dt.timedelta(seconds=5)


@pytest.mark.parametrize("at", ["verifying", "activating"])
def test_power_fails_meanwhile(slow: Any, images: Any, at: str) -> None:
    images.transfer(slow, images.image(slow))
    images.activate(slow)
    later(slow, 4 if at == "verifying" else 10)
    slow.device.power_lost(slow.now)
    slow.device = Device(slow.profile, 7, state=slow.device.state)
    later(slow, 3600)
    assert images.status(slow) == (Status.VERIFYING if at == "verifying" else Status.ACTIVATING)
    slow.device.power_restored(slow.now)
    later(slow, 20)
    assert images.status(slow) == Status.ACTIVATED
    assert slow.value(images.VERSION, 2) == b"2.0.0"
    assert BUSY not in slow.device.state.figures


def test_who_begins_anew_stops_the_verification(slow: Any, images: Any) -> None:
    images.transfer(slow, images.image(slow))
    images.activate(slow)
    images.initiate(slow, 100)
    later(slow, 100)
    assert images.status(slow) == Status.INITIATED
    assert told(slow) == []
    assert BUSY not in slow.device.state.figures


def test_memory_that_fails_before_activation(meter: Any, images: Any) -> None:
    images.transfer(meter, images.image(meter))
    images.verify(meter)
    meter.device.state.image[1] = bytes(64)
    assert images.activate(meter) is REFUSED
    assert images.status(meter) == Status.ACTIVATION_FAILED
    assert logged(meter)[1:] == [(Happening.COMMAND_REFUSED, 18)]
    assert not meter.device.restart_wanted
    assert images.activate(meter) is REFUSED
    assert images.verify(meter) is REFUSED


def test_the_hash_stays_until_another_is_verified(meter: Any, images: Any) -> None:
    first, second = images.image(meter), images.image(meter, b"other")
    images.transfer(meter, first)
    images.verify(meter)
    images.transfer(meter, damages(images, meter)["forged"][0])
    images.verify(meter)
    assert meter.value(images.HASH, 2) == read_image(first).digest
    images.transfer(meter, second)
    images.verify(meter)
    assert meter.value(images.HASH, 2) == read_image(second).digest


# At a time ----------------------------------------------------------------------------------------

SCHEDULE, SCRIPTS = "0-0:15.0.2.255", "0-0:10.0.107.255"


def set_time(meter: Any, hour: int) -> None:
    at = structure(octet_string(bytes((hour, 0, 0, 0))), octet_string(b"\xff" * 5))
    assert meter.set(SCHEDULE, 4, array(at)) is DataAccessResult.SUCCESS


@pytest.mark.parametrize("who", ["meter", "slow"])
def test_at_the_time_that_was_set(request: pytest.FixtureRequest, images: Any, who: str) -> None:
    meter = request.getfixturevalue(who)
    meter.device.advance(meter.now)
    images.transfer(meter, images.image(meter))
    images.verify(meter)
    later(meter, 5)
    set_time(meter, 15)
    later(meter, 3 * 3600 - 6)
    assert images.status(meter) == Status.VERIFIED
    later(meter, 21)
    assert images.status(meter) == Status.ACTIVATED
    assert meter.value(images.VERSION, 2) == b"2.0.0"
    assert meter.device.restart_wanted
    assert Happening.FUTURE_DATED_REFUSED not in dict(logged(meter))


def test_a_script_activates_nothing_unverified(meter: Any, images: Any) -> None:
    """There is nobody to do the cryptography, and it is told that nothing was done."""
    meter.device.advance(meter.now)
    images.transfer(meter, images.image(meter))
    set_time(meter, 15)
    later(meter, 4 * 3600)
    assert images.status(meter) == Status.INITIATED
    assert Happening.FUTURE_DATED_REFUSED in dict(logged(meter))


def test_the_script_by_hand(meter: Any, images: Any) -> None:
    images.transfer(meter, images.image(meter))
    images.verify(meter)
    assert meter.act(SCRIPTS, 1, Data(18, 1), "dco") is SUCCESS
    assert images.status(meter) == Status.ACTIVATED


def test_a_parameter_says_nothing(meter: Any, images: Any) -> None:
    images.transfer(meter, images.image(meter))
    assert meter.act(images.TRANSFER, 3, integer(99), "s1sp") is SUCCESS
