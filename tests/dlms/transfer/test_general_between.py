"""General block transfer: what is left of one exchange when the next one is there."""

from __future__ import annotations

import pytest

from dlms.errors import RemoteProtocolError
from dlms.transfer.general import GeneralTransfer, Received


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def end(*, answers: bool = False) -> GeneralTransfer:
    return GeneralTransfer(max_block=2, window=3, answers=answers)


def feed(transfer: GeneralTransfer, *texts: str) -> Received:
    """All but the last are taken in silence."""
    for text in texts[:-1]:
        assert transfer.receive(octets(text)) == (None, ())
    return transfer.receive(octets(texts[-1]))


def refused(transfer: GeneralTransfer, text: str) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        transfer.receive(octets(text))
    assert caught.value.reply is None
    return caught.value.reason


ANSWER = ("E0 43 0001 0001 01 61", "E0 43 0002 0001 01 62", "E0 83 0003 0001 01 63")


def test_late_blocks_are_not_mixed_with_the_next_answer() -> None:
    client = end()
    client.send(b"q")
    assert feed(client, *ANSWER).apdu == b"abc"
    client.acknowledge()
    client.send(b"r")
    # An answer that was repeated, its first block lost.
    assert refused(client, ANSWER[1]) == refused(client, ANSWER[2]) == "block-of-no-exchange"
    assert client.waiting
    got = feed(client, "E0 43 0001 0001 01 41", "E0 43 0002 0001 01 42", "E0 83 0003 0001 01 43")
    assert got.apdu == b"ABC"


def test_behind_a_first_block_nothing_is_late() -> None:
    """The next answer may have the same blocks, and has them when its first one has come."""
    client = end()
    client.send(b"q")
    feed(client, *ANSWER)
    client.acknowledge()
    client.send(b"r")
    assert feed(client, "E0 43 0001 0001 01 41", *ANSWER[1:]).apdu == b"Abc"


def test_other_blocks_whose_first_one_is_lost() -> None:
    client = end()
    client.send(b"q")
    feed(client, *ANSWER)
    client.acknowledge()
    client.send(b"r")
    assert feed(client, "E0 43 0002 0001 01 42", "E0 83 0003 0001 01 43").replies
    assert feed(client, "E0 03 0001 0001 01 41").apdu == b"ABC"


@pytest.mark.parametrize("ours", [True, False])
def test_what_is_left_of_an_exchange_that_was_aborted(ours: bool) -> None:
    server = end(answers=True)
    feed(server, "E0 43 0001 0000 01 61")
    with pytest.raises(RemoteProtocolError):
        server.receive(octets("E0 03 0041 0000 01 61" if ours else "E0 80 0000 0000 00"))
    for text in ("E0 43 0002 0000 01 62", "E0 83 0003 0000 01 63"):
        assert refused(server, text) == "block-of-no-exchange"
    # An acknowledgement is no beginning either.
    assert feed(server, "E0 83 0002 0000 00") == (None, ())
    assert refused(server, "E0 83 0003 0000 01 63") == "block-of-no-exchange"
    assert not server.waiting
    got = feed(server, "E0 43 0001 0000 01 41", "E0 43 0002 0000 01 62", "E0 83 0003 0000 01 63")
    assert got.apdu == b"Abc"


def test_an_end_that_only_answers_is_asked_again_at_any_time() -> None:
    server, peer = end(answers=True), end()
    for one in (server, peer):
        one.send(b"answer to what came without blocks")
    # Its acknowledgement was lost; for an equal it would be a collision.
    assert refused(peer, "E0 81 0001 0000 01 61") == "collision"
    assert refused(server, "E0 81 0002 0000 01 61") == "collision"
    assert feed(server, "E0 81 0001 0000 01 61").apdu == b"a"
    assert len(server.send(b"bc")) == 1


def test_what_is_unconfirmed_is_of_no_exchange() -> None:
    client = end()
    feed(client, "E0 40 0001 0000 01 61")
    client.send(b"q")
    client.reset()
    assert feed(client, "E0 C0 0002 0000 01 62").apdu == b"ab"


def test_how_far_things_are() -> None:
    client = end()
    assert client.taken == 0
    client.send(b"abcdef")
    assert client.taken == 0
    feed(client, "E0 82 0001 0001 00")
    assert client.taken == 2
    feed(client, "E0 40 0001 0000 01 61")
    assert client.taken == 3
    # What waits for a gap to be filled brings nothing further yet.
    feed(client, "E0 02 0003 0003 01 61")
    assert client.taken == 5
    client.reset()
    assert client.taken == 1


def test_a_late_acknowledgement_does_not_end_the_next_question() -> None:
    server = end(answers=True)
    assert feed(server, "E0 83 0002 0000 00") == (None, ())
    assert feed(server, "E0 43 0001 0000 01 61", "E0 83 0002 0000 01 62").apdu == b"ab"


def test_an_acknowledgement_counts_whatever_its_number() -> None:
    server = end(answers=True)
    server.send(b"abcdef")
    assert len(feed(server, "E0 82 0002 0001 00").replies) == 2
