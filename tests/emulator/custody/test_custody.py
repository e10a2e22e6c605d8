"""The door to cryptography: decide, choose a module, execute, record; refuse before touching."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    Discard,
    GenerateKey,
    KeyUnavailable,
    Mac,
    Open,
    OperationRefused,
    Random,
    Seal,
    Step,
    Unwrap,
    Use,
    VerificationFailed,
    Wrap,
)
from emulator.custody import OPENSSL, Custody, Errand, Mode
from emulator.ledger import Ledger, Outcome
from emulator.policy import (
    BEFORE_LETTER,
    LETTER,
    Actor,
    Category,
    ModuleClass,
    NoRuleError,
    Purpose,
)

METER = b"ITR\x42\0\0\0\1"
GUEK = KeyRef(METER, "s1sp", KeyKind.GUEK)
GAK = KeyRef(METER, "s1sp", KeyKind.GAK)
KEK = KeyRef(METER, "s1sp", KeyKind.KEK)
TLS = KeyRef(b"S1P\0\0\0\0\1", "s1sp", KeyKind.TLS_PRIVATE_KEY)
DEDICATED = KeyRef(METER, "s1sp", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION, 1)

LEVEL_3 = Seal(Use.PROTECT_REQUEST, GUEK, GAK, 0x30, METER, 1, b"\xc0 payload")
"""An Instruction to a Category 2 Device under long-lived keys: G2.44(c)."""

RANDOM = Random(Use.ASSOCIATION, 16)
"""No key: not Cryptographic Processing."""

GENERATE = GenerateKey(Use.ASSOCIATION, DEDICATED, 16)
"""A key for one association with a Category 2 Device: G2.44(c)(iii)."""

BAD = Open(Use.OPEN_RESPONSE, GUEK, GAK, 0x30, METER, 1, bytes(20))


def step(*ops: Any) -> Step[list[Any]]:
    """Ask for each operation in turn; give the results."""
    results = []
    for op in ops:
        results.append((yield op))
    return results


class Desk:
    """Modules on one key ring, a ledger, and the custody between."""

    def __init__(self, modules: list[Any], mode: Mode, edition: Any = LETTER) -> None:
        self.modules = modules
        self.ledger = Ledger()
        self.custody = Custody(modules, edition, mode, self.ledger)

    @property
    def row(self) -> list[tuple[str, str, bool, Outcome]]:
        return [(e.operation, e.module, e.sufficient, e.outcome) for e in self.ledger]


@pytest.fixture
def software(spy_module: Any, ring: Any) -> Any:
    return spy_module(ring)


@pytest.fixture
def hsm(spy_module: Any, ring: Any) -> Any:
    """Says that it is of Level 3, and that it blocks."""
    return spy_module(ring, name="hsm", module_class=ModuleClass.LEVEL_3, blocks=True)


# Modes --------------------------------------------------------------------------------------------


async def test_enforce_refuses_before_any_key_is_touched(
    software: Any, ring: Any, errand: Callable[..., Errand]
) -> None:
    desk = Desk([software], Mode.ENFORCE)
    with pytest.raises(OperationRefused, match=r"G2\.44\(c\) needs FIPS 140-2 Level 3"):
        await desk.custody.run(step(LEVEL_3), errand())
    assert software.ops == []
    assert ring.ever == {}
    assert desk.row == [("Seal", "software", False, Outcome.REFUSED)]


async def test_enforce_carries_out_what_is_allowed(
    software: Any, errand: Callable[..., Errand]
) -> None:
    desk = Desk([software], Mode.ENFORCE)
    nonce, generated = await desk.custody.run(step(RANDOM, GENERATE), errand())
    assert len(nonce) == 16
    assert generated is None
    assert desk.row == [
        ("Random", "software", True, Outcome.DONE),
        ("GenerateKey", "software", True, Outcome.DONE),
    ]


async def test_observe_carries_it_out_and_says_that_it_was_not_enough(
    software: Any, errand: Callable[..., Errand]
) -> None:
    desk = Desk([software], Mode.OBSERVE)
    (sealed,) = await desk.custody.run(step(LEVEL_3), errand())
    assert len(sealed) == len(b"\xc0 payload") + 12
    assert desk.row == [("Seal", "software", False, Outcome.DONE)]


async def test_the_refusal_reaches_the_step(software: Any, errand: Callable[..., Errand]) -> None:
    """A step may have something to put in order before it ends."""

    def careful() -> Step[str]:
        try:
            yield LEVEL_3
        except OperationRefused:
            yield RANDOM
            return "put in order"
        return "done"

    desk = Desk([software], Mode.ENFORCE)
    assert await desk.custody.run(careful(), errand()) == "put in order"
    assert [outcome for *_, outcome in desk.row] == [Outcome.REFUSED, Outcome.DONE]
    assert software.ops == [RANDOM]


# Choosing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["software first", "hsm first"])
@pytest.mark.parametrize("mode", list(Mode))
async def test_the_first_module_that_is_strong_enough_is_taken(
    software: Any, hsm: Any, errand: Callable[..., Errand], mode: Mode, order: str
) -> None:
    modules = [software, hsm] if order == "software first" else [hsm, software]
    weak_work = modules[0].name
    desk = Desk(modules, mode)
    await desk.custody.run(step(RANDOM, GENERATE, LEVEL_3), errand())
    assert desk.row == [
        ("Random", weak_work, True, Outcome.DONE),
        ("GenerateKey", weak_work, True, Outcome.DONE),
        ("Seal", "hsm", True, Outcome.DONE),
    ]
    assert LEVEL_3 in hsm.ops
    assert LEVEL_3 not in software.ops


async def test_where_none_is_strong_enough_the_strongest_observes(
    spy_module: Any, ring: Any, errand: Callable[..., Errand]
) -> None:
    none = spy_module(ring, name="none", module_class=ModuleClass.NONE)
    some = spy_module(ring, name="some", module_class=ModuleClass.G2_45)
    desk = Desk([none, some], Mode.OBSERVE)
    await desk.custody.run(step(LEVEL_3), errand())
    assert desk.row == [("Seal", "some", False, Outcome.DONE)]


async def test_a_failing_strong_module_is_not_replaced_by_a_weaker_one(
    software: Any, hsm: Any, errand: Callable[..., Errand]
) -> None:
    desk = Desk([software, hsm], Mode.ENFORCE)
    with pytest.raises(VerificationFailed):
        await desk.custody.run(step(BAD), errand())
    assert software.ops == []
    assert desk.row == [("Open", "hsm", True, Outcome.FAILED)]


async def test_a_discarded_key_is_gone_from_every_module(
    spy_module: Any, remembering_ring: Any, fleet_secret: bytes, errand: Callable[..., Errand]
) -> None:
    """To discard needs no class, but the key is where it was made."""
    rings = [remembering_ring(fleet_secret), remembering_ring(fleet_secret)]
    weak = spy_module(rings[0])
    strong = spy_module(rings[1], name="hsm", module_class=ModuleClass.LEVEL_3)
    desk = Desk([weak, strong], Mode.ENFORCE)
    dco = errand(actor=Actor.DCO)
    await desk.custody.run(step(GENERATE), dco)
    assert [ring.keeps(DEDICATED) for ring in rings] == [False, True]
    await desk.custody.run(step(Discard(Use.ASSOCIATION, DEDICATED)), dco)
    assert [ring.keeps(DEDICATED) for ring in rings] == [False, False]
    assert [e.operation for e in desk.ledger] == ["GenerateKey", "Discard"]


def test_no_module_at_all() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Custody([], LETTER, Mode.OBSERVE, Ledger())


async def test_the_edition_decides(software: Any, errand: Callable[..., Errand]) -> None:
    """Before the letter there was no exception for a dedicated key."""
    desk = Desk([software], Mode.ENFORCE, BEFORE_LETTER)
    with pytest.raises(OperationRefused):
        await desk.custody.run(step(GENERATE), errand())
    assert software.ops == []


async def test_a_gap_in_an_edition_is_no_permission(
    software: Any, errand: Callable[..., Errand]
) -> None:
    gap = replace(LETTER, name="gap", rules=LETTER.rules[:1])
    desk = Desk([software], Mode.OBSERVE, gap)
    with pytest.raises(NoRuleError):
        await desk.custody.run(step(LEVEL_3), errand())
    assert software.ops == []


# Failing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "failure"),
    [
        (BAD, VerificationFailed),
        (Wrap(Use.TRANSFER_KEY, KEK, GUEK._replace(version=9)), KeyUnavailable),
        (Unwrap(Use.TRANSFER_KEY, KEK, bytes(24), GUEK._replace(version=1)), VerificationFailed),
    ],
    ids=["bad tag", "no such key", "bad wrap"],
)
async def test_a_failure_is_recorded_and_reaches_the_step(
    software: Any, errand: Callable[..., Errand], op: Any, failure: type[Exception]
) -> None:
    caught: list[Exception] = []

    def watching() -> Step[None]:
        try:
            yield op
        except failure as error:
            caught.append(error)
            raise

    desk = Desk([software], Mode.OBSERVE)
    with pytest.raises(failure) as outside:
        await desk.custody.run(watching(), errand())
    assert caught == [outside.value]
    assert [outcome for *_, outcome in desk.row] == [Outcome.FAILED]


async def test_a_crash_of_a_module_is_recorded_and_not_swallowed(
    errand: Callable[..., Errand], software: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(op: Any) -> None:
        raise RuntimeError("driver")

    monkeypatch.setattr(software, "execute", crash)
    desk = Desk([software], Mode.OBSERVE)
    with pytest.raises(RuntimeError, match="driver"):
        await desk.custody.run(step(LEVEL_3), errand())
    assert [outcome for *_, outcome in desk.row] == [Outcome.FAILED]


# Threads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blocks", [True, False])
async def test_a_module_that_blocks_runs_in_another_thread(
    errand: Callable[..., Errand], software: Any, monkeypatch: pytest.MonkeyPatch, blocks: bool
) -> None:
    threads = []
    execute = software.execute

    def watched(op: Any) -> Any:
        threads.append(threading.get_ident())
        return execute(op)

    monkeypatch.setattr(software, "execute", watched)
    software.blocks = blocks
    desk = Desk([software], Mode.OBSERVE)
    await desk.custody.run(step(LEVEL_3, RANDOM), errand())
    assert len(threads) == 2
    assert all((thread != threading.get_ident()) is blocks for thread in threads)


async def test_the_loop_lives_while_a_module_blocks(
    errand: Callable[..., Errand], software: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module waits for something that only the loop can give."""
    loop = asyncio.get_running_loop()
    released = threading.Event()

    def waiting(op: Any) -> bytes:
        loop.call_soon_threadsafe(released.set)
        assert released.wait(30)
        return b"done"

    monkeypatch.setattr(software, "execute", waiting)
    software.blocks = True
    desk = Desk([software], Mode.OBSERVE)
    assert await desk.custody.run(step(LEVEL_3), errand()) == [b"done"]


async def test_a_failure_comes_back_from_the_thread(
    hsm: Any, errand: Callable[..., Errand]
) -> None:
    desk = Desk([hsm], Mode.ENFORCE)
    with pytest.raises(VerificationFailed):
        await desk.custody.run(step(BAD), errand())
    assert desk.row == [("Open", "hsm", True, Outcome.FAILED)]


# What the ledger says -----------------------------------------------------------------------------


async def test_the_entry_is_about_the_errand_and_the_operation(
    software: Any, errand: Callable[..., Errand]
) -> None:
    desk = Desk([software], Mode.OBSERVE)
    mac = Mac(Use.TOKEN, KeyRef(METER, "prepayment", KeyKind.TOKEN), None, 0x10, METER, 1, b"m")
    await desk.custody.run(
        step(mac),
        errand(
            device="the meter",
            category=Category.CATEGORY_1,
            purpose=Purpose.GENERATE_ADD_CREDIT_COMMAND,
        ),
    )
    (entry,) = desk.ledger
    assert entry.number == 1
    assert entry.actor is Actor.S1SP
    assert entry.device == "the meter"
    assert entry.category is Category.CATEGORY_1
    assert entry.operation == "Mac"
    assert entry.purpose is Purpose.GENERATE_ADD_CREDIT_COMMAND
    assert entry.keys == (mac.ek,)
    assert entry.decision.clause == "G2.44(c)(i)"
    assert entry.sufficient


@pytest.mark.parametrize(
    ("use", "purpose"),
    [
        (Use.ASSOCIATION, Purpose.ESTABLISH_ASSOCIATION),
        (Use.OPEN_RESPONSE, Purpose.PROCESS_RESPONSE),
        (Use.TRANSFER_KEY, Purpose.TRANSFER_KEY),
        (Use.PROTECT_REQUEST, Purpose.GENERATE_ADD_CREDIT_COMMAND),
        (Use.TOKEN, Purpose.GENERATE_ADD_CREDIT_COMMAND),
    ],
)
async def test_only_what_goes_into_a_request_is_for_the_errand(
    software: Any, errand: Callable[..., Errand], use: Use, purpose: Purpose
) -> None:
    """Opening the answer to an add-credit Command is not generating one: (i) does not reach it."""
    desk = Desk([software], Mode.OBSERVE)
    op = LEVEL_3._replace(use=use)
    await desk.custody.run(step(op), errand(purpose=Purpose.GENERATE_ADD_CREDIT_COMMAND))
    (entry,) = desk.ledger
    assert entry.purpose is purpose
    excepted = purpose is Purpose.GENERATE_ADD_CREDIT_COMMAND
    assert entry.decision.module_class is (ModuleClass.G2_45 if excepted else ModuleClass.LEVEL_3)


# TLS ----------------------------------------------------------------------------------------------


async def test_tls_needs_level_3_and_observe_says_so(
    software: Any, errand: Callable[..., Errand]
) -> None:
    async def connect() -> str:
        return "connected"

    desk = Desk([software], Mode.OBSERVE)
    assert await desk.custody.establish_tls(TLS, errand(), connect) == "connected"
    (entry,) = desk.ledger
    assert entry.purpose is Purpose.ESTABLISH_TLS
    assert entry.decision.clause == "G2.44(b)"
    assert entry.keys == (TLS,)
    assert desk.row == [("TLS handshake", OPENSSL.name, False, Outcome.DONE)]


@pytest.mark.parametrize("with_hsm", [False, True])
async def test_tls_is_refused_before_anything_is_connected(
    software: Any, hsm: Any, errand: Callable[..., Errand], with_hsm: bool
) -> None:
    """A Level 3 module at hand does not help: OpenSSL in this process holds the key."""

    async def connect() -> None:
        raise AssertionError("connected all the same")

    desk = Desk([software, hsm] if with_hsm else [software], Mode.ENFORCE)
    with pytest.raises(OperationRefused, match=r"G2\.44\(b\)"):
        await desk.custody.establish_tls(TLS, errand(), connect)
    assert desk.row == [("TLS handshake", OPENSSL.name, False, Outcome.REFUSED)]


async def test_a_failed_handshake_is_recorded(software: Any, errand: Callable[..., Errand]) -> None:
    async def connect() -> None:
        raise ConnectionRefusedError("nobody there")

    desk = Desk([software], Mode.OBSERVE)
    with pytest.raises(ConnectionRefusedError):
        await desk.custody.establish_tls(TLS, errand(), connect)
    assert [outcome for *_, outcome in desk.row] == [Outcome.FAILED]
