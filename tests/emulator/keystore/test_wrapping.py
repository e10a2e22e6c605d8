"""What is in the store is wrapped, whoever looks; another wrapping key, also in several goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import GenerateKey, OperationRefused, Step, Unwrap, Use, VerificationFailed
from emulator.custody import Custody, Errand, Mode
from emulator.head_end.services import HeadEnd
from emulator.journal import StoreError
from emulator.keystore.lasting import LastingKeys
from emulator.keystore.states import KeyState
from emulator.keystore.store import KeyStore
from emulator.ledger import Ledger, Outcome
from emulator.policy import EDITIONS, LETTER, Actor, Category, ModuleClass, Purpose

GUEK, GBEK, GAK, KEK = KeyKind.GUEK, KeyKind.GBEK, KeyKind.GAK, KeyKind.KEK
TITLE = b"SEC\x01\0\0\0\1"


def make(ref: KeyRef) -> Step[None]:
    yield GenerateKey(Use.TRANSFER_KEY, ref, 16)


async def keep(hand: Any, kind: KeyKind) -> KeyRef:
    ref: KeyRef = hand.known.successor(TITLE, "s1sp", kind)
    await hand.run(make(ref))
    await hand.known.propose(TITLE, "s1sp", {kind: ref}, hand.run)
    hand.known.establish([ref])
    return ref


async def recalled(hand: Any) -> dict[KeyKind, bytes]:
    await hand.known.recall(TITLE, "s1sp", hand.run)
    return {kind: hand.ring.get(hand.known.key(TITLE, "s1sp", kind)) for kind in (GUEK, GBEK, GAK)}


async def test_another_wrapping_key(store: KeyStore, hands: Callable[..., Any]) -> None:
    hand = hands()
    for kind in (GUEK, GBEK, GAK):
        await keep(hand, kind)
    keys = await recalled(hand)
    new = await hand.wrapping.renew(hand.run)
    later = await keep(hand, KEK)
    assert len(hand.wrapping.outdated()) == 3
    left: list[int] = []
    assert await hand.wrapping.rewrap(hand.run, left.append) == 3
    assert left == [2, 1, 0]
    assert {row.kek for row in store.rows(holder=TITLE)} == {str(new)}
    assert await recalled(hands()) == keys
    assert store.row(later) is not None
    again = await hand.wrapping.renew(hand.run)
    assert await hand.wrapping.rewrap(hand.run) == 4
    row = store.row(new)
    assert row is not None
    assert row.state is KeyState.DESTROYED
    assert await recalled(hands()) == keys
    assert await hands().wrapping.current(hands().run) == again


async def test_it_goes_on_where_it_was_broken_off(
    store: KeyStore, hands: Callable[..., Any]
) -> None:
    hand = hands()
    for kind in (GUEK, GBEK, GAK):
        await keep(hand, kind)
    keys = await recalled(hand)
    await hand.wrapping.renew(hand.run)

    def broken_off(left: int) -> None:
        if left == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await hand.wrapping.rewrap(hand.run, broken_off)
    assert await recalled(hands()) == keys
    assert await hands().wrapping.rewrap(hands().run) == 1
    assert await recalled(hands()) == keys


async def test_each_party_wraps_what_is_its_own(store: KeyStore, hands: Callable[..., Any]) -> None:
    ref = await keep(hands(), GUEK)
    row = store.row(ref)
    assert row is not None
    other = hands(Actor.DCO)
    with pytest.raises(StoreError, match="no wrapping key"):
        await other.wrapping.unwrap(row, other.run)
    assert other.wrapping.outdated() == []

    def under(kek: KeyRef, wrapped: bytes) -> Step[None]:
        yield Unwrap(Use.TRANSFER_KEY, kek, wrapped, ref, ())

    assert row.wrapped is not None
    with pytest.raises(VerificationFailed):
        await other.run(under(other.wrapping.root, row.wrapped))


async def test_no_key_in_use_is_in_the_files(
    path: Path, process: Callable[[], HeadEnd], place: Any, hands: Any, store: KeyStore
) -> None:
    """Nor in hexadecimal: not in the database, its log or the locks, at any time."""
    seen: set[bytes] = set()
    for name in ("secure", "landis_gyr"):
        meter = place(name)
        head_end = process()
        for actor in (Actor.S1SP, Actor.DCO):
            for kind in (GUEK, GBEK, KEK):
                await head_end.rotate(meter.address, meter.profile, actor, (kind,))
        await head_end.status(meter.address, meter.profile)
    hand = hands()
    await hand.wrapping.renew(hand.run)
    await hand.wrapping.rewrap(hand.run)
    for actor in (Actor.S1SP, Actor.DCO):
        hand = hands(actor)
        for row in store.rows():
            if row.wrapped is not None and row.ref.scope in (actor.value.lower(), "store of S1SP"):
                if row.ref.scope.startswith("store") and actor is Actor.DCO:
                    continue
                await hand.wrapping.unwrap(row, hand.run)
                seen.add(hand.ring.get(row.ref))
        seen.add(hand.ring.get(hand.wrapping.root))
    assert len(seen) == 16  # twelve, one handed over, and three that wrap
    found = b"".join(file.read_bytes() for file in path.parent.rglob("*") if file.is_file())
    assert b"store of S1SP" in found
    lower = found.lower()
    for key in seen:
        assert key not in found
        assert key.hex().encode() not in lower


# What the ledger says ---------------------------------------------------------------------------


class Nothing:
    name, module_class, emulated, blocks = "software", ModuleClass.G2_45, False, False

    def execute(self, op: Any) -> Any:
        raise AssertionError("to store is no operation of a module")


STORED = KeyRef(TITLE, "s1sp", GUEK, version=1)
ERRAND = Errand(Actor.S1SP, TITLE.hex(), Category.CATEGORY_2, Purpose.TRANSFER_KEY)


def test_to_store_what_is_wrapped_is_no_cryptographic_processing(ledger: Ledger) -> None:
    custody = Custody([Nothing()], LETTER, Mode.ENFORCE, ledger)
    custody.store_encrypted(STORED, ERRAND)
    [entry] = ledger
    assert (entry.operation, entry.purpose) == ("Store", Purpose.STORE_ENCRYPTED_KEY)
    assert entry.decision.module_class is ModuleClass.NONE
    assert (entry.keys, entry.sufficient, entry.outcome) == ((STORED,), True, Outcome.DONE)


@pytest.mark.parametrize("mode", Mode)
def test_before_the_letter_it_was(mode: Mode, ledger: Ledger) -> None:
    former = next(edition for name, edition in EDITIONS.items() if edition is not LETTER)
    custody = Custody([Nothing()], former, mode, ledger)
    if mode is Mode.ENFORCE:
        with pytest.raises(OperationRefused, match="to store"):
            custody.store_encrypted(STORED, ERRAND)
    else:
        custody.store_encrypted(STORED, ERRAND)
    [entry] = ledger
    assert entry.decision.module_class is ModuleClass.LEVEL_3
    assert not entry.sufficient
    assert entry.outcome is (Outcome.REFUSED if mode is Mode.ENFORCE else Outcome.DONE)


async def test_each_key_that_is_stored_is_noted(hands: Callable[..., Any]) -> None:
    hand = hands()
    ref = await keep(hand, GUEK)
    assert hand.noted == [ref]


# For modules --------------------------------------------------------------------------------------


def test_keys_of_modules(store: KeyStore) -> None:
    one, other = LastingKeys(store, "token 1"), LastingKeys(store, "token 2")
    assert one.load(STORED) is None
    one.keep(STORED, b"wrapped")
    one.keep(STORED, b"wrapped again")
    assert (one.load(STORED), other.load(STORED)) == (b"wrapped again", None)
    other.discard(STORED)
    assert one.load(STORED) == b"wrapped again"
    one.discard(STORED)
    one.discard(STORED)
    assert one.load(STORED) is None
