"""Users, secrets and the selections of an object_list (Blue Book 4.4.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from dlms.axdr.data import (
    NULL,
    Data,
    array,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
    visible_string,
)
from dlms.cosem import obis
from dlms.security.keys import KeyKind
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.get import GetRequest

CURRENT = "0-0:40.0.0.255"
REFUSED = ActionResult.OTHER_REASON


@pytest.fixture
def lab(make_bench: Callable[..., Any]) -> Any:
    return make_bench("laboratory")


def user(number: int, name: str) -> Data:
    return structure(unsigned(number), visible_string(name))


INSTALLER, INSPECTOR, AUDITOR = user(1, "installer"), user(2, "inspector"), user(255, "auditor")


def act(lab: Any, number: int, parameter: Data, who: str) -> ActionResult:
    method = MethodDescriptor(15, obis.parse(CURRENT), number)
    return ActionResult(lab.handle(ActionRequest(0, method, parameter), who).result)


def test_the_users_and_who_it_is(lab: Any) -> None:
    assert lab.get(CURRENT, 10, "users") == array(INSTALLER, INSPECTOR)
    assert lab.get(CURRENT, 10, "reader") == array()
    assert lab.get(CURRENT, 11, "users") == user(0, "")
    current = GetRequest(0, AttributeDescriptor(15, obis.parse(CURRENT), 11))
    assert lab.handle(current, "users", user=2).result == INSPECTOR
    assert lab.handle(current, "users", user=9).result == user(9, "")


def test_users_come_and_go(lab: Any) -> None:
    row, revision = lab.association("users"), lab.device.state.security_revision
    before = lab.digest()
    assert act(lab, 5, AUDITOR, "users") is ActionResult.SUCCESS
    assert lab.get(CURRENT, 10, "users") == array(INSTALLER, INSPECTOR, AUDITOR)
    assert lab.device.config(row).users == {1, 2, 255}
    assert act(lab, 6, user(255, "another"), "users") is REFUSED
    assert act(lab, 6, INSTALLER, "users") is ActionResult.SUCCESS
    assert act(lab, 6, INSTALLER, "users") is REFUSED
    assert lab.device.config(row).users == {2, 255}
    assert lab.device.state.security_revision == revision + 2
    assert lab.digest() != before
    assert lab.device.config(lab.association("reader")).users is None
    assert row.users == {1: "installer", 2: "inspector"}  # the profile is shared


def test_where_nobody_is_identified_nobody_is_added(make_bench: Callable[..., Any]) -> None:
    lab = make_bench("laboratory", f'[objects."{CURRENT}"]\nrights.md5 = "r m"\n')
    before = lab.digest()
    assert act(lab, 5, AUDITOR, "md5") is REFUSED
    # The list of objects is as it was built.
    element = lab.value(CURRENT, 2, "md5")[0]
    for method in (3, 4):
        assert act(lab, method, element, "md5") is ActionResult.OBJECT_UNAVAILABLE
    assert lab.digest() == before


def secret_change(lab: Any, secret: bytes, who: str = "sha256", kek: bytes | None = None) -> Data:
    return octet_string(lab.wrapped(who, secret, kek))


def test_a_new_secret_comes_wrapped_by_the_master_key(lab: Any) -> None:
    row = lab.association("sha256")
    new = bytes(range(32))
    assert act(lab, 2, secret_change(lab, new), "sha256") is ActionResult.SUCCESS
    ref = lab.device.keys(row).hls_secret
    assert (ref.kind, ref.version) == (KeyKind.HLS_SECRET, 1)
    assert lab.ring.get(ref) == new
    assert lab.device.state.security_revision == 1
    # Not the same again, and not the one before that.
    assert act(lab, 2, secret_change(lab, new), "sha256") is REFUSED
    assert lab.device.keys(row).hls_secret == ref


@pytest.mark.parametrize("length", [16, 64])
def test_secrets_have_16_to_64_octets(lab: Any, length: int) -> None:
    assert act(lab, 2, secret_change(lab, bytes(range(length))), "sha256") is ActionResult.SUCCESS


def test_a_secret_that_is_not_taken_changes_nothing(make_bench: Callable[..., Any]) -> None:
    rights = f'[objects."{CURRENT}"]\nrights.md5 = "r m2"\nrights.dco = "r m2"\n'
    lab = make_bench("laboratory", rights)
    before = lab.digest()
    new, other = bytes(range(32)), bytes(range(100, 116))
    good = secret_change(lab, new)
    assert isinstance(good.value, bytes)
    former = lab.ring.get(lab.device.keys(lab.association("sha256")).hls_secret)
    for parameter in (
        octet_string(new),
        octet_string(b""),
        octet_string(good.value[:-1] + bytes((good.value[-1] ^ 1,))),
        octet_string(aes_key_wrap(other, new)),
        secret_change(lab, bytes(32)),
        secret_change(lab, bytes(range(72))),
        secret_change(lab, former),
    ):
        assert act(lab, 2, parameter, "sha256") is REFUSED
    # No master key, and no such secret.
    assert act(lab, 2, good, "md5") is REFUSED
    assert act(lab, 2, secret_change(lab, new, "dco"), "dco") is REFUSED
    assert lab.digest() == before


def test_the_secret_is_neither_read_nor_written(make_bench: Callable[..., Any]) -> None:
    lab = make_bench("laboratory", f'[objects."{CURRENT}"]\nrights.dco = "rw"\n')
    assert lab.get(CURRENT, 7) is DataAccessResult.READ_WRITE_DENIED
    assert lab.set(CURRENT, 7, octet_string(b"secret")) is DataAccessResult.READ_WRITE_DENIED
    assert lab.get(CURRENT, 7) is DataAccessResult.READ_WRITE_DENIED


# Selections ---------------------------------------------------------------------------------------


def select(lab: Any, selector: int, parameters: Data, who: str = "dco") -> Any:
    return lab.get(CURRENT, 2, who, selection=SelectiveAccess(selector, parameters))


def test_the_four_selections_of_an_object_list(lab: Any) -> None:
    whole = lab.value(CURRENT, 2)
    short = [structure(*element.value[:3]) for element in whole]
    assert select(lab, 1, NULL) == array(*short)
    clocks = [one for one in short if one.value[0].value in (8, 9)]
    assert len(clocks) == 6
    assert select(lab, 2, array(long_unsigned(9), long_unsigned(8))) == array(*clocks)
    assert select(lab, 2, array(long_unsigned(9999))) == array()
    pick = [whole[3], whole[7]]
    wanted = [structure(one.value[0], one.value[2]) for one in pick]
    assert select(lab, 3, array(*wanted)) == array(*pick)
    assert select(lab, 4, wanted[1]) == pick[1]


def test_selections_that_are_none(lab: Any) -> None:
    unmatched = DataAccessResult.TYPE_UNMATCHED
    violated = DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert select(lab, 1, unsigned(1)) is unmatched
    assert select(lab, 2, long_unsigned(8)) is unmatched
    assert select(lab, 3, array(long_unsigned(8))) is unmatched
    assert select(lab, 4, array()) is unmatched
    for selector in (0, 5, 255):
        assert select(lab, selector, NULL) is violated
    nobody = structure(long_unsigned(8), octet_string(bytes(6)))
    assert select(lab, 4, nobody) is DataAccessResult.OBJECT_UNDEFINED
    assert select(lab, 3, array(nobody)) == array()
    # Not offered to these.
    assert select(lab, 1, NULL, "public") is violated


def test_only_what_the_association_sees_is_selected(lab: Any) -> None:
    setup = structure(long_unsigned(64), octet_string(obis.parse("0-0:43.0.11.255")))
    assert isinstance(select(lab, 4, setup, "dco"), Data)
    assert select(lab, 4, setup, "reader") is DataAccessResult.OBJECT_UNDEFINED
