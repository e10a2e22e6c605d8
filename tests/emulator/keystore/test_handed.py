"""Handed-over keys in the store, and holds on the keys of a meter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlms.security.keys import KeyRef
from dlms.security.ops import GenerateKey, Step, Use
from emulator.head_end.handed_keys import MAX_OFFERED
from emulator.head_end.services import HeadEnd
from emulator.keystore.holds import Holds
from emulator.keystore.states import KeyState
from emulator.keystore.store import KeyStore

TITLE = b"LGZ\x10\0\0\0\1"


def make(ref: KeyRef) -> Step[None]:
    yield GenerateKey(Use.TRANSFER_KEY, ref, 16)


async def offer(hand: Any) -> KeyRef:
    new: KeyRef = hand.handed.successor(TITLE, "s1sp")
    await hand.run(make(new))
    await hand.handed.offer(new, hand.run)
    return new


async def test_what_was_offered_is_tried_the_latest_first_and_not_for_ever(
    hands: Callable[..., Any], store: KeyStore
) -> None:
    hand = hands()
    for _ in range(MAX_OFFERED + 2):
        await offer(hand)
    other = hands()
    offered = await other.handed.offered(TITLE, "s1sp", other.run)
    assert [key.version for key in offered] == [6, 5, 4, 3]
    assert [other.ring.get(key) for key in offered] == [hand.ring.get(key) for key in offered]
    assert await other.handed.offered(TITLE, "dco", other.run) == ()
    other.handed.settle(TITLE, "s1sp", offered[1])
    assert await hand.handed.offered(TITLE, "s1sp", hand.run) == (offered[1],)
    hand.handed.settle(TITLE, "s1sp")
    assert await hand.handed.offered(TITLE, "s1sp", hand.run) == ()
    assert hand.handed.successor(TITLE, "s1sp").version == 7


async def test_what_is_used_up_leaves_one_row(hands: Callable[..., Any], store: KeyStore) -> None:
    """However many associations there were."""
    hand = hands()
    for _ in range(20):
        hand.handed.settle(TITLE, "s1sp")
        await offer(hand)
    hand.handed.settle(TITLE, "s1sp")
    [row] = store.rows(holder=TITLE)
    assert (row.ref.version, row.state, row.wrapped) == (20, KeyState.DESTROYED, None)


async def test_names_of_commands_that_ended_are_swept(
    hands: Callable[..., Any], store: KeyStore
) -> None:
    for _ in range(10):
        hands().handed.successor(TITLE, "s1sp")  # and no more
    hands().handed.settle(TITLE, "s1sp")
    left = [row.ref.version for row in store.rows(states=(KeyState.PENDING,))]
    assert left == [7, 8, 9, 10]


async def test_the_next_process_goes_on(process: Callable[[], HeadEnd], place: Any) -> None:
    meter = place("honeywell_elster")
    for _ in range(3):
        await process().status(meter.address, meter.profile)
    assert meter.device.state.figures["authentication key s1sp"] == 3


# One hand at a time -------------------------------------------------------------------------------


async def test_one_task_is_one_hand(tmp_path: Path) -> None:
    one, other = Holds(tmp_path / "holds"), Holds(tmp_path / "holds")
    with one.hold("a") as first, one.hold("a") as again:
        assert (first, again) == (True, True)
        with other.hold("a") as taken, other.hold("b") as free:
            assert (taken, free) == (False, True)

        async def another_task() -> bool:
            with one.hold("a") as taken:
                return taken

        assert not await asyncio.create_task(another_task())
    with other.hold("a") as now:
        assert now
    assert (tmp_path / "holds").stat().st_mode & 0o777 == 0o700
