"""Authentication keys for one association: the head end hands them over, and finds out what the
meter has after what went wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.client.refusals import AccessRefused, AssociationRejected
from dlms.cosem import classes, obis
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import Wrap
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.head_end.association import PartyAssociation, associate
from emulator.head_end.handed_keys import MAX_OFFERED, HandedKeys, handed_ref
from emulator.policy import Actor

CLOCK_TIME = AttributeDescriptor(classes.CLOCK.class_id, obis.parse("0-0:1.0.0.255"), 2)
TITLE = b"LGZ\x10\0\0\0\1"
NAMES = ["landis_gyr", "honeywell_elster"]


def waiting(meter: Any) -> int | None:
    figure = meter.device.state.figures.get("authentication key s1sp")
    return None if figure is None else int(figure)


async def associates(party: Any, meter: Any) -> KeyRef:
    """The authentication key of an association in which something was read."""
    async with associate(party, meter.address, meter.profile) as session:
        await session.get(CLOCK_TIME)
        key = session._client.association.keys.gak
    assert isinstance(key, KeyRef)
    return key


@pytest.mark.parametrize("name", NAMES)
async def test_each_association_has_a_key_of_its_own(
    name: str, make_party: Callable[..., Any], place: Any, ring: Any
) -> None:
    party, meter = make_party(Actor.S1SP), place(name)
    keys = [await associates(party, meter) for _ in range(4)]
    assert keys[0].lifetime is not KeyLifetime.SINGLE_ASSOCIATION
    assert keys[1:] == [handed_ref(meter.address.title, "s1sp", n) for n in (1, 2, 3)]
    assert waiting(meter) == 4
    for key in keys[1:]:
        assert not ring.keeps(key)  # destroyed with its association


@pytest.mark.parametrize("name", NAMES)
async def test_all_of_it_is_what_excepts_category_2(
    name: str, make_party: Callable[..., Any], place: Any, ledger: Any
) -> None:
    party, meter = make_party(Actor.S1SP), place(name)
    await associates(party, meter)
    before = len(ledger)
    async with associate(party, meter.address, meter.profile) as session:
        await session.get(CLOCK_TIME)
    single = [
        entry
        for entry in list(ledger)[before:]
        if any(key.lifetime is KeyLifetime.SINGLE_ASSOCIATION for key in entry.keys)
        and {key.kind for key in entry.keys} == {KeyKind.DEDICATED, KeyKind.GAK}
    ]
    assert single
    for entry in single:
        assert entry.decision.clause == "G2.44(c)(iii)"


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """The acknowledgement of the next transfer is lost, after it has arrived or before."""
    action = PartyAssociation.action

    def lose(arrives: bool) -> None:
        async def lossy(self: Any, method: Any, parameter: Any, purpose: Any) -> Any:
            monkeypatch.setattr(PartyAssociation, "action", action)
            if arrives:
                await action(self, method, parameter, purpose)
            raise TimeoutError

        monkeypatch.setattr(PartyAssociation, "action", lossy)

    return lose


@pytest.mark.parametrize("arrives", [True, False])
async def test_an_acknowledgement_is_lost(
    make_party: Callable[..., Any], place: Any, lost: Callable[[bool], None], arrives: bool
) -> None:
    party, meter = make_party(Actor.S1SP), place("landis_gyr")
    lost(arrives)
    with pytest.raises(TimeoutError):
        await associates(party, meter)
    assert (waiting(meter) == 1) is arrives
    key = await associates(party, meter)
    assert (key.lifetime is KeyLifetime.SINGLE_ASSOCIATION) is arrives
    assert (await associates(party, meter)).version == 2


async def test_the_meter_has_forgotten(make_party: Callable[..., Any], place: Any) -> None:
    party, meter = make_party(Actor.S1SP), place("landis_gyr")
    await associates(party, meter)
    meter.device.state.figures.pop("authentication key s1sp")
    key = await associates(party, meter)
    assert key.lifetime is not KeyLifetime.SINGLE_ASSOCIATION
    assert (await associates(party, meter)).lifetime is KeyLifetime.SINGLE_ASSOCIATION


async def test_the_meter_refuses_the_transfer(
    make_party: Callable[..., Any], place: Any, monkeypatch: pytest.MonkeyPatch, ring: Any
) -> None:
    async def refused(*_: Any) -> None:
        raise AccessRefused("key_transfer", ActionResult.OTHER_REASON)

    party, meter = make_party(Actor.S1SP), place("landis_gyr")
    with monkeypatch.context() as patch:
        patch.setattr(PartyAssociation, "action", refused)
        await associates(party, meter)
    assert not ring.keeps(handed_ref(meter.address.title, "s1sp", 1))
    key = await associates(party, meter)
    assert key.lifetime is not KeyLifetime.SINGLE_ASSOCIATION


async def test_a_key_that_an_aarq_has_used_is_used_up(
    make_party: Callable[..., Any], place: Any
) -> None:
    """A second head end has the key as well: it is refused, and goes on under the long-lived."""
    party, meter = make_party(Actor.S1SP), place("landis_gyr")
    await associates(party, meter)
    async with associate(party, meter.address, meter.profile):
        used = handed_ref(meter.address.title, "s1sp", 1)
        assert waiting(meter) == 2
        assert meter.device.authentication_key(meter.profile.associations["s1sp"]) == meter_ref(
            meter, 2
        )
        assert meter_ref(meter, 1).version == used.version


def meter_ref(meter: Any, version: int) -> KeyRef:
    return KeyRef(meter.device.title, "s1sp", KeyKind.GAK, KeyLifetime.SINGLE_ASSOCIATION, version)


async def test_an_aarq_that_does_not_verify_uses_nothing_up(
    make_party: Callable[..., Any], place: Any
) -> None:
    party, meter = make_party(Actor.S1SP), place("landis_gyr")
    await associates(party, meter)
    stranger = make_party(Actor.DCO)
    stranger.association = "s1sp"
    stranger.credential = party.credential
    with pytest.raises(AssociationRejected):
        await associates(stranger, meter)  # of another title
    assert waiting(meter) == 1
    assert (await associates(party, meter)).version == 1


async def test_a_party_that_has_lost_the_key_goes_on_under_the_long_lived_one(
    make_party: Callable[..., Any], place: Any
) -> None:
    party, meter = make_party(Actor.S1SP), place("landis_gyr")
    await associates(party, meter)
    other = make_party(Actor.S1SP)
    other.counters = party.counters
    assert (await associates(other, meter)).lifetime is KeyLifetime.LONG_LIVED
    assert waiting(meter) == 2  # handed over meanwhile
    assert (await associates(other, meter)).lifetime is KeyLifetime.SINGLE_ASSOCIATION


# In memory and in a file --------------------------------------------------------------------------


class Module:
    """Keys by name; wrapped is turned round."""

    def __init__(self) -> None:
        self.keys: dict[KeyRef, bytes] = {}

    async def run(self, step: Any) -> Any:
        answer: Any = None
        while True:
            try:
                op = step.send(answer)
            except StopIteration as stop:
                return stop.value
            answer = self.execute(op)

    def execute(self, op: Any) -> Any:
        if isinstance(op, Wrap):
            return self.keys[op.key][::-1]
        self.keys[op.into] = op.wrapped[::-1]
        return None


async def test_what_was_offered_is_tried_the_latest_first_and_not_for_ever() -> None:
    module = Module()
    keys = HandedKeys()
    for number in range(MAX_OFFERED + 2):
        new = keys.successor(TITLE, "s1sp")
        module.keys[new] = bytes((number,)) * 16
        await keys.offer(new, module.run)
    offered = await keys.offered(TITLE, "s1sp", module.run)
    assert [key.version for key in offered] == [6, 5, 4, 3]
    assert await keys.offered(TITLE, "dco", module.run) == ()
    keys.settle(TITLE, "s1sp", offered[1])
    assert await keys.offered(TITLE, "s1sp", module.run) == (offered[1],)
    keys.settle(TITLE, "s1sp")
    assert await keys.offered(TITLE, "s1sp", module.run) == ()
    assert keys.successor(TITLE, "s1sp").version == 7
