"""Images for meters on the bench, and the words to speak with their Image transfer."""

from __future__ import annotations

from typing import Any

from devices.firmware import SEALS, target
from devices.image import Seal, Target, make_image
from dlms.axdr.data import double_long_unsigned, integer, octet_string, structure
from dlms.security.drive import run
from dlms.xdlms.codes import ActionResult

TRANSFER = "0-0:44.0.0.255"
VERSION = "1-0:0.2.0.255"
HASH = "0-0:128.44.0.255"
IDENTIFIER = b"new firmware"
INITIATE, BLOCK, VERIFY, ACTIVATE = 1, 2, 3, 4

QUICK = """
[habits]
image_verification = { value = 0, assumed = "at once" }
image_activation = { value = 0, assumed = "at once" }
image_max_size = { value = 4096, assumed = "little room" }
[objects."0-0:44.0.0.255"]
class = "Image transfer"
values.2 = { double-long-unsigned = 64 }
assumed = "small blocks"
"""
"""A meter that takes no time for anything and has little room, in blocks of 64 octets."""

AT_ONCE = "image_{} = {{ value = 0"
SLOW = QUICK.replace(AT_ONCE.format("verification"), "image_verification = { value = 5")
SLOW = SLOW.replace(AT_ONCE.format("activation"), "image_activation = { value = 20")
"""One that takes 5 seconds to verify and 20 to activate."""


def image(
    meter: Any,
    body: bytes = bytes(range(256)),
    *,
    version: str = "2.0.0",
    whom: Target | None = None,
    kind: Seal | None = None,
) -> bytes:
    """An image for a meter on the bench."""
    seal = SEALS[meter.profile.habits.image_seal] if kind is None else kind
    step = make_image(whom or target(meter.device), version, body, seal)
    return run(step, meter.module.execute)


def initiate(meter: Any, size: int, identifier: bytes = IDENTIFIER) -> ActionResult:
    parameter = structure(octet_string(identifier), double_long_unsigned(size))
    return meter.act(TRANSFER, INITIATE, parameter, "s1sp")  # type: ignore[no-any-return]


def cut(octets: bytes, size: int = 64) -> list[bytes]:
    return [octets[at : at + size] for at in range(0, len(octets), size)]


def send(meter: Any, number: int, octets: bytes) -> ActionResult:
    parameter = structure(double_long_unsigned(number), octet_string(octets))
    return meter.act(TRANSFER, BLOCK, parameter, "s1sp")  # type: ignore[no-any-return]


def transfer(meter: Any, octets: bytes) -> None:
    """All of it, in order."""
    assert initiate(meter, len(octets)) is ActionResult.SUCCESS
    for number, block in enumerate(cut(octets, meter.value(TRANSFER, 2))):
        assert send(meter, number, block) is ActionResult.SUCCESS


def verify(meter: Any) -> ActionResult:
    return meter.act(TRANSFER, VERIFY, integer(0), "s1sp")  # type: ignore[no-any-return]


def activate(meter: Any) -> ActionResult:
    return meter.act(TRANSFER, ACTIVATE, integer(0), "dco")  # type: ignore[no-any-return]


def status(meter: Any) -> int:
    return meter.value(TRANSFER, 6)  # type: ignore[no-any-return]


def bits(meter: Any) -> str:
    return meter.value(TRANSFER, 3)  # type: ignore[no-any-return]
