"""Application contexts and mechanisms against the reference's tables of names."""

from __future__ import annotations

import pytest

from dlms.acse import Referencing
from dlms.acse.names import ApplicationContext, Mechanism


@pytest.mark.parametrize(
    ("context", "oid", "ciphered", "referencing"),
    [
        (ApplicationContext.LN, "60857405080101", False, Referencing.LOGICAL_NAME),
        (ApplicationContext.SN, "60857405080102", False, Referencing.SHORT_NAME),
        (ApplicationContext.LN_CIPHERED, "60857405080103", True, Referencing.LOGICAL_NAME),
        (ApplicationContext.SN_CIPHERED, "60857405080104", True, Referencing.SHORT_NAME),
    ],
)
def test_contexts(
    context: ApplicationContext, oid: str, ciphered: bool, referencing: Referencing
) -> None:
    assert context.oid == bytes.fromhex(oid)
    assert ApplicationContext.from_oid(bytes.fromhex(oid)) is context
    assert context.ciphered is ciphered
    assert context.referencing is referencing


def test_mechanisms() -> None:
    names = ["NONE", "LLS", "HLS", "HLS_MD5", "HLS_SHA1", "HLS_GMAC", "HLS_SHA256", "HLS_ECDSA"]
    assert [mechanism.name for mechanism in Mechanism] == names
    for number, name in enumerate(names):
        oid = bytes.fromhex(f"608574050802{number:02X}")
        assert Mechanism.from_oid(oid) is Mechanism[name]
        assert Mechanism[name].oid == oid
        assert Mechanism[name].is_hls is (number >= 2)


@pytest.mark.parametrize(
    "oid", ["", "60857405080100", "60857405080105", "60857405080208", "608574050801", "2A"]
)
def test_names_that_are_neither(oid: str) -> None:
    assert ApplicationContext.from_oid(bytes.fromhex(oid)) is None
    assert Mechanism.from_oid(bytes.fromhex(oid)) is None


def test_the_two_families_do_not_mix() -> None:
    assert all(Mechanism.from_oid(context.oid) is None for context in ApplicationContext)
    assert all(ApplicationContext.from_oid(mechanism.oid) is None for mechanism in Mechanism)
