"""X_SUITE1: certificates and key pairs are left as they were, or are known from then on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from devices.objects.security_setup import global_keys
from dlms.cosem.security_setup import Entity
from dlms.security.ops import CertificatePurpose
from emulator.conformance.running.result import Verdict
from emulator.conformance.running.runner import Runner

GOOD = {Verdict.PASSED}
SETUPS = ("suite1", "suite2")


def certificates(device: Any) -> dict[str, Any]:
    """Those that the meter holds, by Security setup, in no order."""
    held = device.meter.device.state.certificates
    return {name: frozenset(one.certificate for one in held[name]) for name in SETUPS}


async def test_imports_are_taken_back(bench: Callable[..., Any]) -> None:
    async with bench("laboratory") as device:
        target = device.runner.target
        before, keys = certificates(device), target.keys("suite1")
        cases = await device.verdicts("X_SUITE1_IMPORT_P", "X_SUITE1_IMPORT_N")
        assert {case.verdict for case in cases.values()} == GOOD
        assert certificates(device) == before
        assert target.keys("suite1") == keys
        assert not target.changed


async def test_an_import_that_should_have_been_refused_is_taken_back(
    bench: Callable[..., Any],
) -> None:
    async with bench("laboratory") as device:
        before = certificates(device)
        fault = device.meter.faults.set("careless", {"how": "any-date"})
        failed = (await device.verdicts("X_SUITE1_IMPORT_N"))["X_SUITE1_IMPORT_N"]
        fault.end()
        assert failed.verdict is Verdict.FAILED
        assert certificates(device) == before


async def test_what_is_removed_is_certified_anew(bench: Callable[..., Any]) -> None:
    async with bench("laboratory") as device:
        target = device.runner.target
        before = target.keys("suite1").peer_agreement_public
        cases = await device.verdicts("X_SUITE1_REMOVE", "X_SUITE1_GENCIPH_KEYS")
        assert {case.verdict for case in cases.values()} == GOOD
        now = target.keys("suite1").peer_agreement_public
        assert now not in (None, before)
        agreement = CertificatePurpose.KEY_AGREEMENT
        held = device.meter.device.certificate("suite1", Entity.SERVER, agreement)
        assert held is not None
        assert held.facts.public == now
        assert target.changed == {"suite1"}


@pytest.mark.parametrize("id", ["X_SUITE1_IMPORT_P", "X_SUITE1_IMPORT_N", "X_SUITE1_REMOVE"])
@pytest.mark.parametrize("settings", [{}, {"certificates.issuer": "no.pem"}, "other suite"])
async def test_without_an_authority_nothing_is_done(
    id: str, settings: Any, bench: Callable[..., Any]
) -> None:
    async with bench("laboratory") as device:
        target = device.runner.target
        if settings == "other suite":
            known = target.declaration.settings
            settings = {
                f"certificates.{what}": known[f"certificates.{what}.2"]
                for what in ("issuer", "key")
            }
        target.declaration = replace(target.declaration, settings=settings)
        before = certificates(device)
        case = (await device.verdicts(id))[id]
        assert case.verdict is Verdict.INCONCLUSIVE
        assert "authority" in " ".join(case.reasons)
        assert certificates(device) == before


@pytest.mark.parametrize("forgetful", [False, True])
async def test_agreed_keys_do_not_go_with_the_run(
    forgetful: bool, bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A meter that takes the first keys again has them; another has keys that can be derived, so
    that a second run with what was kept passes.
    """
    if forgetful:
        monkeypatch.setattr(global_keys, "former", lambda call, wanted=(): ())
    ids = ("X_SUITE1_KEYAGREE_P", "X_SUITE1_KEYAGREE_N", "X_SUITE1_GENCIPH_KEYS")
    async with bench("laboratory") as device:
        target = device.runner.target
        before = target.keys("suite1")
        cases = await device.verdicts(*ids)
        assert {case.verdict for case in cases.values()} == GOOD
        assert (target.keys("suite1") == before) is forgetful
        assert target.changed == (set() if forgetful else {"suite1", "suite2"})
        derived = [e.text for e in cases[ids[0]].record if "are derived of" in e.text]
        assert len(derived) == (0 if forgetful else len(SETUPS))


async def test_keys_that_are_not_at_hand(bench: Callable[..., Any]) -> None:
    async with bench("laboratory") as device:
        target = device.runner.target
        for name in ("suite1", "suite2", "ecdsa1", "ecdsa2"):
            target.replace_keys(name, signing_key=None)
        case = (await device.verdicts("X_SUITE1_KEYAGREE_P"))["X_SUITE1_KEYAGREE_P"]
        assert case.verdict is Verdict.INCONCLUSIVE
        assert "signature keys" in case.reasons[0]


async def test_data_protection(bench: Callable[..., Any]) -> None:
    id = "X_DATAPROT_PARAMETERS"
    async with bench("laboratory") as device:
        assert (await device.verdicts(id))[id].verdict is Verdict.PASSED
    async with bench("aclara", features={"data-protection": 1}) as device:
        assert isinstance(device.runner, Runner)
        case = (await device.verdicts(id))[id]
        assert case.verdict is Verdict.INCONCLUSIVE
        assert "no association has a Data protection object" in case.reasons[0]
