"""The TCP wrapper: partial, merged, oversized, wrong (reference X_WPDU_*)."""

from __future__ import annotations

import struct

import pytest

from dlms.errors import RemoteProtocolError
from dlms.framing import Wpdu, WrapperReceiver
from dlms.framing.wrapper import MAX_APDU

ONE = Wpdu(16, 1, b"\xc0\x01\x02")
TWO = Wpdu(1, 0x7F, bytes(300))


def drain(receiver: WrapperReceiver) -> list[Wpdu]:
    found = []
    while (wpdu := receiver.next_wpdu()) is not None:
        found.append(wpdu)
    return found


def test_octets() -> None:
    assert ONE.encode().hex() == "0001" + "0010" + "0001" + "0003" + "c00102"


def test_whole() -> None:
    receiver = WrapperReceiver()
    receiver.receive(ONE.encode())
    assert drain(receiver) == [ONE]
    assert receiver.pending == 0


def test_octet_by_octet() -> None:
    """X_WPDU_SPLIT."""
    receiver = WrapperReceiver()
    stream = ONE.encode() + TWO.encode()
    found = []
    for position, octet in enumerate(stream):
        receiver.receive(bytes((octet,)))
        new = drain(receiver)
        assert bool(new) is (position + 1 in (len(ONE.encode()), len(stream)))
        found += new
    assert found == [ONE, TWO]


def test_merged() -> None:
    """X_WPDU_LEN_SHORT: cut by the length, not by what came together."""
    receiver = WrapperReceiver()
    receiver.receive(ONE.encode() + TWO.encode() + ONE.encode()[:9])
    assert drain(receiver) == [ONE, TWO]
    assert receiver.pending == 9
    receiver.receive(ONE.encode()[9:])
    assert drain(receiver) == [ONE]


def test_nothing() -> None:
    receiver = WrapperReceiver()
    receiver.receive(b"")
    assert receiver.next_wpdu() is None
    assert receiver.pending == 0


def test_announced_but_not_sent() -> None:
    """X_WPDU_LEN_LONG: nothing of it is shown."""
    receiver = WrapperReceiver()
    receiver.receive(ONE.encode()[:-1])
    assert drain(receiver) == []
    assert receiver.pending == len(ONE.encode()) - 1


def test_empty_ones_are_skipped() -> None:
    """X_WPDU_LEN0."""
    receiver = WrapperReceiver()
    empty = Wpdu(1, 1, b"").encode()
    receiver.receive(empty + empty + ONE.encode() + empty)
    assert drain(receiver) == [ONE]
    assert receiver.pending == 0


@pytest.mark.parametrize("version", [0, 2, 0x0100, 0xFFFF])
def test_wrong_version(version: int) -> None:
    """X_WPDU_VER: no reply, and the stream stays lost."""
    receiver = WrapperReceiver()
    receiver.receive(ONE.encode() + struct.pack(">HHHH", version, 1, 1, 0))
    assert receiver.next_wpdu() == ONE
    for _ in range(2):
        with pytest.raises(RemoteProtocolError) as caught:
            receiver.next_wpdu()
        assert caught.value.reply is None
        assert caught.value.reason == "wrapper-version"
        receiver.receive(ONE.encode())


def test_oversized() -> None:
    """X_WPDU_LEN_MAX: refused with the header, before the octets are waited for."""
    receiver = WrapperReceiver(max_apdu=100)
    receiver.receive(Wpdu(1, 1, bytes(100)).encode())
    assert len(drain(receiver)) == 1
    receiver.receive(Wpdu(1, 1, bytes(101)).encode()[:8])
    with pytest.raises(RemoteProtocolError) as caught:
        receiver.next_wpdu()
    assert caught.value.reply is None
    assert caught.value.reason == "wrapper-length"


def test_the_largest() -> None:
    largest = Wpdu(1, 1, bytes(MAX_APDU))
    receiver = WrapperReceiver()
    receiver.receive(largest.encode())
    assert drain(receiver) == [largest]


@pytest.mark.parametrize(
    "wpdu", [Wpdu(0x10000, 1, b""), Wpdu(1, -1, b""), Wpdu(1, 1, bytes(65536))]
)
def test_what_16_bits_cannot_say(wpdu: Wpdu) -> None:
    with pytest.raises(struct.error):
        wpdu.encode()
