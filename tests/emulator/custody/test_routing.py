"""Where an operation goes: strong enough, as configured, where the keys are; and how keys go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    Discard,
    GenerateKey,
    KeyUnavailable,
    Open,
    OperationRefused,
    Random,
    Seal,
    Step,
    Use,
    Wrap,
)
from emulator.custody import Custody, Errand, Mode
from emulator.custody.routing import Route, Routing
from emulator.ledger import Ledger, Outcome
from emulator.modules.keyring import KeyRing, scope_secrets
from emulator.policy import LETTER, Actor, ModuleClass, Purpose

FLEET = bytes(range(32))
METER = b"ITR\x42\0\0\0\1"
GUEK = KeyRef(METER, "s1sp", KeyKind.GUEK)
GAK = KeyRef(METER, "s1sp", KeyKind.GAK)
KEK = KeyRef(METER, "s1sp", KeyKind.KEK)
SINGLE = KeyLifetime.SINGLE_ASSOCIATION
DEDICATED = KeyRef(METER, "s1sp", KeyKind.DEDICATED, SINGLE, 1)
ROTATED = GUEK._replace(version=1)

GENERATE = GenerateKey(Use.ASSOCIATION, DEDICATED, 16)
LONG_AK = Seal(Use.PROTECT_REQUEST, DEDICATED, GAK, 0x30, METER, 1, b"\xc0 read")
DEDICATED_ALONE = Seal(Use.PROTECT_REQUEST, DEDICATED, None, 0x20, METER, 2, b"\xc0 read")
COMMAND = Seal(Use.PROTECT_REQUEST, GUEK, GAK, 0x30, METER, 3, b"\xc3 add credit")
RANDOM = Random(Use.ASSOCIATION, 8)


class Desk(NamedTuple):
    software: Any
    hsm: Any
    ledger: Ledger
    custody: Custody

    @property
    def rows(self) -> list[tuple[str, str]]:
        return [(entry.operation, entry.module) for entry in self.ledger]


@pytest.fixture
def desk(spy_module: Any) -> Desk:
    """Two modules with a key ring each, both knowing the scope of the S1SP."""
    software = spy_module(KeyRing(scope_secrets(FLEET, ["s1sp"])))
    hsm = spy_module(
        KeyRing(scope_secrets(FLEET, ["s1sp"])), name="hsm", module_class=ModuleClass.LEVEL_3
    )
    return made(software, hsm)


def made(software: Any, hsm: Any, *routes: Route, mode: Mode = Mode.ENFORCE) -> Desk:
    ledger = Ledger()
    routing = Routing(routes) if routes else Routing.in_order([software, hsm])
    return Desk(software, hsm, ledger, Custody(routing, LETTER, mode, ledger))


def step(*ops: Any) -> Step[list[Any]]:
    results = []
    for op in ops:
        results.append((yield op))
    return results


async def test_software_where_the_letter_allows_it_and_the_hsm_where_it_does_not(
    desk: Desk, errand: Callable[..., Errand]
) -> None:
    await desk.custody.run(step(RANDOM, GENERATE, DEDICATED_ALONE), errand())
    await desk.custody.run(step(COMMAND), errand(purpose=Purpose.GENERATE_ADD_CREDIT_COMMAND))
    answer = Open(Use.OPEN_RESPONSE, GUEK, GAK, 0x30, METER, 3, desk_sealed(desk, COMMAND))
    await desk.custody.run(step(answer), errand())
    assert desk.rows == [
        ("Random", "software"),
        ("GenerateKey", "software"),
        ("Seal", "software"),
        ("Seal", "software"),
        ("Open", "hsm"),
    ]
    assert all(entry.sufficient for entry in desk.ledger)
    assert desk.hsm.admitted == []


def desk_sealed(desk: Desk, op: Seal) -> bytes:
    sealed: bytes = desk.hsm.execute(op)
    return sealed


async def test_a_key_goes_up_to_who_is_to_use_it_and_that_is_tagged(
    desk: Desk, errand: Callable[..., Errand]
) -> None:
    """A dedicated key is made in software; with a long-lived AK it is used at Level 3."""
    _, sealed = await desk.custody.run(step(GENERATE, LONG_AK), errand())
    assert desk.rows == [("GenerateKey", "software"), ("Import", "hsm"), ("Seal", "hsm")]
    entry = list(desk.ledger)[1]
    assert (entry.keys, entry.purpose) == ((DEDICATED,), Purpose.TRANSFER_KEY)
    assert (entry.decision.clause, entry.outcome) == ("G2.44(c)(iii)", Outcome.DONE)
    assert sealed == desk_sealed(desk, LONG_AK)
    await desk.custody.run(step(LONG_AK._replace(counter=9)), errand())
    assert desk.hsm.admitted == [DEDICATED]  # once
    await desk.custody.run(step(Discard(Use.ASSOCIATION, DEDICATED)), errand())
    assert not desk.hsm.holds(DEDICATED)
    assert not desk.software.holds(DEDICATED)


async def test_no_key_goes_down(desk: Desk, errand: Callable[..., Errand]) -> None:
    """What was made at Level 3 stays there, and so does what could go to software otherwise."""
    transfer = errand(purpose=Purpose.TRANSFER_KEY)
    await desk.custody.run(step(GenerateKey(Use.TRANSFER_KEY, ROTATED, 16)), transfer)
    command = COMMAND._replace(ek=ROTATED)
    add_credit = errand(purpose=Purpose.GENERATE_ADD_CREDIT_COMMAND)
    await desk.custody.run(step(command), add_credit)
    assert desk.rows == [("GenerateKey", "hsm"), ("Seal", "hsm")]
    assert desk.software.admitted == []
    assert not desk.software.holds(ROTATED)


async def test_keys_go_to_a_module_of_the_same_class(
    spy_module: Any, errand: Callable[..., Errand]
) -> None:
    first, second = (spy_module(KeyRing(), name=name) for name in ("first", "second"))
    for_random = Route(modules=(second,), kinds=frozenset({KeyKind.GUEK}))
    routing = Routing([for_random, Route(modules=(first,))])
    custody = Custody(routing, LETTER, Mode.OBSERVE, Ledger())
    first.admit(GUEK, bytes(16))
    wrap = Wrap(Use.TRANSFER_KEY, DEDICATED._replace(kind=KeyKind.KEK), GUEK)
    first.admit(wrap.kek, bytes(range(16)))
    await custody.run(step(wrap), errand(actor=Actor.DCO))
    assert second.admitted == []
    seal = COMMAND._replace(ak=None, control=0x20)
    await custody.run(step(seal), errand(actor=Actor.DCO))
    assert second.admitted == [GUEK]


async def test_who_knows_no_key_says_so(desk: Desk, errand: Callable[..., Errand]) -> None:
    foreign = COMMAND._replace(ek=GUEK._replace(scope="dco"))
    with pytest.raises(KeyUnavailable):
        await desk.custody.run(step(foreign), errand())
    assert [(entry.module, entry.outcome) for entry in desk.ledger] == [("hsm", Outcome.FAILED)]


# Routes -------------------------------------------------------------------------------------------


async def test_each_party_has_its_module_and_session_keys_have_theirs(
    spy_module: Any, errand: Callable[..., Errand]
) -> None:
    secrets = scope_secrets(FLEET, ["s1sp"])
    software, s1sp, dco = (
        spy_module(KeyRing(secrets), name=name, module_class=module_class)
        for name, module_class in (
            ("software", ModuleClass.G2_45),
            ("s1sp", ModuleClass.LEVEL_3),
            ("dco", ModuleClass.LEVEL_3),
        )
    )
    desk = made(
        software,
        s1sp,
        Route(modules=(dco,), actors=frozenset({Actor.DCO})),
        Route(modules=(software,), lifetimes=frozenset({SINGLE})),
        Route(modules=(s1sp,), actors=frozenset({Actor.S1SP})),
    )
    await desk.custody.run(step(GENERATE, COMMAND, DEDICATED_ALONE), errand())
    await desk.custody.run(step(COMMAND, RANDOM), errand(actor=Actor.DCO))
    assert desk.rows == [
        ("GenerateKey", "software"),
        ("Seal", "s1sp"),
        ("Seal", "software"),
        ("Seal", "dco"),
        ("Random", "dco"),
    ]


async def test_a_route_to_a_weak_module_is_no_way_round_the_policy(
    desk: Desk, errand: Callable[..., Errand]
) -> None:
    weak = made(desk.software, desk.hsm, Route(modules=(desk.software,)))
    with pytest.raises(OperationRefused):
        await weak.custody.run(step(COMMAND), errand())
    assert weak.rows == [("Seal", "software")]
    assert desk.software.ops == []


def test_a_route_leads_to_a_module() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Routing([Route(modules=())])
