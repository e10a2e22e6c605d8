"""The security control octet and the layout of ciphered APDUs (reference 2.7)."""

from __future__ import annotations

import pytest

from dlms.errors import CodecError, LocalProtocolError
from dlms.security import ops
from dlms.security.ciphered import (
    GENERAL_TAGS,
    TAGS,
    Family,
    Form,
    decode_ciphered,
    encode_ciphered,
    is_ciphered,
)
from dlms.security.control import POLICY_V0, Protection, check_control, required_by
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.protect import SecurityContext, Shape, open_ciphered, protect

TITLE = b"MTR\0\0\0\0\1"
GUEK = KeyRef(TITLE, "a", KeyKind.GUEK)


@pytest.mark.parametrize("suite", range(16))
def test_every_control_octet(suite: int) -> None:
    """R-SC-1 to R-SC-5, X_SUITE_DOWNGRADE: only A, E and A+E of the right suite pass."""
    for control in range(256):
        if control in (0x10 | suite, 0x20 | suite, 0x30 | suite):
            assert check_control(control, suite) == Protection(control & 0x30)
        else:
            with pytest.raises(CodecError) as caught:
                check_control(control, suite)
            assert caught.value.field == "security-control"


def test_policies_of_version_0() -> None:
    assert [int(required_by(policy)) for policy in range(4)] == [0x00, 0x10, 0x20, 0x30]
    assert set(POLICY_V0) == {0, 1, 2, 3}
    for policy in (4, 15, -1):
        with pytest.raises(KeyError):
            required_by(policy)


# Plain tag, glo- tag, ded- tag: the reference, 2.5 and 2.7, by hand.
TABLE = """
01 21 -
05 25 45
06 26 46
08 28 -
0C 2C 4C
0D 2D 4D
0E 2E -
16 36 56
18 38 58
C0 C8 D0
C1 C9 D1
C2 CA D2
C3 CB D3
C4 CC D4
C5 CD D5
C7 CF D7
"""


def test_tags() -> None:
    expected = {}
    for row in TABLE.split("\n")[1:-1]:
        plain, glo, ded = row.split()
        expected[int(glo, 16)] = (Family.GLOBAL, int(plain, 16))
        if ded != "-":
            expected[int(ded, 16)] = (Family.DEDICATED, int(plain, 16))
    assert expected == TAGS
    assert GENERAL_TAGS == {0xDB: Family.GLOBAL, 0xDC: Family.DEDICATED}
    assert {tag for tag in range(256) if is_ciphered(tag)} == {*expected, 0xDB, 0xDC}


@pytest.mark.parametrize("tag", TAGS)
def test_service_specific_both_ways(tag: int) -> None:
    family, plain = TAGS[tag]
    octets = encode_ciphered(plain, family, Form.SERVICE, 0x30, 0x01020304, b"body", TITLE)
    assert octets.hex() == f"{tag:02x}093001020304" + b"body".hex()
    ciphered = decode_ciphered(octets)
    assert ciphered.plain_tag == plain
    assert ciphered.title is None
    assert (ciphered.family, ciphered.form) == (family, Form.SERVICE)
    assert (ciphered.control, ciphered.counter, ciphered.body) == (0x30, 0x01020304, b"body")


@pytest.mark.parametrize(("family", "tag"), [(Family.GLOBAL, "db"), (Family.DEDICATED, "dc")])
@pytest.mark.parametrize("title", [TITLE, b""])
def test_general_both_ways(family: Family, tag: str, title: bytes) -> None:
    octets = encode_ciphered(0x0F, family, Form.GENERAL, 0x10, 1, bytes(200), title)
    assert octets.hex().startswith(f"{tag}{len(title):02x}{title.hex()}81cd1000000001")
    ciphered = decode_ciphered(octets)
    assert (ciphered.family, ciphered.title, ciphered.plain_tag) == (family, title, None)
    assert ciphered.body == bytes(200)


@pytest.mark.parametrize("size", range(120, 132))
def test_lengths_about_where_one_octet_ends(size: int) -> None:
    """The size of an APDU with 128 octets could be taken for its first length octet."""
    body = bytes(range(size - 5))
    content = bytes.fromhex("3001020304") + body
    shortest = bytes((size,)) if size < 0x80 else bytes((0x81, size))
    assert encode_ciphered(0xC0, Family.GLOBAL, Form.SERVICE, 0x30, 0x01020304, body, TITLE) == (
        b"\xc8" + shortest + content
    )
    for length in (shortest, bytes((0x81, size)), bytes((0x82, 0, size))):
        ciphered = decode_ciphered(b"\xc8" + length + content)
        assert (ciphered.control, ciphered.counter, ciphered.body) == (0x30, 0x01020304, body)
        with pytest.raises(CodecError):
            decode_ciphered(b"\xc8" + length + content[:-1])


@pytest.mark.parametrize("plain", [0x01, 0x08, 0x0E, 0x0F, 0x60, 0xD8, 0xE0])
def test_no_dedicated_form(plain: int) -> None:
    with pytest.raises(CodecError):
        encode_ciphered(plain, Family.DEDICATED, Form.SERVICE, 0x30, 0, b"", TITLE)


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "C0",
        "C8",
        "C800",
        "C80430000000",
        "C8053000000000" + "00",
        "C806300000000000" + "00",
        "C8063000000000",
        "C88005",
        "DB",
        "DB07" + "00" * 7 + "053000000000",
        "DB09" + "00" * 9 + "053000000000",
        "DB08" + "00" * 7,
        "DB00",
        "DB00053000000000FF",
        "4105" + "3000000000",
        "DD00053000000000",
    ],
)
def test_layouts_that_are_none(octets: str) -> None:
    with pytest.raises(CodecError):
        decode_ciphered(bytes.fromhex(octets))


def context(**changes: object) -> SecurityContext:
    fields: dict[str, object] = {
        "suite": 0,
        "own_title": TITLE,
        "counters": InvocationCounters(),
        "guek": GUEK,
        "gak": None,
        **changes,
    }
    return SecurityContext(**fields)  # type: ignore[arg-type]  # a test's shorthand


def refuse(op: ops.CryptoOp) -> None:
    raise AssertionError(f"asked for {op}")


def test_nothing_is_opened_for_an_unknown_title() -> None:
    """R-AA-6; no operation is asked for, and nothing changes."""
    own = context()
    with pytest.raises(CodecError, match="not known"):
        run(open_ciphered(own, bytes.fromhex("C8053000000000"), ops.Use.OPEN_REQUEST), refuse)
    assert own.counters.floor(GUEK) == 0


def test_a_key_cannot_travel_unencrypted() -> None:
    shape = Shape(Family.GLOBAL, Form.SERVICE, Protection.AUTHENTICATED)
    with pytest.raises(LocalProtocolError):
        run(protect(context(), (b"\x01\x01\x10", GUEK), shape, ops.Use.ASSOCIATION), lambda op: b"")


def test_an_apdu_does_not_begin_with_a_key() -> None:
    shape = Shape(Family.GLOBAL, Form.SERVICE, Protection.BOTH)
    with pytest.raises(LocalProtocolError):
        run(protect(context(), (GUEK, b"\x01"), shape, ops.Use.ASSOCIATION), lambda op: b"")


def test_no_dedicated_key() -> None:
    shape = Shape(Family.DEDICATED, Form.SERVICE, Protection.BOTH)
    own = context()
    with pytest.raises(LocalProtocolError):
        run(protect(own, b"\xc0", shape, ops.Use.PROTECT_REQUEST), refuse)


def test_the_counter_is_burned_before_sealing() -> None:
    """A module that fails has still spent the value."""
    own = context()
    shape = Shape(Family.GLOBAL, Form.SERVICE, Protection.BOTH)

    def fail(op: ops.CryptoOp) -> None:
        raise ops.OperationRefused("no")

    for expected in (1, 2):
        with pytest.raises(ops.OperationRefused):
            run(protect(own, b"\xc0", shape, ops.Use.PROTECT_REQUEST), fail)
        assert own.counters.next_to_send(GUEK) == expected


def test_the_authentication_key_is_named_only_where_it_is_used() -> None:
    gak = KeyRef(TITLE, "a", KeyKind.GAK)
    seen: list[ops.Seal] = []

    def execute(op: ops.Seal) -> bytes:
        seen.append(op)
        return b""

    own = context(gak=gak)
    for protection in (Protection.ENCRYPTED, Protection.AUTHENTICATED, Protection.BOTH):
        shape = Shape(Family.GLOBAL, Form.SERVICE, protection)
        run(protect(own, b"\xc0", shape, ops.Use.PROTECT_REQUEST), execute)  # type: ignore[arg-type]
    assert [op.ak for op in seen] == [None, gak, gak]


def test_keys_of_every_operation() -> None:
    ded = KeyRef(TITLE, "a", KeyKind.DEDICATED)
    use = ops.Use.ASSOCIATION
    assert ops.keys_of(ops.Seal(use, GUEK, None, 0, b"", 0, b"")) == (GUEK,)
    assert ops.keys_of(ops.Seal(use, GUEK, ded, 0, b"", 0, (b"", ded))) == (GUEK, ded, ded)
    assert ops.keys_of(ops.Open(use, GUEK, ded, 0, b"", 0, b"")) == (GUEK, ded)
    assert ops.keys_of(ops.Mac(use, GUEK, None, 0, b"", 0, b"")) == (GUEK,)
    assert ops.keys_of(ops.Wrap(use, GUEK, ded)) == (GUEK, ded)
    assert ops.keys_of(ops.Unwrap(use, GUEK, b"", ded)) == (GUEK, ded)
    assert ops.keys_of(ops.GenerateKey(use, ded, 16)) == (ded,)
    assert ops.keys_of(ops.Discard(use, ded)) == (ded,)
    assert ops.keys_of(ops.Present(use, ded)) == (ded,)
    assert ops.keys_of(ops.Match(use, ded, b"")) == (ded,)
    assert ops.keys_of(ops.Random(use, 8)) == ()


def test_run_throws_failures_into_the_step() -> None:
    def step() -> ops.Step[str]:
        try:
            yield ops.Random(ops.Use.ASSOCIATION, 1)
        except ops.KeyUnavailable:
            second = yield ops.Random(ops.Use.ASSOCIATION, 2)
            return f"survived, {second}"
        return "never"

    def execute(op: ops.CryptoOp) -> str:
        assert isinstance(op, ops.Random)
        if op.length == 1:
            raise ops.KeyUnavailable("none")
        return "two"

    assert run(step(), execute) == "survived, two"


def test_a_key_reference_shows_no_octets_but_names() -> None:
    ref = KeyRef(TITLE, "scope", KeyKind.GAK, version=2)
    assert str(ref) == "4D54520000000001/scope/GAK v2"
    passwords = {KeyKind.LLS_SECRET, KeyKind.HLS_SECRET}
    private = {KeyKind.SIGNING_KEY, KeyKind.AGREEMENT_KEY, KeyKind.TLS_PRIVATE_KEY}
    others = passwords | private | {KeyKind.STORAGE}
    assert {kind for kind in KeyKind if not kind.is_symmetric} == others


def test_a_dedicated_key_is_no_broadcast_key() -> None:
    """R-BC-3: with a broadcast key at home, the Key_Set bit is for global ciphering alone."""
    dedicated = GUEK._replace(kind=KeyKind.DEDICATED)
    broadcast = GUEK._replace(kind=KeyKind.GBEK)
    own = context(dedicated=dedicated, gbek=broadcast, peer_title=TITLE)
    octets = encode_ciphered(0xC0, Family.DEDICATED, Form.SERVICE, 0x70, 0, bytes(20), TITLE)
    with pytest.raises(CodecError) as caught:
        run(open_ciphered(own, octets, ops.Use.OPEN_REQUEST), lambda op: bytes(8))
    assert caught.value.field == "security-control"
