"""Rights that ask for protection: what the object_list says is what happens (X_ACL)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.profile import ProfileError
from devices.profile.rights import Access, parse_rights
from dlms.axdr.data import NULL, Data, DataType, integer, octet_string
from dlms.cosem import classes, obis
from dlms.security.control import Protection
from dlms.xdlms.access import AccessAction, AccessGet, AccessRequest
from dlms.xdlms.action import ActionRequest, ActionRequestWithList
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest, GetRequestWithList
from dlms.xdlms.read import ReadRequest
from dlms.xdlms.set import SetRequest
from dlms.xdlms.variable_access import VariableName

NONE, A, E, BOTH = (
    Protection.NONE,
    Protection.AUTHENTICATED,
    Protection.ENCRYPTED,
    Protection.BOTH,
)
S = Protection.SIGNED
PAD, NUMBER = "0-0:96.1.9.255", "0-0:96.1.7.255"
DENIED, VIOLATED = DataAccessResult.READ_WRITE_DENIED, DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


@pytest.fixture
def lab(make_bench: Callable[..., Any]) -> Any:
    return make_bench("laboratory")


def at(code: str, number: int, class_id: int) -> AttributeDescriptor:
    return AttributeDescriptor(class_id, obis.parse(code), number)


RESET = MethodDescriptor(3, obis.parse(NUMBER), 1)


@pytest.mark.parametrize(
    ("word", "bits"),
    [
        ("2r", 1),
        ("2rw", 3),
        ("2r+a", 1 + 4),
        ("2rw+ae", 3 + 4 + 8),
        ("2w+aes", 2 + 4 + 8 + 16),
        ("2r+/a", 1 + 32),
        ("2rw+ae/aes", 3 + 4 + 8 + 32 + 64 + 128),
        ("2r+", 1),
        ("r+a 2w", 2),
        ("2w r+a", 2),
        ("r+a", 5),
    ],
)
def test_words_are_the_bits_of_version_3(word: str, bits: int) -> None:
    """Blue Book 4.4.4: 0 read, 1 write, 2 to 4 of the request, 5 to 7 of the response."""
    assert int(parse_rights(word, classes.CLOCK).attribute(2)) == bits


@pytest.mark.parametrize(
    ("word", "bits"), [("m1", 1), ("m1+a", 5), ("m+a m1+e/s", 1 + 8 + 128), ("m1 m+e", 1)]
)
def test_methods_too(word: str, bits: int) -> None:
    assert int(parse_rights(word, classes.CLOCK).method(1)) == bits


@pytest.mark.parametrize("word", ["r+x", "r+a/", "2-+a", "+a", "r/a", "m1+A"])
def test_words_that_are_none(word: str) -> None:
    with pytest.raises(ValueError, match="access right"):
        parse_rights(word, classes.CLOCK)


@pytest.mark.parametrize(
    ("access", "code"),
    [("2r", 1), ("2w", 2), ("2rw", 3), ("2r+a", 4), ("2w+a", 5), ("2rw+a", 6), ("2-", 0)],
)
def test_codes_of_versions_0_to_2(access: str, code: int) -> None:
    found = parse_rights(access, classes.CLOCK).attribute(2)
    assert found.mode == code
    assert found.simple


@pytest.mark.parametrize("protection", [p | s for p in (NONE, A, E, BOTH) for s in (NONE, S)])
@pytest.mark.parametrize("asked", range(8))
def test_more_protection_is_always_enough_and_less_never(asked: int, protection: int) -> None:
    """R-PROT-1."""
    access = Access(asked << 2 | 1)
    enough = all(
        (
            not access & Access.AUTHENTICATED_REQUEST or protection & A,
            not access & Access.ENCRYPTED_REQUEST or protection & E,
            not access & Access.SIGNED_REQUEST or protection & S,
        )
    )
    assert access.satisfied_by(Protection(protection)) is bool(enough)


@pytest.mark.parametrize("protection", [NONE, A, E, BOTH])
def test_every_pair_of_the_graded_association(lab: Any, protection: Protection) -> None:
    """Every (attribute, method) of the object_list, with each protection (X_ACL)."""
    objects = lab.value("0-0:40.0.0.255", 2, "graded")
    assert len(objects) == 7
    for element in objects:
        class_id, _, instance, rights = (part.value for part in element.value)
        attributes, methods = (part.value for part in rights)
        for part in attributes:
            number, bits, _ = (field.value for field in part.value)
            enough = not (bits >> 2 & 3) << 4 & ~protection
            what = AttributeDescriptor(class_id, instance, number)
            got = lab.handle(GetRequest(0, what), "graded", protection).result
            if not bits & 1:
                assert got is DENIED
            elif enough:
                assert isinstance(got, Data)
            else:
                assert got is VIOLATED
            value = got if isinstance(got, Data) else NULL
            put = lab.handle(SetRequest(0, what, value), "graded", protection).result
            if not bits & 2:
                assert put is DENIED
            elif not enough:
                assert put is VIOLATED
            else:
                assert put not in (DENIED, VIOLATED)
        for part in methods:
            number, bits = (field.value for field in part.value)
            enough = not (bits >> 2 & 3) << 4 & ~protection
            method = MethodDescriptor(class_id, instance, number)
            response = lab.handle(ActionRequest(0, method, integer(0)), "graded", protection)
            wanted = DENIED if not bits & 1 else None if enough else VIOLATED
            if wanted is None:
                assert response.result not in (DENIED, VIOLATED)
            else:
                assert response.result == wanted


def test_too_little_protection_changes_nothing(lab: Any) -> None:
    before = lab.digest()
    for protection in (NONE, A, E):
        new = SetRequest(0, at(PAD, 2, 1), octet_string(b"\1"))
        assert lab.handle(new, "graded", protection).result is VIOLATED
        reset = lab.handle(ActionRequest(0, RESET, integer(0)), "graded", protection)
        assert reset.result == VIOLATED
    assert lab.digest() == before
    assert lab.handle(ActionRequest(0, RESET, integer(0)), "graded", BOTH).result == 0


def test_the_items_of_access_and_of_lists_are_judged_alike(lab: Any) -> None:
    items = (AccessGet(attribute=at(PAD, 2, 1)), AccessAction(method=RESET))
    response = lab.handle(AccessRequest(0, items, (NULL, integer(0))), "graded", A)
    assert [found.result for found in response.results] == [VIOLATED, VIOLATED]
    listed = GetRequestWithList(0, ((at(PAD, 2, 1), None), (at(NUMBER, 2, 3), None)))
    first, second = lab.handle(listed, "graded", A).results
    assert (first, second.type) == (VIOLATED, DataType.DOUBLE_LONG_UNSIGNED)


def test_attribute_0_has_null_for_what_is_not_protected_enough(lab: Any) -> None:
    what = GetRequest(0, at(NUMBER, 0, 3))
    plain, protected = (lab.handle(what, "graded", one).result.value for one in (NONE, A))
    assert (plain[1], plain[2]) == (NULL, protected[2])
    assert protected[1].value == 7


def test_the_response_has_the_protection_that_the_rights_promise(lab: Any) -> None:
    graded = lab.association("graded")

    def promised(request: Any, row: Any = graded) -> Protection:
        return lab.device.response_protection(request, row)

    pad, number = at(PAD, 2, 1), at(NUMBER, 2, 3)
    assert promised(GetRequest(0, pad)) is BOTH
    assert promised(SetRequest(0, pad, NULL)) is BOTH
    assert promised(GetRequest(0, number)) is A
    assert promised(GetRequest(0, at(NUMBER, 3, 3))) is NONE
    assert promised(GetRequest(0, at(NUMBER, 0, 3))) is A
    assert promised(GetRequestWithList(0, ((number, None), (pad, None)))) is BOTH
    assert promised(ActionRequest(0, RESET, None)) is NONE
    assert promised(ActionRequestWithList(0, (RESET,), (None,))) is NONE
    items = (AccessAction(method=RESET), AccessGet(attribute=number))
    assert promised(AccessRequest(0, items, (NULL, NULL))) is A
    assert promised(GetRequest(0, at("0-0:199.0.0.255", 2, 1))) is NONE
    assert promised(GetRequest(0, pad), lab.association("dco")) is NONE
    names = ReadRequest((VariableName(name=0x0108), VariableName(name=0x0001)))
    assert promised(names, lab.association("sn")) is NONE


def test_short_names_promise_too(make_bench: Callable[..., Any]) -> None:
    lab = make_bench("laboratory", f'[objects."{PAD}"]\nrights.sn_ciphered = "r+/a"\n')
    names = ReadRequest((VariableName(name=0x0108),))
    row = lab.association("sn_ciphered")
    assert lab.device.response_protection(names, row) is A


def test_a_version_without_bits_shows_codes(make_bench: Callable[..., Any]) -> None:
    extra = '[objects."0-0:1.0.0.255"]\nrights.reader = "r"\nrights.dco = "2rw+a 3r+a 5w m1+a m3"\n'
    meter = make_bench("secure", extra)
    (clock,) = [
        element.value[3].value
        for element in meter.value("0-0:40.0.0.255", 2)
        if element.value[0].value == 8
    ]
    attributes, methods = (
        {p.value[0].value: p.value[1].value for p in part.value} for part in clock
    )
    assert [attributes[n] for n in range(1, 6)] == [1, 6, 4, 0, 2]
    assert [methods[n] for n in (1, 2, 3)] == [2, 0, 1]
    assert meter.get("0-0:1.0.0.255", 2) is VIOLATED
    with pytest.raises(ProfileError, match="version 1 has no code"):
        make_bench("secure", '[objects."0-0:1.0.0.255"]\nrights.dco = "r 2rw m1+/a"\n')


def test_version_0_shows_booleans(make_bench: Callable[..., Any]) -> None:
    current = '[objects."0-0:40.0.0.255"]\nversion = 0\nrights.dco = "r"\n'
    meter = make_bench("secure", current)
    for element in meter.value("0-0:40.0.0.255", 2):
        for method in element.value[3].value[1].value:
            assert method.value[1].type is DataType.BOOLEAN
    assert meter.get("0-0:40.0.0.255", 9) is DataAccessResult.OBJECT_UNDEFINED
