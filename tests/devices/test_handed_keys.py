"""Authentication keys for one association (letter, paragraph 7 (c)(iii)), as the meter goes about
them.
"""

from __future__ import annotations

from typing import Any

import pytest

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import Discard
from dlms.xdlms.codes import ActionResult

SETUP = "0-0:43.0.1.255"
GUEK, GAK = 0, 2
FIRST, SECOND = bytes(range(16)), bytes(range(1, 17))


@pytest.fixture
def meter(make_bench: Any) -> Any:
    return make_bench("landis_gyr")


def hand_over(meter: Any, *keys: tuple[int, bytes]) -> ActionResult:
    done = meter.act(SETUP, 2, meter.transfer("s1sp", *keys), "s1sp")
    assert isinstance(done, ActionResult)
    return done


def awaited(meter: Any) -> KeyRef:
    ref = meter.device.keys(meter.association("s1sp")).gak
    assert isinstance(ref, KeyRef)
    return ref


def handed(meter: Any, version: int) -> KeyRef:
    return KeyRef(meter.device.title, "s1sp", KeyKind.GAK, KeyLifetime.SINGLE_ASSOCIATION, version)


def test_without_one_the_long_lived_key_serves(meter: Any) -> None:
    assert awaited(meter) == meter.device.key("s1sp", KeyKind.GAK)


def test_one_that_was_handed_over_is_for_the_next_association_alone(meter: Any) -> None:
    assert hand_over(meter, (GAK, FIRST)) is ActionResult.SUCCESS
    assert awaited(meter) == handed(meter, 1)
    assert meter.ring.get(awaited(meter)) == FIRST
    revision = meter.device.state.security_revision
    meter.device.association_begun(meter.association("s1sp"), handed(meter, 1))
    assert awaited(meter) == meter.device.key("s1sp", KeyKind.GAK)
    assert meter.device.state.security_revision > revision  # other connections notice
    assert not meter.device.state.doomed  # it is in use
    meter.device.association_begun(meter.association("s1sp"), handed(meter, 1))
    assert meter.device.state.security_revision == revision + 1


def test_an_association_of_another_does_not_use_it_up(meter: Any) -> None:
    hand_over(meter, (GAK, FIRST))
    meter.device.association_begun(meter.association("dco"), None)
    assert awaited(meter) == handed(meter, 1)


def test_the_last_of_two_counts_and_the_first_is_destroyed(meter: Any) -> None:
    hand_over(meter, (GAK, FIRST))
    hand_over(meter, (GAK, SECOND))
    assert awaited(meter) == handed(meter, 2)
    assert meter.ring.get(awaited(meter)) == SECOND
    assert handed(meter, 1) in meter.device.state.doomed
    for op in meter.device.settle():
        assert isinstance(op, Discard)
    assert not meter.device.state.doomed


def test_no_name_comes_again(meter: Any) -> None:
    hand_over(meter, (GAK, FIRST))
    meter.device.association_begun(meter.association("s1sp"), handed(meter, 1))
    hand_over(meter, (GAK, SECOND))
    assert awaited(meter) == handed(meter, 2)


def test_the_long_lived_key_stays_what_it_was(meter: Any) -> None:
    before = meter.device.key("s1sp", KeyKind.GAK)
    hand_over(meter, (GAK, FIRST))
    assert meter.device.key("s1sp", KeyKind.GAK) == before
    assert meter.device.state.key_versions.get(("s1sp", KeyKind.GAK)) is None


def test_together_with_an_encryption_key(meter: Any) -> None:
    assert hand_over(meter, (GUEK, SECOND), (GAK, FIRST)) is ActionResult.SUCCESS
    assert awaited(meter) == handed(meter, 1)
    assert meter.device.key("s1sp", KeyKind.GUEK).version == 1


@pytest.mark.parametrize("kind", [KeyKind.GUEK, KeyKind.GAK, KeyKind.KEK])
@pytest.mark.parametrize("scope", ["s1sp", "dco"])
def test_one_that_is_there_already_is_refused(meter: Any, scope: str, kind: KeyKind) -> None:
    there = meter.ring.get(meter.device.key(scope, kind))
    before = meter.digest()
    assert hand_over(meter, (GAK, there)) is ActionResult.OTHER_REASON
    assert meter.digest() == before
    assert awaited(meter).lifetime is not KeyLifetime.SINGLE_ASSOCIATION


def test_the_one_that_waits_is_there_already(meter: Any) -> None:
    hand_over(meter, (GAK, FIRST))
    assert hand_over(meter, (GAK, FIRST)) is ActionResult.OTHER_REASON
    assert hand_over(meter, (GUEK, FIRST)) is ActionResult.OTHER_REASON
    assert awaited(meter) == handed(meter, 1)


def test_the_same_twice_in_one_transfer(meter: Any) -> None:
    assert hand_over(meter, (GUEK, FIRST), (GAK, FIRST)) is ActionResult.OTHER_REASON
    assert awaited(meter) == meter.device.key("s1sp", KeyKind.GAK)


def test_where_keys_live_long_it_replaces_the_long_lived_one(meter: Any) -> None:
    done = meter.act("0-0:43.0.2.255", 2, meter.transfer("dco", (GAK, FIRST)), "dco")
    assert done is ActionResult.SUCCESS
    assert meter.device.key("dco", KeyKind.GAK).version == 1


def test_the_long_lived_key_serves_a_client_that_has_lost_it(meter: Any) -> None:
    row, long_lived = meter.association("s1sp"), meter.device.key("s1sp", KeyKind.GAK)
    assert meter.device.fallback(row) is None  # it is awaited anyhow
    hand_over(meter, (GAK, FIRST))
    assert meter.device.fallback(row).gak == long_lived
    assert meter.device.fallback(row)._replace(gak=handed(meter, 1)) == meter.device.keys(row)
    meter.device.association_begun(row, long_lived)
    assert awaited(meter) == long_lived
    assert handed(meter, 1) in meter.device.state.doomed
