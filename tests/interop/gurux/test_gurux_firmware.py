"""A stock gurux client brings firmware to a meter, with its own class for Image transfer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from gurux_dlms.enums import DataType
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.objects import GXDLMSData, GXDLMSImageTransfer
from gurux_dlms.objects.enums import ImageTransferStatus

from devices.firmware import SEALS, target
from devices.image import make_image
from dlms.security.drive import run
from emulator.key_suites import suites_of
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

FLEET_SECRET = bytes(range(32))
IDENTIFIER = "firmware 2"
OTHER_REASON = 250
SIZE = 512


def image_for(lab: Any, secret: bytes, body: bytes = bytes(range(256)) * 12) -> bytes:
    profile = lab.profile
    module = SoftwareModule(KeyRing(secret, suites_of(profile)))
    kind = SEALS[profile.habits.image_seal]
    return run(make_image(target(lab.device), "2.0.0", body, kind), module.execute)


def at_once(lab: Any) -> None:
    """The meter's clock stands still here, so what takes time would take for ever."""
    habits = replace(lab.profile.habits, image_verification=0, image_activation=0)
    lab.device.profile = replace(lab.profile, habits=habits)


def block_by_hand(
    session: Any, transfer: GXDLMSImageTransfer, octets: bytes, number: int, size: int = SIZE
) -> Any:
    """The package makes the frames of all blocks at once, so their counters are in its order."""
    block = octets[number * size : (number + 1) * size]
    length = bytes((len(block),)) if len(block) < 128 else b"\x82" + len(block).to_bytes(2, "big")
    value = bytearray((2, 2, 6)) + number.to_bytes(4, "big") + bytearray((9,)) + length + block
    return session.client.method(transfer, 2, value, DataType.STRUCTURE)


@pytest.mark.parametrize("name", ["secure", "aclara", "itron"])
@pytest.mark.parametrize("order", ["in order", "reversed"])
def test_a_whole_transfer(fresh: Any, gurux: Any, name: str, order: str) -> None:
    lab = fresh(name, "s1sp")
    at_once(lab)
    octets = image_for(lab, FLEET_SECRET)
    session = gurux(lab, "s1sp")
    transfer = GXDLMSImageTransfer()
    assert session.read(transfer, 5) is True
    size = 256 if name == "itron" else SIZE
    assert session.read(transfer, 2) == size
    session.exchange(transfer.imageTransferInitiate(session.client, IDENTIFIER, len(octets)))
    assert session.read(transfer, 6) == ImageTransferStatus.IMAGE_TRANSFER_INITIATED
    count = -(-len(octets) // size)
    if order == "in order":
        for frames in transfer.imageBlockTransfer(session.client, octets, None):
            session.exchange(frames)
    else:
        for number in reversed(range(count)):
            session.exchange(block_by_hand(session, transfer, octets, number, size))
    assert str(session.read(transfer, 3)) == "1" * count
    assert session.read(transfer, 4) == count
    session.exchange(transfer.imageVerify(session.client))
    assert session.read(transfer, 6) == ImageTransferStatus.IMAGE_VERIFICATION_SUCCESSFUL
    session.read(transfer, 7)
    (info,) = transfer.imageActivateInfo
    assert info.size == len(octets)
    assert bytes(info.identification) == IDENTIFIER.encode()
    session.release()

    dco = gurux(lab, "dco")
    dco.exchange(transfer.imageActivate(dco.client))
    with pytest.raises(ConnectionError):
        dco.read(transfer, 6)  # the meter restarts
    after = gurux(lab, "s1sp")
    assert bytes(after.read(GXDLMSData("1.0.0.2.0.255"), 2)) == b"2.0.0"
    assert after.read(transfer, 6) == ImageTransferStatus.IMAGE_ACTIVATION_SUCCESSFUL


def test_what_is_missing_does_not_verify(fresh: Any, gurux: Any) -> None:
    lab = fresh("secure", "s1sp")
    octets = image_for(lab, FLEET_SECRET)
    session = gurux(lab, "s1sp")
    transfer = GXDLMSImageTransfer()
    session.read(transfer, 2)
    session.exchange(transfer.imageTransferInitiate(session.client, IDENTIFIER, len(octets)))
    with pytest.raises(GXDLMSException) as caught:
        session.exchange(transfer.imageVerify(session.client))
    assert caught.value.errorCode == OTHER_REASON
    assert session.read(transfer, 6) == ImageTransferStatus.IMAGE_VERIFICATION_FAILED
