"""global_key_transfer: all keys of the array or none, and counters that belong to their keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.objects.security_setup import global_keys
from dlms.axdr.data import Data, array, enum, octet_string, structure, unsigned, visible_string
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CryptoOp, Discard, KeyUnavailable, OperationRefused, Unwrap, Use
from dlms.xdlms.codes import ActionResult

SETUPS = {"s1sp": "0-0:43.0.1.255", "dco": "0-0:43.0.2.255"}
TRANSFER = 2
GUEK, GBEK, GAK, KEK = range(4)
KINDS = {GUEK: KeyKind.GUEK, GBEK: KeyKind.GBEK, GAK: KeyKind.GAK, KEK: KeyKind.KEK}
NEW = [bytes((0x10 * n + 9,)) * 16 for n in range(8)]
SUCCESS, REFUSED = ActionResult.SUCCESS, ActionResult.OTHER_REASON
UNMATCHED = ActionResult.TYPE_UNMATCHED


def transfer(meter: Any, parameter: Data, scope: str = "dco", who: str = "dco") -> ActionResult:
    result = meter.act(SETUPS[scope], TRANSFER, parameter, who)
    assert isinstance(result, ActionResult)
    return result


def entry(key_id: int, wrapped: bytes) -> Data:
    return structure(enum(key_id), octet_string(wrapped))


def keys(meter: Any) -> dict[tuple[str, KeyKind], tuple[KeyRef, bytes]]:
    """Every key in force, with its octets."""
    refs = {
        (scope, kind): meter.device.key(scope, kind) for scope in SETUPS for kind in KINDS.values()
    }
    return {name: (ref, meter.ring.get(ref)) for name, ref in refs.items()}


def use(meter: Any) -> dict[KeyRef, tuple[int, int]]:
    """Use every key in force a little; returns its counters."""
    counters = meter.device.state.counters
    for number, (ref, _) in enumerate(keys(meter).values()):
        counters.raise_to(ref, 100 + number)
        counters.accept(ref, max(200 + number, counters.floor(ref)))
    return counts(meter)


def counts(meter: Any) -> dict[KeyRef, tuple[int, int]]:
    counters = meter.device.state.counters
    return {
        ref: (counters.next_to_send(ref), counters.floor(ref)) for ref, _ in keys(meter).values()
    }


class Unchanged:
    """Nothing of keys, counters, state or module differs at the end from the beginning."""

    def __init__(self, meter: Any) -> None:
        self.meter = meter

    def seen(self) -> tuple[object, ...]:
        state = self.meter.device.state
        return (
            keys(self.meter),
            counts(self.meter),
            state.digest(),
            state.security_revision,
            repr(self.meter.ring),  # says how many keys are kept
        )

    def __enter__(self) -> None:
        use(self.meter)
        for kind in KINDS.values():  # are looked at, too, when a key is to be a new one
            self.meter.ring.get(self.meter.device.key("alerts", kind))
        self.before = self.seen()

    def __exit__(self, *exc_info: object) -> None:
        assert self.seen() == self.before


@pytest.mark.parametrize("scope", SETUPS)
@pytest.mark.parametrize(
    "ids",
    [
        (GUEK,),
        (GBEK,),
        (GAK,),
        (KEK,),
        (GUEK, GAK),
        (GAK, GUEK),
        (GUEK, GAK, KEK),
        (KEK, GUEK),
        (KEK, GAK, GBEK, GUEK),
    ],
)
def test_good_transfers(bench: Any, scope: str, ids: tuple[int, ...]) -> None:
    """KL-KT-13, 14: counters begin anew for the new encryption keys and for no others."""
    before, counters = keys(bench), use(bench)
    sent = [(key_id, NEW[n]) for n, key_id in enumerate(ids)]
    assert transfer(bench, bench.transfer(scope, *sent), scope) is SUCCESS
    assert bench.device.state.security_revision == 1
    after, new_counters = keys(bench), counts(bench)
    changed = {(scope, KINDS[key_id]): octets for key_id, octets in sent}
    for name, (ref, octets) in after.items():
        old_ref, old_octets = before[name]
        if name in changed:
            assert ref == old_ref._replace(version=1)
            assert octets == changed[name] != old_octets
            assert new_counters[ref] == (0, 0)
        else:
            assert (ref, octets) == (old_ref, old_octets)
            assert new_counters[ref] == counters[ref]
    # Whoever still holds an association under an old key goes on counting.
    for ref, counted in counters.items():
        state = bench.device.state.counters
        assert (state.next_to_send(ref), state.floor(ref)) == counted


def test_the_offer_has_the_new_keys(bench: Any) -> None:
    row = bench.association("dco")
    before = bench.device.offer(row).keys
    assert transfer(bench, bench.transfer("dco", (GUEK, NEW[0]), (GAK, NEW[1]))) is SUCCESS
    after = bench.device.offer(row).keys
    assert after.guek == before.guek._replace(version=1)
    assert after.gak == before.gak._replace(version=1)
    other = bench.association("s1sp")
    assert bench.device.offer(other).keys.guek.version == 0


def test_a_new_authentication_key_alone_keeps_the_counter_shown(bench: Any) -> None:
    """R-IC-8, R-IC-10: and a new encryption key shows 0."""
    bench.device.state.counters.accept(bench.device.key("dco", KeyKind.GUEK), 41)
    assert bench.value("0-0:43.1.2.255", 2) == 42
    assert transfer(bench, bench.transfer("dco", (GAK, NEW[0]))) is SUCCESS
    assert bench.value("0-0:43.1.2.255", 2) == 42
    assert transfer(bench, bench.transfer("dco", (GUEK, NEW[1]))) is SUCCESS
    assert bench.value("0-0:43.1.2.255", 2) == 0


def test_each_entry_is_under_the_master_key_of_the_beginning(bench: Any) -> None:
    """KL-KT-08: a new master key in the same array does not unwrap its neighbours."""
    stale = bench.wrapped("dco", NEW[0])
    fresh = bench.wrapped("dco", NEW[0], kek=NEW[1])
    new_kek = entry(KEK, bench.wrapped("dco", NEW[1]))
    with Unchanged(bench):
        assert transfer(bench, array(new_kek, entry(GUEK, fresh))) is REFUSED
    assert transfer(bench, array(new_kek, entry(GUEK, stale))) is SUCCESS


def test_the_old_master_key_is_good_no_more(bench: Any) -> None:
    """KL-KT-09, 26."""
    stale = array(entry(GUEK, bench.wrapped("dco", NEW[0])))
    assert transfer(bench, bench.transfer("dco", (KEK, NEW[1]))) is SUCCESS
    with Unchanged(bench):
        assert transfer(bench, stale) is REFUSED
    assert transfer(bench, array(entry(GUEK, bench.wrapped("dco", NEW[0], NEW[1])))) is SUCCESS


@pytest.mark.parametrize("key_id", KINDS)
def test_wrong_master_key(bench: Any, key_id: int) -> None:
    """KL-KT-01. Also that of the other association, and the keys that are for something else."""
    others = [bytes(16), bench.ring.get(bench.device.key("s1sp", KeyKind.KEK))]
    others += [
        bench.ring.get(bench.device.key("dco", kind)) for kind in (KeyKind.GUEK, KeyKind.GAK)
    ]
    with Unchanged(bench):
        for kek in others:
            wrapped = bench.wrapped("dco", NEW[0], kek)
            assert transfer(bench, array(entry(key_id, wrapped))) is REFUSED


@pytest.mark.parametrize("length", [0, 1, 8, 15, 16, 23, 25, 32, 40, 1000])
def test_wrong_length(bench: Any, length: int) -> None:
    """KL-KT-02, 03: refused before anything is unwrapped."""
    with Unchanged(bench):
        assert transfer(bench, array(entry(GUEK, bytes(length)))) is REFUSED
        good = entry(GAK, bench.wrapped("dco", NEW[0]))
        assert transfer(bench, array(good, entry(GUEK, bytes(length)))) is REFUSED
    assert bench.operations == []


@pytest.mark.parametrize("octets", [24, 32])
def test_a_key_of_another_suite(bench: Any, octets: int) -> None:
    with Unchanged(bench):
        assert transfer(bench, bench.transfer("dco", (GUEK, bytes(range(octets))))) is REFUSED


def test_every_bit_of_the_wrapped_key(bench: Any) -> None:
    """KL-KT-04."""
    wrapped = int.from_bytes(bench.wrapped("dco", NEW[0]), "big")
    with Unchanged(bench):
        for bit in range(192):
            flipped = (wrapped ^ 1 << bit).to_bytes(24, "big")
            assert transfer(bench, array(entry(GUEK, flipped))) is REFUSED


@pytest.mark.parametrize("bad", range(4))
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_half_bad_arrays_change_nothing(bench: Any, bad: int, order: tuple[int, ...]) -> None:
    """KL-KT-05: whichever is bad, and wherever it stands; what was unwrapped is destroyed."""
    elements = []
    for place, key_id in enumerate(order):
        wrapped = bench.wrapped("dco", NEW[place])
        elements.append(entry(key_id, bytes(24) if place == bad else wrapped))
    with Unchanged(bench):
        assert transfer(bench, array(*elements)) is REFUSED
    unwrapped = [op.into for op in bench.operations if isinstance(op, Unwrap)][:-1]
    discarded = [op.key for op in bench.operations if isinstance(op, Discard)]
    assert len(unwrapped) == bad
    assert discarded == unwrapped
    # And the meter is none the worse for it.
    assert transfer(bench, bench.transfer("dco", (GUEK, NEW[5]), (GAK, NEW[6]))) is SUCCESS


@pytest.mark.parametrize("failure", [KeyUnavailable("gone"), OperationRefused("no module")])
@pytest.mark.parametrize("after", [0, 1])
def test_a_module_that_fails_half_way(bench: Any, after: int, failure: Exception) -> None:
    parameter = bench.transfer("dco", (GUEK, NEW[0]), (GAK, NEW[1]))
    execute = bench.module.execute
    unwraps = 0

    def failing(op: CryptoOp) -> Any:
        nonlocal unwraps
        if isinstance(op, Unwrap):
            unwraps += 1
            if unwraps > after:
                raise failure
        return execute(op)

    with Unchanged(bench):
        bench.module.execute = failing
        assert transfer(bench, parameter) is REFUSED
        bench.module.execute = execute
    assert transfer(bench, parameter) is SUCCESS


@pytest.mark.parametrize("key_id", KINDS)
@pytest.mark.parametrize("values", [(0, 1), (0, 0)])
def test_the_same_key_id_twice(bench: Any, key_id: int, values: tuple[int, int]) -> None:
    """KL-KT-06."""
    with Unchanged(bench):
        sent = [(key_id, NEW[n]) for n in values]
        assert transfer(bench, bench.transfer("dco", *sent)) is REFUSED
    assert bench.operations == []


@pytest.mark.parametrize("key_id", [4, 5, 128, 255])
def test_key_ids_that_are_none(bench: Any, key_id: int) -> None:
    """KL-KT-07."""
    with Unchanged(bench):
        assert transfer(bench, bench.transfer("dco", (key_id, NEW[0]))) is REFUSED
        both = bench.transfer("dco", (GUEK, NEW[0]), (key_id, NEW[1]))
        assert transfer(bench, both) is REFUSED
    assert bench.operations == []


WRAPPED = octet_string(bytes(24))


@pytest.mark.parametrize(
    ("parameter", "result"),
    [
        (array(), REFUSED),
        (array(*[structure(enum(0), WRAPPED)] * 1000), REFUSED),
        (None, UNMATCHED),
        (structure(enum(0), WRAPPED), UNMATCHED),
        (WRAPPED, UNMATCHED),
        (array(WRAPPED), UNMATCHED),
        (array(structure()), UNMATCHED),
        (array(structure(enum(0))), UNMATCHED),
        (array(structure(enum(0), WRAPPED, WRAPPED)), UNMATCHED),
        (array(structure(unsigned(0), WRAPPED)), UNMATCHED),
        (array(structure(WRAPPED, enum(0))), UNMATCHED),
        (array(structure(enum(0), visible_string("x" * 24))), UNMATCHED),
        (array(array(enum(0), WRAPPED)), UNMATCHED),
        (array(array(structure(enum(0), WRAPPED))), UNMATCHED),
        (array(structure(structure(enum(0), WRAPPED), WRAPPED)), UNMATCHED),
    ],
)
def test_other_forms(bench: Any, parameter: Data | None, result: ActionResult) -> None:
    """KL-KT-07."""
    with Unchanged(bench):
        assert bench.act(SETUPS["dco"], TRANSFER, parameter) is result
    assert bench.operations == []


@pytest.mark.parametrize("key_id", KINDS)
def test_the_same_key_again(bench: Any, key_id: int) -> None:
    """KL-KT-15: or its counter, and so its initialization vectors, would begin again."""
    present = bench.ring.get(bench.device.key("dco", KINDS[key_id]))
    with Unchanged(bench):
        assert transfer(bench, bench.transfer("dco", (key_id, present))) is REFUSED


@pytest.mark.parametrize("key_id", KINDS)
def test_an_old_key_that_comes_back(bench: Any, key_id: int) -> None:
    """KL-KT-16: A, B, C, and then any of them."""
    first = bench.ring.get(bench.device.key("dco", KINDS[key_id]))
    for key in NEW[:2]:
        assert transfer(bench, bench.transfer("dco", (key_id, key))) is SUCCESS
    with Unchanged(bench):
        for key in (first, *NEW[:2]):
            assert transfer(bench, bench.transfer("dco", (key_id, key))) is REFUSED


@pytest.mark.parametrize("key_id", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_a_key_that_serves_another_purpose(bench: Any, key_id: int, other: int) -> None:
    """KL-KT-17: no key of the association may become another one; nor did it ever."""
    taken = bench.ring.get(bench.device.key("dco", KINDS[other]))
    with Unchanged(bench):
        assert transfer(bench, bench.transfer("dco", (key_id, taken))) is REFUSED
    assert transfer(bench, bench.transfer("dco", (other, NEW[0]))) is SUCCESS
    with Unchanged(bench):
        assert transfer(bench, bench.transfer("dco", (key_id, taken))) is REFUSED


def test_one_key_for_two_purposes_in_one_array(bench: Any) -> None:
    with Unchanged(bench):
        parameter = bench.transfer("dco", (GUEK, NEW[0]), (GAK, NEW[0]))
        assert transfer(bench, parameter) is REFUSED


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_key_of_the_other_party(bench: Any, kind: KeyKind) -> None:
    """Two hands: what the S1SP holds must not open what is the DCO's."""
    theirs = bench.ring.get(bench.device.key("s1sp", kind))
    with Unchanged(bench):
        assert transfer(bench, bench.transfer("dco", (GUEK, theirs))) is REFUSED


@pytest.mark.parametrize("key_id", KINDS)
def test_a_key_of_zeros(bench: Any, key_id: int) -> None:
    with Unchanged(bench):
        assert transfer(bench, bench.transfer("dco", (key_id, bytes(16)))) is REFUSED


def test_the_same_transfer_twice(bench: Any) -> None:
    """KL-KT-12: what was carried out is refused when it comes again."""
    parameter = bench.transfer("dco", (GUEK, NEW[0]), (GAK, NEW[1]))
    assert transfer(bench, parameter) is SUCCESS
    with Unchanged(bench):
        assert transfer(bench, parameter) is REFUSED


def test_many_rotations(bench: Any) -> None:
    for number in range(1, 40):
        key = number.to_bytes(16, "big")
        assert transfer(bench, bench.transfer("dco", (GUEK, key))) is SUCCESS
        ref = bench.device.key("dco", KeyKind.GUEK)
        assert (ref.version, bench.ring.get(ref)) == (number, key)
    assert bench.device.state.security_revision == 39


def test_rotations_come_to_an_end(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All former keys are kept to be compared with, so there are not any number of them."""
    monkeypatch.setattr(global_keys, "MAX_ROTATIONS", 3)
    for number in range(3):
        assert transfer(bench, bench.transfer("dco", (GUEK, NEW[number]))) is SUCCESS
    with Unchanged(bench):
        assert transfer(bench, bench.transfer("dco", (GUEK, NEW[3]))) is REFUSED
        assert transfer(bench, bench.transfer("dco", (GAK, NEW[4]), (GUEK, NEW[3]))) is REFUSED
    assert transfer(bench, bench.transfer("dco", (GAK, NEW[4]))) is SUCCESS


def test_what_the_module_is_asked(bench: Any) -> None:
    """Unwrapping only, for the transfer of a key, and never a key in the clear."""
    wrapped = bench.wrapped("dco", NEW[0])
    assert transfer(bench, array(entry(GUEK, wrapped))) is SUCCESS
    (op,) = bench.operations
    assert isinstance(op, Unwrap)
    assert op.use is Use.TRANSFER_KEY
    assert op.kek == bench.device.key("dco", KeyKind.KEK)
    assert op.wrapped == wrapped
    assert {ref.kind for ref in op.unlike} == set(KINDS.values())


@pytest.mark.parametrize(
    ("who", "scope", "result"),
    [
        ("public", "s1sp", ActionResult.OBJECT_UNDEFINED),
        ("reader", "s1sp", ActionResult.OBJECT_UNDEFINED),
        ("public", "dco", ActionResult.OBJECT_UNDEFINED),
        ("reader", "dco", ActionResult.OBJECT_UNDEFINED),
        ("s1sp", "dco", ActionResult.OBJECT_UNDEFINED),
        ("s1sp", "s1sp", SUCCESS),
        ("dco", "s1sp", SUCCESS),
        ("dco", "dco", SUCCESS),
    ],
)
def test_who_may(bench: Any, who: str, scope: str, result: ActionResult) -> None:
    """KL-KT-21: nobody without keys, and the S1SP never those of the DCO."""
    parameter = bench.transfer(scope, (GUEK, NEW[0]))
    assert transfer(bench, parameter, scope, who) is result
    assert bench.device.key(scope, KeyKind.GUEK).version == (result is SUCCESS)


SENT = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 5), st.booleans()), min_size=0, max_size=4
)


@given(st.lists(SENT, max_size=4))
def test_the_keys_are_always_one_committed_set(
    make_bench: Callable[..., Any], transfers: list[list[tuple[int, int, bool]]]
) -> None:
    """R-KEY-4, I4, I1: any sequence of good and bad transfers, against a model of what holds."""
    meter = make_bench()
    force = {
        key_id: meter.ring.get(meter.device.key("dco", kind)) for key_id, kind in KINDS.items()
    }
    ever = set(force.values())
    for sent in transfers:
        elements = []
        for key_id, number, good in sent:
            wrapped = meter.wrapped("dco", NEW[number])
            elements.append(entry(key_id, wrapped if good else wrapped[::-1]))
        ids = [key_id for key_id, _, _ in sent]
        octets = [NEW[number] for _, number, _ in sent]
        fine = (
            bool(sent)
            and all(good for _, _, good in sent)
            and set(ids) <= KINDS.keys()
            and len(set(ids)) == len(ids)
            and len(set(octets)) == len(octets)
            and not ever & set(octets)
        )
        assert transfer(meter, array(*elements)) is (SUCCESS if fine else REFUSED)
        if fine:
            force.update(zip(ids, octets, strict=True))
            ever |= set(octets)
        now = {
            key_id: meter.ring.get(meter.device.key("dco", kind)) for key_id, kind in KINDS.items()
        }
        assert now == force
