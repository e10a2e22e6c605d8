"""General block transfer: what is refused, the bounds, and without
confirmation. Octets by hand from GB 9.4.6.13.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.transfer.general import ABORT, GeneralTransfer, Received
from dlms.transfer.general_receiving import ReceiveQueue, Verdict
from dlms.transfer.pieces import TooLong
from dlms.xdlms.block import Block
from dlms.xdlms.general_block import GeneralBlock


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def hexes(apdus: Iterable[bytes]) -> list[str]:
    return [apdu.hex().upper() for apdu in apdus]


def plain(*texts: str) -> list[str]:
    return [text.replace(" ", "") for text in texts]


def end(window: int = 3, max_block: int = 2, **knobs: int | bool) -> GeneralTransfer:
    return GeneralTransfer(max_block=max_block, window=window, **knobs)  # type: ignore[arg-type]


def feed(transfer: GeneralTransfer, *texts: str) -> Received:
    """All but the last are taken in silence."""
    for text in texts[:-1]:
        assert transfer.receive(octets(text)) == (None, ())
    return transfer.receive(octets(texts[-1]))


def refused(transfer: GeneralTransfer, text: str) -> tuple[str, bytes | None]:
    with pytest.raises(RemoteProtocolError) as caught:
        transfer.receive(octets(text))
    return caught.value.reason, caught.value.reply


# What is refused ----------------------------------------------------------------------------------

BROKEN = {
    "block 0": ("E0 03 0000 0002 01 61", "block-number"),
    "block 0, not last": ("E0 00 0000 0000 00", "block-number"),
    "last and streaming": ("E0 C3 0001 0002 01 61", "last-and-streaming"),
    "window 0, no data": ("E0 80 0001 0001 00", "window-0"),
    "window 0, data": ("E0 00 0001 0001 01 61", "window-0"),
    "far ahead": ("E0 03 0040 0001 01 61", "block-beyond-window"),
    "too long": ("E0 03 0001 0001 14" + "61" * 20, "long-apdu"),
}


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_what_ends_an_exchange(case: str) -> None:
    text, reason = BROKEN[case]
    transfer = end(peer_window=2, max_total=19)
    transfer.send(b"abcdefghij")
    assert refused(transfer, text) == (reason, ABORT)
    assert transfer.pending == 0
    assert transfer.timeout() == ()
    assert transfer.send(b"x")


UNBELIEVED = {
    "nothing": ("", "malformed-gbt"),
    "cut": ("E0 83 0001 0001 02 61", "malformed-gbt"),
    "left over": ("E0 83 0001 0001 00 61", "malformed-gbt"),
    "not sent": ("E0 83 0001 0003 00", "block-number-ack"),
    "collision": ("E0 83 0001 0000 01 61", "collision"),
    "collision, second block": ("E0 83 0002 0000 01 61", "collision"),
}


@pytest.mark.parametrize("case", UNBELIEVED, ids=str)
def test_what_is_not_believed(case: str) -> None:
    text, reason = UNBELIEVED[case]
    transfer = end(peer_window=2)
    transfer.send(b"abcdefghij")
    assert refused(transfer, text) == (reason, None)
    assert hexes(feed(transfer, "E0 82 0001 0002 00").replies) == plain(
        "E0 43 0003 0001 02 6566", "E0 03 0004 0001 02 6768"
    )


def test_blocks_behind_the_last() -> None:
    transfer = end()
    assert feed(transfer, "E0 81 0001 0000 01 61") == (b"a", ())
    assert refused(transfer, "E0 81 0002 0000 01 62") == ("block-of-no-exchange", None)
    assert feed(transfer, "E0 81 0002 0000 00") == (None, ())


def test_blocks_that_waited_behind_the_last() -> None:
    transfer = end(window=5)
    feed(transfer, "E0 45 0003 0000 01 63", "E0 45 0005 0000 01 65", "E0 45 0001 0000 01 61")
    assert feed(transfer, "E0 85 0002 0000 01 62") == (b"ab", ())
    assert transfer.pending == 0
    # No gap is left that could be asked for.
    assert hexes(transfer.acknowledge()) == plain("E0 85 0001 0002 00")


def test_another_block_with_a_number_that_was_taken() -> None:
    transfer = end(window=5)
    feed(transfer, "E0 45 0001 0000 01 61", "E0 45 0002 0000 01 62", "E0 45 0004 0000 01 64")
    assert refused(transfer, "E0 45 0002 0000 01 63") == ("block-of-no-exchange", None)
    assert refused(transfer, "E0 45 0004 0000 01 65") == ("block-contradicts", ABORT)
    assert transfer.pending == 0


def test_a_stray_block_when_all_is_acknowledged() -> None:
    """It might be of an exchange whose first block is lost: that will come again."""
    transfer = end()
    transfer.send(b"ab")
    feed(transfer, "E0 81 0001 0001 00")
    assert refused(transfer, "E0 81 0002 0000 01 61") == ("collision", None)
    assert feed(transfer, "E0 81 0001 0000 01 61") == (b"a", ())


def test_the_furthest_block() -> None:
    transfer = end(window=63)
    assert feed(transfer, "E0 7F 003F 0000 01 61") == (None, ())
    assert refused(transfer, "E0 7F 0040 0000 01 61") == ("block-beyond-window", ABORT)


def test_what_waits_counts_too() -> None:
    transfer = end(window=9, max_total=3)
    feed(transfer, "E0 49 0002 0000 02 6162", "E0 49 0004 0000 01 63")
    assert transfer.pending == 3
    assert refused(transfer, "E0 49 0006 0000 01 64") == ("long-apdu", ABORT)
    assert transfer.pending == 0


def test_an_acknowledgement_that_waits_may_change_its_flags() -> None:
    """Data may have been put behind it in the meantime."""
    transfer = end(window=9)
    assert feed(transfer, "E0 89 0002 0000 00", "E0 49 0002 0000 00") == (None, ())


def test_only_the_last_63_are_compared() -> None:
    """No peer has a reason to repeat an older one."""
    queue = ReceiveQueue(1000)
    for number in range(1, 101):
        assert queue.judge(Block(False, number, b"a")) is Verdict.NEW
        queue.put(Block(False, number, b"a"))
    assert queue.judge(Block(False, 38, b"b")) is Verdict.FOREIGN
    assert queue.judge(Block(False, 37, b"b")) is Verdict.REPEATED
    assert queue.judge(Block(False, 38, b"a")) is Verdict.REPEATED


def test_abort() -> None:
    assert ABORT.hex().upper() == "E08000000000" + "00"
    transfer = end()
    transfer.send(b"abcdefghij")
    assert refused(transfer, "E0 80 0000 0000 00") == ("aborted", None)
    assert not transfer.waiting


def test_window_0_is_enough_for_an_acknowledgement() -> None:
    """X_GBT."""
    transfer = end()
    transfer.send(b"ab")
    assert feed(transfer, "E0 80 0001 0001 00") == (None, ())
    assert not transfer.waiting
    transfer.send(b"ab")
    assert feed(transfer, "E0 80 0001 0001 01 63") == (b"c", ())
    # Whoever says so, and is answered nevertheless, is given one block at a time.
    assert hexes(transfer.send(b"defg")) == plain("E0 03 0002 0001 02 6465")


def test_out_of_numbers() -> None:
    """65535 blocks, and not one more."""
    transfer = end(max_block=1)
    with pytest.raises(TooLong):
        transfer.send(bytes(65536))
    assert transfer.send(bytes(65535))
    assert feed(transfer, "E0 81 0001 0001 00").replies


@pytest.mark.parametrize("window", [1, 63])
def test_65535_blocks(window: int) -> None:
    """All of them arrive; with each in a stream of its own there is a number left for no more."""
    client, server = end(window=window), end(max_block=1)
    message = bytes(range(255)) * 257
    blocks = list(server.send(message))
    while True:
        got = [client.receive(block) for block in blocks]
        assert all(one == (None, ()) for one in got[:-1])
        if got[-1].apdu is not None:
            break
        blocks = list(server.receive(got[-1].replies[0]).replies)
    assert got[-1].apdu == message
    assert blocks[-1][2:4] == b"\xff\xff"
    if window > 1:
        assert server.receive(client.acknowledge()[0]) == (None, ())
        assert not server.waiting


def test_no_number_left_to_acknowledge_with() -> None:
    """Every empty block has one, too: a peer with only empty blocks does not go on for ever."""
    transfer = end()
    for number in range(1, 65536):
        block = GeneralBlock(False, False, 1, number, number - 1, b"a" if number > 1 else b"b")
        replies = transfer.receive(block.encode()).replies
        assert replies[0][2:6] == number.to_bytes(2, "big") * 2
    assert refused(transfer, "E0 01 FFFF FFFF 01 61") == ("numbers-exhausted", ABORT)


def test_what_the_owner_may_not_do() -> None:
    transfer = end(max_total=10)
    for apdu in (b"", bytes(11)):
        with pytest.raises(LocalProtocolError):
            transfer.send(apdu)
        with pytest.raises(LocalProtocolError):
            transfer.send_unconfirmed(apdu)
    transfer.send(b"abc")
    with pytest.raises(LocalProtocolError):
        transfer.send(b"abc")
    for bad in ({"window": 0}, {"window": 64}, {"max_block": 0}, {"peer_window": 0}):
        with pytest.raises(LocalProtocolError):
            GeneralTransfer(**{"max_block": 1, **bad})  # type: ignore[arg-type]


def test_an_answer_before_the_question_was_whole() -> None:
    """The rest of the question is no longer wanted."""
    client = end(max_block=1)
    client.send(b"abc")
    assert feed(client, "E0 81 0001 0001 02 6E6F") == (b"no", ())
    # Not a last block: it would make "a" look whole.
    assert hexes(client.acknowledge()) == plain("E0 03 0002 0001 00")
    assert not client.waiting


# Unconfirmed --------------------------------------------------------------------------------------


def test_unconfirmed() -> None:
    sent = end().send_unconfirmed(b"abcde")
    assert hexes(sent) == plain(
        "E0 40 0001 0000 02 6162", "E0 40 0002 0000 02 6364", "E0 C0 0003 0000 01 65"
    )
    client = end()
    assert feed(client, *hexes(sent)) == (b"abcde", ())
    assert not client.owes
    assert feed(client, *hexes(sent)) == (b"abcde", ())


def test_unconfirmed_amid_an_exchange() -> None:
    client = end(peer_window=2)
    client.send(b"abcdefgh")
    push = hexes(end().send_unconfirmed(b"push"))
    assert feed(client, push[0]) == (None, ())
    assert len(feed(client, "E0 82 0001 0002 00").replies) == 2
    assert feed(client, push[1]) == (b"push", ())


def test_unconfirmed_with_a_gap_is_never_whole() -> None:
    client = end()
    sent = hexes(end().send_unconfirmed(b"abcdef"))
    assert feed(client, sent[0], sent[2]) == (None, ())
    assert client.timeout() == ()
    assert not client.waiting
    # Another that begins makes an end of the one with the gap.
    other = hexes(end().send_unconfirmed(b"ABCDEF"))
    assert feed(client, *other) == (b"ABCDEF", ())
    # Blocks that are late do fill it.
    assert feed(client, sent[2], sent[0], sent[1]) == (b"abcdef", ())


@pytest.mark.parametrize("ordered", [True, False])
def test_unconfirmed_again(ordered: bool) -> None:
    client = end(ordered=ordered)
    sent = hexes(end().send_unconfirmed(b"abcd"))
    assert feed(client, sent[0], sent[0], sent[1]) == (b"abcd", ())
    assert feed(client, *sent).apdu == (b"abcd" if ordered else None)


def test_unconfirmed_is_bounded() -> None:
    client = end(max_total=3)
    feed(client, "E0 40 0001 0000 02 6162")
    assert refused(client, "E0 40 0002 0000 02 6364") == ("long-apdu", None)
    assert client.pending == 0
    assert refused(client, "E0 40 0040 0000 01 61") == ("block-beyond-window", None)
