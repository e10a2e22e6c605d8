"""The custody at work: whole sessions with real meters, and what the ledger says of them."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from devices.profile import available
from dlms.client.refusals import AssociationRejected
from dlms.security.keys import KeyKind
from dlms.security.ops import OperationRefused
from emulator.custody import OPENSSL, Mode
from emulator.custody import custody as door
from emulator.ledger import Entry, Ledger, Outcome
from emulator.policy import (
    LETTER,
    Actor,
    ModuleClass,
    Purpose,
    Question,
    decide,
    key_uses,
)

NAMES = available()


async def visit(head_end: Any, meter: Any) -> None:
    await head_end.status(meter.address, meter.profile)
    await head_end.top_up(meter.address, meter.profile, Decimal("5.00"))
    await head_end.instruct(meter.address, meter.profile, "arm_supply")


@pytest.mark.parametrize("name", NAMES)
async def test_every_entry_is_what_the_policy_decides(
    name: str, head_end: Any, place: Any, ledger: Ledger
) -> None:
    await visit(head_end, place(name))
    assert len(ledger) > 30
    for number, entry in enumerate(ledger, 1):
        # Destroying a key is no use of it.
        keys = () if entry.operation == "Discard" else key_uses(entry.keys)
        question = Question(
            actor=entry.actor, purpose=entry.purpose, category=entry.category, keys=keys
        )
        assert entry.number == number
        assert entry.decision == decide(question, LETTER)
        assert entry.device == place(name).device.title.hex().upper()
        assert entry.category is not None
        assert entry.category.value == f"Category {place(name).profile.category}"
        assert entry.sufficient is (entry.decision.module_class <= ModuleClass.G2_45)
        assert entry.outcome is Outcome.DONE


@pytest.mark.parametrize("name", NAMES)
async def test_the_ledger_holds_no_key(
    name: str, head_end: Any, place: Any, ledger: Ledger, ring: Any
) -> None:
    await visit(head_end, place(name))
    canaries = ring.canaries()
    # The keys of both associations at least; where there are dedicated keys, those too.
    assert len(canaries) >= 4
    assert any(ref.kind is KeyKind.DEDICATED for ref in ring.ever) is (
        name in ("honeywell_elster", "itron", "landis_gyr")
    )
    text = json.dumps([entry.to_json() for entry in ledger]) + repr(list(ledger))
    for key in canaries:
        for form in (key.hex(), key.hex().upper(), base64.b64encode(key).decode(), repr(key)):
            assert form not in text


@pytest.mark.parametrize("name", NAMES)
async def test_no_dedicated_key_outlives_its_association(
    name: str, head_end: Any, place: Any, ring: Any
) -> None:
    await visit(head_end, place(name))
    assert ring.kept(KeyKind.DEDICATED) == []


@pytest.mark.parametrize("name", NAMES)
async def test_a_level_3_module_does_exactly_what_needs_it(
    name: str, make_head_end: Any, place: Any, ledger: Ledger, ring: Any, spy_module: Any
) -> None:
    software = spy_module(ring)
    hsm = spy_module(ring, name="hsm", module_class=ModuleClass.LEVEL_3, blocks=True)
    await visit(make_head_end(modules=[software, hsm]), place(name))
    work = [entry for entry in ledger if entry.operation != "TLS handshake"]
    for entry in work:
        strict = entry.decision.module_class is ModuleClass.LEVEL_3
        assert entry.module == ("hsm" if strict else "software")
        assert entry.sufficient
    discards = sum(entry.operation == "Discard" for entry in work)
    assert len(software.ops) == sum(entry.module == "software" for entry in work)
    assert len(hsm.ops) == sum(entry.module == "hsm" for entry in work) + discards
    assert {e.module for e in ledger if e.operation == "TLS handshake"} == {OPENSSL.name}
    assert {"software", "hsm"} <= {entry.module for entry in work}


@pytest.mark.parametrize("name", NAMES)
async def test_enforce_never_touches_a_key(
    name: str, make_head_end: Any, place: Any, ledger: Ledger, ring: Any, spy_module: Any
) -> None:
    """The very first thing, TLS, is refused already; nothing reaches the meter."""
    software = spy_module(ring)
    meter = place(name)
    digest = meter.digest
    head_end = make_head_end(modules=[software], mode=Mode.ENFORCE)
    for attempt in (
        head_end.status(meter.address, meter.profile),
        head_end.top_up(meter.address, meter.profile, Decimal("5.00")),
        head_end.instruct(meter.address, meter.profile, "arm_supply"),
    ):
        with pytest.raises(OperationRefused, match="Level 3"):
            await attempt
    # Two requests were signed on their way, with keys that may be in such a module.
    assert {type(op).__name__ for op in software.ops} == {"Sign", "Verify"}
    assert {ref.scope for ref in ring.ever} == {"requests of DCC", "requests of S1SP"}
    refused = [entry for entry in ledger if entry.outcome is not Outcome.DONE]
    assert [entry.operation for entry in refused] == ["TLS handshake"] * 3
    assert all(entry.outcome is Outcome.REFUSED for entry in refused)
    assert meter.digest == digest


# Design, "The rule": classes of a session by protection and key -----------------------------------


def classes(entries: list[Entry]) -> Counter[tuple[str, str, str | None]]:
    """How often each operation was judged under which clause by which key."""
    return Counter(
        (
            entry.operation,
            entry.decision.clause,
            None if entry.decision.deciding_key is None else entry.decision.deciding_key.kind.name,
        )
        for entry in entries
    )


def during(ledger: Ledger, purpose: Purpose) -> list[Entry]:
    return [entry for entry in ledger if entry.purpose is purpose]


async def test_dedicated_key_with_encryption_alone_is_excepted(
    head_end: Any, place: Any, ledger: Ledger
) -> None:
    """0x20: no key but the dedicated one touches a request (Itron)."""
    meter = place("itron")
    await head_end.status(meter.address, meter.profile)
    assert classes(during(ledger, Purpose.GENERATE_INSTRUCTION)) == {
        ("Seal", "G2.44(c)(iii)", "DEDICATED"): 4
    }
    assert classes(during(ledger, Purpose.PROCESS_RESPONSE)) == {
        ("Open", "G2.44(c)(iii)", "DEDICATED"): 4
    }
    assert classes(during(ledger, Purpose.ESTABLISH_ASSOCIATION)) == {
        ("Random", "A1", None): 1,
        ("GenerateKey", "G2.44(c)(iii)", "DEDICATED"): 1,
        # InitiateRequest and RLRQ, InitiateResponse, both f(challenge): long-lived keys.
        ("Seal", "G2.44(c)", "GUEK"): 2,
        ("Open", "G2.44(c)", "GUEK"): 1,
        ("Mac", "G2.44(c)", "GUEK"): 2,
        # Passes 3 and 4 of HLS travel under the dedicated key.
        ("Seal", "G2.44(c)(iii)", "DEDICATED"): 1,
        ("Open", "G2.44(c)(iii)", "DEDICATED"): 1,
        ("Discard", "A1", None): 1,
    }


@pytest.mark.parametrize("name", ["honeywell_elster", "landis_gyr"])
async def test_dedicated_key_with_a_long_lived_authentication_key_is_level_3(
    name: str, head_end: Any, place: Any, ledger: Ledger
) -> None:
    """0x30: the long-lived authentication key decides. In this first association the S1SP hands
    over the key of the next: one more Instruction than the four that read.
    """
    meter = place(name)
    await head_end.status(meter.address, meter.profile)
    assert classes(during(ledger, Purpose.GENERATE_INSTRUCTION)) == {("Seal", "G2.44(c)", "GAK"): 5}
    assert classes(during(ledger, Purpose.PROCESS_RESPONSE)) == {("Open", "G2.44(c)", "GAK"): 5}
    assert classes(during(ledger, Purpose.ESTABLISH_ASSOCIATION)) == {
        ("Random", "A1", None): 1,
        ("GenerateKey", "G2.44(c)(iii)", "DEDICATED"): 1,
        ("Seal", "G2.44(c)", "GUEK"): 2,
        ("Open", "G2.44(c)", "GUEK"): 1,
        ("Mac", "G2.44(c)", "GUEK"): 2,
        ("Seal", "G2.44(c)", "GAK"): 1,
        ("Open", "G2.44(c)", "GAK"): 1,
        ("Discard", "A1", None): 1,
    }


@pytest.mark.parametrize(
    ("name", "clause"), [("aclara", "G2.44(c)"), ("secure", "G2.44(c)(ii)")], ids=["Cat 2", "Cat 1"]
)
async def test_long_lived_keys(
    name: str, clause: str, head_end: Any, place: Any, ledger: Ledger
) -> None:
    """(ii) reaches the Instruction to a Category 1 Device, but not its response."""
    meter = place(name)
    await head_end.status(meter.address, meter.profile)
    assert classes(during(ledger, Purpose.GENERATE_INSTRUCTION)) == {("Seal", clause, "GUEK"): 4}
    assert classes(during(ledger, Purpose.PROCESS_RESPONSE)) == {("Open", "G2.44(c)", "GUEK"): 4}


@pytest.mark.parametrize("name", NAMES)
async def test_add_credit_is_excepted_for_both_categories(
    name: str, head_end: Any, place: Any, ledger: Ledger
) -> None:
    meter = place(name)
    await head_end.top_up(meter.address, meter.profile, Decimal("5.00"))
    ek = "DEDICATED" if meter.profile.associations["s1sp"].dedicated else "GUEK"
    expected = {("Seal", "G2.44(c)(i)", ek): 1}
    if meter.profile.top_up == "token":
        expected["Mac", "G2.44(c)(i)", "TOKEN"] = 1
    assert classes(during(ledger, Purpose.GENERATE_ADD_CREDIT_COMMAND)) == expected
    responses = during(ledger, Purpose.PROCESS_RESPONSE)
    assert len(responses) == 1 + meter.profile.associations["s1sp"].single_key
    assert all(response.decision.clause != "G2.44(c)(i)" for response in responses)


@pytest.mark.parametrize("name", NAMES)
async def test_a_dco_always_needs_level_3(
    name: str, head_end: Any, place: Any, ledger: Ledger
) -> None:
    meter = place(name)
    assert await head_end.instruct(meter.address, meter.profile, "arm_supply") is Actor.DCO
    clauses = Counter((e.actor, e.decision.clause) for e in ledger if e.decision.clause != "A1")
    dedicated = meter.profile.associations["dco"].dedicated
    assert clauses == {
        (Actor.DCO, "G2.44(a)"): 11 + dedicated,
        (Actor.S1SP, "G2.44(b)"): 1,  # the way to the meter is the S1SP's
        (Actor.S1SP, "G2.45"): 1,  # its authorisation
        (Actor.DCC, "G2.45"): 1,  # the countersignature
    }


@pytest.fixture
def refused_meter(place: Callable[[str], Any]) -> Any:
    """A meter that knows another S1SP than ours, and so refuses the association."""
    meter = place("itron")
    meter.device.client_titles["s1sp"] = b"S1P\0\0\0\0\7"
    return meter


async def test_no_dedicated_key_is_left_of_an_association_that_was_refused(
    refused_meter: Any, head_end: Any, ring: Any
) -> None:
    with pytest.raises(AssociationRejected):
        await head_end.status(refused_meter.address, refused_meter.profile)
    assert any(ref.kind is KeyKind.DEDICATED for ref in ring.ever)
    assert ring.kept(KeyKind.DEDICATED) == []


async def test_no_dedicated_key_is_left_if_a_module_refuses_half_way(
    place: Any, make_head_end: Any, ring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enforce mode with TLS out of the way: the key is made, but nothing may carry it."""
    openssl = OPENSSL._replace(module_class=ModuleClass.LEVEL_3)
    monkeypatch.setattr(door, "OPENSSL", openssl)
    meter = place("itron")
    with pytest.raises(OperationRefused, match=r"G2\.44\(c\) "):
        await make_head_end(mode=Mode.ENFORCE).status(meter.address, meter.profile)
    assert any(ref.kind is KeyKind.DEDICATED for ref in ring.ever)
    assert ring.kept(KeyKind.DEDICATED) == []
