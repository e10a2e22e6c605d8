"""What an HDLC client asks: what waits, what is awaited, and how often it insists."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dlms.errors import LocalProtocolError
from dlms.framing.hdlc.asking import MAX_QUEUED_APDUS, Asking
from dlms.framing.hdlc.flow import MAX_QUEUED


def count(allowed: Callable[[], bool]) -> int:
    """How often it is still allowed."""
    return next(number for number in range(100) if not allowed())


def test_apdus_wait_in_their_order_and_are_awaited_once_they_go() -> None:
    asking = Asking(retries=1, max_polls=1)
    asking.queue(b"one", answered=True)
    asking.queue(b"two", answered=False)
    assert not asking.is_awaiting
    assert asking.next_apdu() == b"one"
    assert asking.is_awaiting
    asking.hear()
    assert asking.next_apdu() == b"two"
    assert not asking.is_awaiting
    assert asking.next_apdu() is None


def test_what_comes_unasked_answers_nothing() -> None:
    asking = Asking(retries=1, max_polls=1)
    asking.hear()
    asking.ask(answered=True)
    assert asking.is_awaiting
    asking.hear()
    assert not asking.is_awaiting


def test_so_many_wait_and_no_more() -> None:
    asking = Asking(retries=1, max_polls=1)
    for _ in range(MAX_QUEUED_APDUS):
        asking.queue(b"one", answered=True)
    with pytest.raises(LocalProtocolError, match="too much waits"):
        asking.queue(b"one", answered=True)
    asking.next_apdu()
    asking.queue(b"one", answered=True)


def test_no_apdu_is_longer_than_all_that_may_wait() -> None:
    asking = Asking(retries=1, max_polls=1)
    with pytest.raises(LocalProtocolError, match="too much waits"):
        asking.queue(bytes(MAX_QUEUED - 2), answered=True)  # and three of the LLC header
    asking.queue(bytes(MAX_QUEUED - 3), answered=True)


def test_insisting_has_an_end() -> None:
    asking = Asking(retries=3, max_polls=5)
    assert count(asking.may_repeat) == 3
    assert count(asking.may_poll) == 5


@pytest.mark.parametrize("answered", [False, True])
def test_what_is_new_is_polled_for_from_the_beginning(answered: bool) -> None:
    asking = Asking(retries=3, max_polls=5)
    assert asking.may_poll()
    assert asking.may_repeat()
    asking.ask(answered)
    assert count(asking.may_poll) == 5
    assert count(asking.may_repeat) == 2


def test_where_nothing_is_to_be_repeated_only_polls_count() -> None:
    asking = Asking(retries=3, max_polls=5)
    assert asking.may_poll()
    assert asking.may_repeat()
    asking.settle()
    assert count(asking.may_repeat) == 3
    assert count(asking.may_poll) == 4


def test_progress_lets_everything_begin_again() -> None:
    asking = Asking(retries=3, max_polls=5)
    assert asking.may_poll()
    assert asking.may_repeat()
    asking.progress()
    assert count(asking.may_repeat) == 3
    assert count(asking.may_poll) == 5
