"""dlms-cosem in security suites 1 and 2: the functions that it has for them."""

from __future__ import annotations

from typing import Any

import pytest
from dlms_cosem import security
from dlms_cosem.connection import XDlmsApduFactory

from dlms.security.drive import run
from dlms.security.general_signing import sign_general
from dlms.security.key_choice import KeyChoice
from dlms.security.ops import Mac, Open, Seal, Use, Wrap

APDU = bytes.fromhex("C0010000080000010000FF0200")


def control(ours: Any, *, encrypted: bool = True) -> security.SecurityControlField:
    return security.SecurityControlField(ours.suite, authenticated=True, encrypted=encrypted)


def test_cosem_seals_and_opens_the_same(ours: Any) -> None:
    field = control(ours)
    common = (ours.guek, ours.gak, 0x30 | ours.suite, ours.title, ours.counter)
    sealed = ours(Seal(Use.PROTECT_REQUEST, *common, APDU))
    theirs = security.encrypt(field, ours.title, ours.counter, ours.ek, APDU, ours.ak)
    assert theirs == sealed
    opened = security.decrypt(field, ours.title, ours.counter, ours.ek, sealed, ours.ak)
    assert opened == APDU == ours(Open(Use.OPEN_REQUEST, *common, theirs))


def test_cosem_makes_the_same_gmac(ours: Any) -> None:
    tag = ours(
        Mac(
            Use.ASSOCIATION,
            ours.guek,
            ours.gak,
            0x10 | ours.suite,
            ours.title,
            ours.counter,
            b"challenge",
        )
    )
    field = control(ours, encrypted=False)
    args = (field, ours.title, ours.counter, ours.ek, ours.ak, b"challenge")
    assert security.gmac(*args) == tag


def test_cosem_wraps_keys_the_same(ours: Any) -> None:
    wrapped = security.wrap_key(control(ours), ours.master, ours.ek)
    assert wrapped == ours(Wrap(Use.TRANSFER_KEY, ours.kek, ours.guek))


def test_cosem_has_no_general_ciphering_or_signing(ours: Any) -> None:
    header = ours.context.header(bytes(8))
    signed = run(sign_general(ours.context, APDU, header, Use.PROTECT_REQUEST), ours)
    for octets in (ours.ciphered(APDU, KeyChoice.UNICAST), signed):
        with pytest.raises(KeyError, match="not available"):
            XDlmsApduFactory.apdu_from_bytes(octets)
