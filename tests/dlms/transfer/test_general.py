"""General block transfer: whole dialogues, octet by octet, written by hand from GB 9.4.6.13."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from dlms.errors import RemoteProtocolError
from dlms.transfer.general import ABORT, MAX_REPEATS, GeneralTransfer, Received


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


# Whole exchanges ----------------------------------------------------------------------------------


def test_one_block_each_way() -> None:
    client, server = end(max_block=9), end(max_block=9)
    sent = client.send(b"ask")
    assert hexes(sent) == plain("E0 83 0001 0000 03 61736B")
    assert server.receive(sent[0]) == (b"ask", ())
    assert server.owes
    sent = server.send(b"say")
    assert hexes(sent) == plain("E0 83 0001 0001 03 736179")
    assert not server.owes
    assert client.receive(sent[0]) == (b"say", ())
    sent = client.acknowledge()
    assert hexes(sent) == plain("E0 83 0002 0001 00")
    assert server.waiting
    assert server.receive(sent[0]) == (None, ())
    assert not server.waiting
    assert client.acknowledge() == ()
    assert client.timeout() == server.timeout() == ()


def test_a_plain_request_and_a_streamed_response() -> None:
    """The client has said nothing in blocks; its window becomes known with its first block."""
    client, server = end(window=3), end(window=1)
    sent = server.send(b"abcdefghijk")
    assert hexes(sent) == plain("E0 01 0001 0000 02 6162")
    assert client.receive(sent[0]) == (None, (octets("E0 83 0001 0001 00"),))
    sent = server.receive(octets("E0 83 0001 0001 00")).replies
    assert hexes(sent) == plain(
        "E0 41 0002 0001 02 6364", "E0 41 0003 0001 02 6566", "E0 01 0004 0001 02 6768"
    )
    assert feed(client, *hexes(sent)) == (None, (octets("E0 83 0002 0004 00"),))
    sent = server.receive(octets("E0 83 0002 0004 00")).replies
    assert hexes(sent) == plain("E0 41 0005 0002 02 696A", "E0 81 0006 0002 01 6B")
    assert feed(client, *hexes(sent)) == (b"abcdefghijk", ())
    assert hexes(client.acknowledge()) == plain("E0 83 0003 0006 00")
    assert feed(server, "E0 83 0003 0006 00") == (None, ())
    assert not server.waiting


def test_a_window_known_in_advance() -> None:
    sent = end(window=2, peer_window=2).send(b"abcdef")
    assert hexes(sent) == plain("E0 42 0001 0000 02 6162", "E0 02 0002 0000 02 6364")


def test_a_stream_is_answered_when_the_window_is_full() -> None:
    """Though its sender says that it goes on."""
    server = end(window=2)
    got = feed(server, "E0 43 0001 0000 01 61", "E0 43 0002 0000 01 62")
    assert got == (None, (octets("E0 82 0001 0002 00"),))
    got = feed(server, "E0 43 0003 0000 01 63", "E0 43 0004 0000 01 64")
    assert got == (None, (octets("E0 82 0001 0004 00"),))


def test_the_answer_goes_behind_the_acknowledgement() -> None:
    """An acknowledgement that is not acknowledged itself goes out again, and takes no window."""
    server = end(window=2, max_block=9)
    assert feed(server, "E0 81 0001 0000 01 61") == (b"a", ())
    assert feed(server, "E0 81 0001 0000 01 61") == (None, (octets("E0 82 0001 0001 00"),))
    sent = server.send(b"bc")
    assert hexes(sent) == plain("E0 42 0001 0001 00", "E0 82 0002 0001 02 6263")


def test_an_empty_last_block_ends_a_message() -> None:
    got = feed(end(), "E0 43 0001 0000 01 61", "E0 83 0002 0000 00")
    assert got == (b"a", ())


# Lost blocks --------------------------------------------------------------------------------------


def test_a_gap_is_asked_for_as_such() -> None:
    client, server = end(window=6), end(peer_window=6)
    sent = server.send(b"abcdefghijkl")
    assert len(sent) == 6
    # 3 and 4 are lost.
    got = feed(client, *hexes([*sent[:2], *sent[4:]]))
    assert got == (None, (octets("E0 82 0001 0002 00"),))
    sent = server.receive(got.replies[0]).replies
    assert hexes(sent) == plain("E0 43 0003 0001 02 6566", "E0 03 0004 0001 02 6768")
    assert feed(client, *hexes(sent)) == (b"abcdefghijkl", ())
    # Block 1 of the client's was acknowledged with the blocks that it asked for.
    assert hexes(client.acknowledge()) == plain("E0 86 0002 0006 00")


def test_gaps_are_filled_one_after_the_other() -> None:
    client, server = end(window=6), end(peer_window=6)
    sent = server.send(b"abcdefghijklm")
    got = feed(client, *hexes([sent[1], sent[3], sent[5]]))
    assert hexes(got.replies) == plain("E0 81 0001 0000 00")
    got = feed(client, *hexes(server.receive(got.replies[0]).replies))
    assert hexes(got.replies) == plain("E0 81 0002 0002 00")
    got = feed(client, *hexes(server.receive(got.replies[0]).replies))
    assert hexes(got.replies) == plain("E0 81 0003 0004 00")
    got = feed(client, *hexes(server.receive(got.replies[0]).replies))
    assert hexes(got.replies) == plain("E0 86 0004 0006 00")
    sent = server.receive(got.replies[0]).replies
    assert feed(client, *hexes(sent)) == (b"abcdefghijklm", ())


def test_the_end_of_a_stream_is_lost() -> None:
    """Nothing says so but time."""
    client, server = end(window=3), end(peer_window=3)
    sent = server.send(b"abcdef")
    assert feed(client, *hexes(sent[:2])) == (None, ())
    assert client.waiting
    again = client.timeout()
    assert hexes(again) == plain("E0 83 0001 0002 00")
    sent = server.receive(again[0]).replies
    assert hexes(sent) == plain("E0 83 0003 0001 02 6566")
    assert feed(client, *hexes(sent)) == (b"abcdef", ())


def test_the_last_acknowledgement_is_lost() -> None:
    client, server = end(), end()
    sent = server.send(b"a")
    assert feed(client, *hexes(sent)) == (b"a", ())
    client.acknowledge()
    again = server.timeout()
    assert again == sent
    assert feed(client, *hexes(again)) == (None, (octets("E0 83 0001 0001 00"),))
    assert feed(server, "E0 83 0001 0001 00") == (None, ())
    assert server.timeout() == ()


def test_the_answer_is_lost() -> None:
    """The question comes again, and is not asked again."""
    client, server = end(), end()
    question = client.send(b"a")
    assert server.receive(question[0]).apdu == b"a"
    answer = server.send(b"b")
    assert client.timeout() == question
    assert server.receive(question[0]) == (None, answer)
    assert client.receive(answer[0]).apdu == b"b"


def test_a_slow_answer() -> None:
    client, server = end(), end()
    question = client.send(b"a")
    assert server.receive(question[0]).apdu == b"a"
    replies = server.receive(client.timeout()[0]).replies
    assert hexes(replies) == plain("E0 83 0001 0001 00")
    assert client.receive(replies[0]) == (None, ())
    assert not client.waiting
    answer = server.send(b"b")
    assert hexes(answer) == plain("E0 43 0001 0001 00", "E0 83 0002 0001 01 62")
    assert feed(client, *hexes(answer)) == (b"b", ())


# Repetitions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [True, False])
def test_the_same_question_again(ordered: bool) -> None:
    """Once the answer is acknowledged it is another question, if the line keeps the order."""
    server = end(max_block=9, ordered=ordered)
    assert feed(server, "E0 81 0001 0000 01 61") == (b"a", ())
    server.send(b"b")
    feed(server, "E0 81 0002 0001 00")
    again = feed(server, "E0 81 0001 0000 01 61")
    assert again == ((b"a", ()) if ordered else (None, (octets("E0 83 0002 0002 00"),)))
    server.reset()
    assert feed(server, "E0 81 0001 0000 01 61") == (b"a", ())


def test_another_question_before_the_answer_was_acknowledged() -> None:
    server = end(max_block=1)
    assert feed(server, "E0 81 0001 0000 01 61") == (b"a", ())
    server.send(b"long answer")
    assert feed(server, "E0 81 0001 0000 01 62") == (b"b", ())
    assert hexes(server.send(b"c")) == plain("E0 83 0001 0001 01 63")


def test_what_only_was_acknowledged_is_not_given_twice() -> None:
    client = end()
    assert feed(client, "E0 81 0001 0000 01 61") == (b"a", ())
    client.acknowledge()
    for _ in range(3):
        assert feed(client, "E0 81 0001 0000 01 61") == (None, (octets("E0 83 0001 0001 00"),))
    assert feed(client, "E0 81 0001 0000 01 62") == (b"b", ())


def test_blocks_twice_and_turned_round() -> None:
    server = end(window=4)
    texts = [f"E0 {'44' if n < 4 else '84'} 000{n} 0000 01 6{n}" for n in (1, 2, 3, 4)]
    got = [server.receive(octets(texts[i])) for i in (1, 1, 2, 0, 0, 2, 3)]
    assert [one.apdu for one in got] == [None] * 6 + [b"abcd"]
    assert not any(one.replies for one in got)


def test_an_old_acknowledgement() -> None:
    """It says nothing any more, neither about blocks nor about the window."""
    server = end(peer_window=2)
    server.send(b"abcdefghij")
    assert len(feed(server, "E0 82 0001 0002 00").replies) == 2
    assert hexes(feed(server, "E0 8A 0002 0001 00").replies) == plain(
        "E0 43 0003 0002 02 6566", "E0 03 0004 0002 02 6768"
    )


def test_no_progress() -> None:
    """However often the same is said, it is not answered for ever."""
    server = end(peer_window=2)
    server.send(b"abcdef")
    feed(server, "E0 82 0001 0000 00")
    for _ in range(MAX_REPEATS):
        assert len(feed(server, "E0 82 0001 0000 00").replies) == 2
    assert feed(server, "E0 82 0001 0000 00") == (None, ())
    assert len(server.timeout()) == 2
    assert len(feed(server, "E0 82 0001 0001 00").replies) == 2


def test_a_dead_peer() -> None:
    client = end()
    sent = client.send(b"abcdef")
    for _ in range(MAX_REPEATS):
        assert client.timeout() == sent
    with pytest.raises(RemoteProtocolError) as caught:
        client.timeout()
    assert (caught.value.reason, caught.value.reply) == ("no-progress", ABORT)
    assert client.pending == 0
    assert client.timeout() == ()


def test_progress_begins_the_count_again() -> None:
    client = end(max_block=1)
    client.send(b"abc")
    for number in (1, 2):
        for _ in range(MAX_REPEATS):
            client.timeout()
        feed(client, f"E0 81 000{number} 000{number} 00")
    assert client.timeout()
