"""security_activate of version 1: bits, of requests and of responses (GB Ed. 8, Table 34)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.association.knobs import ResponseProtection
from dlms.axdr.data import enum
from dlms.cosem.security_setup import ByEntity, Entity, Policy, identification_data
from dlms.security.control import Protection
from dlms.security.ops import CertificatePurpose
from dlms.xdlms.codes import ActionResult

SETUP, SCOPE = "0-0:43.0.11.255", "suite1"
BOTH, SIGNED = Protection.BOTH, Protection.SIGNED
PRESENT = 0b0110_1100
SUCCESS, REFUSED = ActionResult.SUCCESS, ActionResult.OTHER_REASON
RELAXED = f"[associations.{SCOPE}]\npolicy = 0\n"
"""The laboratory's association without a policy of its own."""


def activate(meter: Any, value: int, setup: str = SETUP, scope: str = SCOPE) -> ActionResult:
    result = meter.act(setup, 1, enum(value), scope)
    assert isinstance(result, ActionResult)
    return result


def test_the_profile_says_what_it_is_at_first(laboratory: Any) -> None:
    row = laboratory.association(SCOPE)
    assert laboratory.value(SETUP, 2, SCOPE) == PRESENT
    assert laboratory.device.policy(row) == Policy(BOTH, BOTH)
    assert laboratory.device.config(row).response_policy is None


def test_the_whole_table(make_bench: Callable[..., Any]) -> None:
    """KL-KT-32: from every policy to every number; without signatures, which need keys."""
    meter = make_bench("laboratory", RELAXED)
    row = meter.association(SCOPE)
    for present in range(0, 256, 4):
        if Policy.of_bits(present).signs:
            continue
        for wanted in range(256):
            meter.device.state.policies[SCOPE] = Policy.of_bits(present)
            before = meter.digest(), meter.device.state.security_revision
            known = not wanted & 0b1001_0011
            if known and not present & ~wanted:
                assert activate(meter, wanted) is SUCCESS, (present, wanted)
                assert meter.value(SETUP, 2, SCOPE) == wanted
                config = meter.device.config(row)
                assert (config.policy, config.response_policy) == Policy.of_bits(wanted)
                assert meter.device.state.security_revision == before[1] + 1
            else:
                assert activate(meter, wanted) is REFUSED, (present, wanted)
                assert (meter.digest(), meter.device.state.security_revision) == before


def test_the_policy_in_force_may_be_activated_again(laboratory: Any) -> None:
    assert activate(laboratory, PRESENT) is SUCCESS


@pytest.mark.parametrize("bit", [4, 7])
@pytest.mark.parametrize("scope", ["suite1", "suite2"])
def test_signatures_are_demanded_where_both_can_sign(laboratory: Any, bit: int, scope: str) -> None:
    setup = f"0-0:43.0.{laboratory.association(scope).security_setup}.255"
    assert activate(laboratory, PRESENT | 1 << bit, setup, scope) is SUCCESS
    config = laboratory.device.config(laboratory.association(scope))
    assert config.policy == (BOTH | SIGNED if bit == 4 else BOTH)
    assert config.response_policy == (BOTH | SIGNED if bit == 7 else BOTH)


@pytest.mark.parametrize("bit", [4, 7])
@pytest.mark.parametrize("entity", [Entity.SERVER, Entity.CLIENT])
def test_nor_where_one_key_is_missing(laboratory: Any, bit: int, entity: Entity) -> None:
    """KL-KT-33: nobody could use the association again."""
    title = laboratory.device.title
    if entity is Entity.CLIENT:
        title = laboratory.device.client_title(SCOPE)
    named = ByEntity(entity, CertificatePurpose.SIGNATURE, title)
    assert laboratory.act(SETUP, 8, identification_data(named), SCOPE) is SUCCESS
    digest = laboratory.digest()
    assert activate(laboratory, PRESENT | 1 << bit) is REFUSED
    assert laboratory.digest() == digest


@pytest.mark.parametrize("bit", [4, 7])
def test_nor_in_suite_0(make_bench: Callable[..., Any], bit: int) -> None:
    extra = '[objects."0-0:43.0.16.255"]\nclass = "Security setup"\nversion = 1\n'
    meter = make_bench("laboratory", extra + 'rights.graded = "r m"\nassumed = "a test"\n')
    setup = "0-0:43.0.16.255"
    digest = meter.digest()
    assert activate(meter, 1 << bit, setup, "graded") is REFUSED
    assert meter.digest() == digest
    assert activate(meter, PRESENT, setup, "graded") is SUCCESS


def test_nor_any_without_ciphering(make_bench: Callable[..., Any]) -> None:
    extra = (
        '[associations.plain]\nclient_sap = 77\ncontext = "LN"\nmechanism = "HLS_GMAC"\n'
        'conformance = ["GET", "ACTION"]\nmax_pdu_size = 512\nsecurity_setup = 77\n'
        'assumed = "a test"\n[objects."0-0:43.0.77.255"]\nclass = "Security setup"\nversion = 1\n'
        'rights.plain = "r m"\nassumed = "a test"\n'
    )
    meter = make_bench("laboratory", extra)
    assert activate(meter, 1 << 2, "0-0:43.0.77.255", "plain") is REFUSED
    assert activate(meter, 0, "0-0:43.0.77.255", "plain") is SUCCESS


def test_responses_are_protected_as_activated(make_bench: Callable[..., Any]) -> None:
    """Whatever their requests came with, once more is asked of them than of those."""
    meter = make_bench("laboratory", RELAXED + 'knobs = "field"\n')
    row = meter.association(SCOPE)
    assert meter.device.config(row).knobs.response_protection is ResponseProtection.AS_REQUEST
    assert activate(meter, 1 << 3) is SUCCESS
    assert meter.device.config(row).knobs.response_protection is ResponseProtection.AS_REQUEST
    assert activate(meter, 1 << 3 | 1 << 5) is SUCCESS
    knobs = meter.device.config(row).knobs
    assert knobs.response_protection is ResponseProtection.AT_LEAST_REQUEST
