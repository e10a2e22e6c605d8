"""Encoding and decoding are inverse; no octets do more than be refused; cuts never matter."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.axdr import CompactArray, CosemDateTime, Data, DataType, TypeDescription, decode, encode
from dlms.axdr.decoding import VALUES_PER_OCTET
from dlms.errors import CodecError, RemoteProtocolError
from dlms.framing import Wpdu, WrapperReceiver
from dlms.security.ciphered import TAGS, Family, Form, decode_ciphered, encode_ciphered
from dlms.xdlms import registry
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import (
    ActionResult,
    DataAccessResult,
    ErrorClass,
    ErrorService,
    ServiceErrorCode,
    StateError,
)
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse, lift_dedicated_key
from dlms.xdlms.set import SetRequest, SetResponse

T = DataType


def signed(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def unsigned(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


VALUES: dict[DataType, st.SearchStrategy[Any]] = {
    T.NULL_DATA: st.none(),
    T.DONT_CARE: st.none(),
    T.BOOLEAN: st.booleans(),
    T.BIT_STRING: st.text("01", max_size=40),
    T.OCTET_STRING: st.binary(max_size=200),
    T.VISIBLE_STRING: st.text(st.characters(max_codepoint=255), max_size=40),
    T.UTF8_STRING: st.text(max_size=40),
    T.DATE_TIME: st.binary(min_size=12, max_size=12),
    T.DATE: st.binary(min_size=5, max_size=5),
    T.TIME: st.binary(min_size=4, max_size=4),
    T.FLOAT32: st.floats(width=32, allow_nan=False),
    T.FLOAT64: st.floats(allow_nan=False),
    T.INTEGER: signed(8),
    T.BCD: signed(8),
    T.LONG: signed(16),
    T.DOUBLE_LONG: signed(32),
    T.LONG64: signed(64),
    T.UNSIGNED: unsigned(8),
    T.ENUM: unsigned(8),
    T.LONG_UNSIGNED: unsigned(16),
    T.DOUBLE_LONG_UNSIGNED: unsigned(32),
    T.LONG64_UNSIGNED: unsigned(64),
    T.DELTA_INTEGER: signed(8),
    T.DELTA_LONG: signed(16),
    T.DELTA_DOUBLE_LONG: signed(32),
    T.DELTA_UNSIGNED: unsigned(8),
    T.DELTA_LONG_UNSIGNED: unsigned(16),
    T.DELTA_DOUBLE_LONG_UNSIGNED: unsigned(32),
}
SIMPLE = st.sampled_from(sorted(VALUES)).flatmap(
    lambda kind: VALUES[kind].map(lambda value: Data(kind, value))
)


def described(description: TypeDescription) -> st.SearchStrategy[Data]:
    """A value of the described type."""
    kind = description.type
    if kind is T.ARRAY:
        return st.tuples(*(described(description.fields[0]) for _ in range(description.size))).map(
            lambda elements: Data(kind, elements)
        )
    if kind is T.STRUCTURE:
        return st.tuples(*(described(field) for field in description.fields)).map(
            lambda elements: Data(kind, elements)
        )
    return VALUES[kind].map(lambda value: Data(kind, value))


DESCRIPTIONS = st.recursive(
    st.sampled_from(sorted(VALUES)).map(TypeDescription),
    lambda inner: st.one_of(
        st.builds(
            lambda size, field: TypeDescription(T.ARRAY, size, (field,)), st.integers(0, 3), inner
        ),
        st.lists(inner, max_size=3).map(
            lambda fields: TypeDescription(T.STRUCTURE, len(fields), tuple(fields))
        ),
    ),
    max_leaves=5,
)


def values_in(description: TypeDescription) -> int:
    """How many values one element of the description is, all told."""
    if description.type is T.ARRAY:
        return 1 + description.size * values_in(description.fields[0])
    return 1 + sum(values_in(field) for field in description.fields)


# An UNSIGNED first makes sure that an element costs an octet, and the filter that it is not more
# values than that octet pays for: what is beyond is refused.
COMPACT = (
    DESCRIPTIONS.filter(lambda field: values_in(field) <= VALUES_PER_OCTET - 2)
    .map(lambda field: TypeDescription(T.STRUCTURE, 2, (TypeDescription(T.UNSIGNED), field)))
    .flatmap(
        lambda description: st.lists(described(description), max_size=4).map(
            lambda elements: Data(T.COMPACT_ARRAY, CompactArray(description, tuple(elements)))
        )
    )
)
DATA = st.recursive(
    SIMPLE | COMPACT,
    lambda inner: st.builds(
        Data, st.sampled_from([T.ARRAY, T.STRUCTURE]), st.lists(inner, max_size=5).map(tuple)
    ),
    max_leaves=20,
)

OCTET = unsigned(8)
ATTRIBUTE = st.builds(AttributeDescriptor, unsigned(16), st.binary(min_size=6, max_size=6), OCTET)
METHOD = st.builds(MethodDescriptor, unsigned(16), st.binary(min_size=6, max_size=6), OCTET)
SELECTION = st.none() | st.builds(SelectiveAccess, OCTET, DATA)
ACCESS = st.sampled_from(DataAccessResult)
CONFORMANCE = unsigned(24).map(Conformance)
APDU = st.one_of(
    st.builds(GetRequest, OCTET, ATTRIBUTE, SELECTION),
    st.builds(GetResponse, OCTET, DATA | ACCESS),
    st.builds(SetRequest, OCTET, ATTRIBUTE, DATA, SELECTION),
    st.builds(SetResponse, OCTET, ACCESS),
    st.builds(ActionRequest, OCTET, METHOD, st.none() | DATA),
    st.builds(ActionResponse, OCTET, st.sampled_from(ActionResult), st.none() | DATA | ACCESS),
    st.builds(
        InitiateRequest,
        conformance=CONFORMANCE,
        client_max_receive_pdu_size=unsigned(16),
        dedicated_key=st.none() | st.binary(max_size=32),
        response_allowed=st.booleans(),
        quality_of_service=st.none() | OCTET,
        dlms_version=OCTET,
    ),
    st.builds(
        InitiateResponse,
        conformance=CONFORMANCE,
        server_max_receive_pdu_size=unsigned(16),
        vaa_name=unsigned(16),
        quality_of_service=st.none() | OCTET,
        dlms_version=OCTET,
    ),
    st.builds(
        ConfirmedServiceError,
        service=st.sampled_from(ErrorService),
        error_class=st.sampled_from(ErrorClass),
        value=OCTET,
    ),
    st.builds(
        ExceptionResponse,
        state_error=st.sampled_from(StateError),
        service_error=st.sampled_from(
            [c for c in ServiceErrorCode if c is not ServiceErrorCode.INVOCATION_COUNTER_ERROR]
        ),
    ),
    st.builds(
        ExceptionResponse,
        state_error=st.sampled_from(StateError),
        service_error=st.just(ServiceErrorCode.INVOCATION_COUNTER_ERROR),
        invocation_counter=unsigned(32),
    ),
)


@given(DATA)
def test_data_round_trip(data: Data) -> None:
    octets = encode(data)
    assert decode(octets) == data
    assert encode(decode(octets)) == octets


@given(COMPACT)
def test_compact_array_round_trip(data: Data) -> None:
    assert isinstance(data.value, CompactArray)
    octets = encode(data)
    assert decode(octets) == data
    assert octets[1:5].hex().startswith("020211")  # structure of two, unsigned first


@given(APDU)
def test_apdu_round_trip(apdu: Any) -> None:
    octets = apdu.encode()
    decoded = registry.decode(octets)
    assert decoded == apdu
    assert type(decoded) is type(apdu)
    assert decoded.encode() == octets


@given(APDU, st.data())
def test_a_changed_octet_is_read_or_refused(apdu: Any, data: st.DataObject) -> None:
    octets = bytearray(apdu.encode())
    position = data.draw(st.integers(0, len(octets) - 1))
    octets[position] = data.draw(OCTET)
    stable(registry.decode, bytes(octets))


def stable(decoder: Callable[[bytes], Any], octets: bytes) -> None:
    """Refused with a position inside; or read, and what was read survives its own encoding."""
    try:
        value = decoder(octets)
    except CodecError as error:
        where = error.offset
    else:
        encoded = encode(value) if isinstance(value, Data) else value.encode()
        again = decoder(encoded)
        # Not "== value": a NaN is unequal to itself. What is encoded from it is comparable.
        assert (encode(again) if isinstance(again, Data) else again.encode()) == encoded
        return
    assert where is None or 0 <= where <= len(octets)


@given(st.sampled_from(sorted(registry.BY_TAG)), st.binary(max_size=80))
def test_any_octets_into_the_registry(tag: int, octets: bytes) -> None:
    stable(registry.decode, octets)
    stable(registry.decode, bytes((tag,)) + octets)
    stable(registry.decode, bytes((tag, 1, 0x41)) + octets)


@settings(max_examples=300)
@given(st.sampled_from(sorted(DataType)), st.binary(max_size=80))
def test_any_octets_into_data(tag: int, octets: bytes) -> None:
    stable(decode, octets)
    stable(decode, bytes((tag,)) + octets)
    stable(decode, bytes((tag, len(octets))) + octets)


@given(st.binary(max_size=40))
def test_any_octets_into_date_time(octets: bytes) -> None:
    for candidate in (octets, octets.ljust(12, b"\0")[:12], octets.ljust(12, b"\xff")[:12]):
        try:
            value = CosemDateTime.from_octets(candidate)
        except CodecError:
            continue
        assert value.to_octets() == candidate
        assert str(value)


@given(st.binary(max_size=60))
def test_any_octets_into_lift(octets: bytes) -> None:
    for candidate in (octets, b"\x01\x01" + octets):
        key, rest = lift_dedicated_key(candidate)
        assert len(rest) == len(candidate)
        if key is None:
            assert rest == candidate


@given(
    st.sampled_from(sorted(TAGS)),
    st.sampled_from([Form.SERVICE, Form.GENERAL]),
    OCTET,
    unsigned(32),
    st.binary(max_size=300),
    st.sampled_from([b"", b"MTR\0\0\0\0\1"]),
)
def test_ciphered_round_trip(
    tag: int, form: Form, control: int, counter: int, body: bytes, title: bytes
) -> None:
    family, plain = TAGS[tag]
    octets = encode_ciphered(plain, family, form, control, counter, body, title)
    ciphered = decode_ciphered(octets)
    assert (ciphered.family, ciphered.form) == (family, form)
    assert (ciphered.control, ciphered.counter, ciphered.body) == (control, counter, body)
    assert ciphered.title == (title if form is Form.GENERAL else None)


@given(st.sampled_from([*sorted(TAGS), 0xDB, 0xDC]), st.binary(max_size=60))
def test_any_octets_into_ciphered(tag: int, octets: bytes) -> None:
    for candidate in (octets, bytes((tag,)) + octets, bytes((tag, len(octets))) + octets):
        try:
            ciphered = decode_ciphered(candidate)
        except CodecError:
            continue
        assert candidate.endswith(ciphered.body)
        assert ciphered.family in Family


WPDUS = st.lists(st.builds(Wpdu, unsigned(16), unsigned(16), st.binary(max_size=60)), max_size=6)


def feed(chunks: list[bytes]) -> list[Wpdu]:
    receiver = WrapperReceiver()
    found = []
    for chunk in chunks:
        receiver.receive(chunk)
        while (wpdu := receiver.next_wpdu()) is not None:
            found.append(wpdu)
    return found


@given(WPDUS, st.data())
def test_cutting_the_stream_never_matters(wpdus: list[Wpdu], data: st.DataObject) -> None:
    stream = b"".join(wpdu.encode() for wpdu in wpdus)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    edges = [0, *cuts, len(stream)]
    chunks = [stream[a:b] for a, b in pairwise(edges)]
    assert feed(chunks) == [wpdu for wpdu in wpdus if wpdu.apdu]


@given(st.binary(max_size=80), st.booleans(), st.integers(1, 9))
def test_any_octets_into_the_wrapper(octets: bytes, versioned: bool, step: int) -> None:
    """WPDUs or a lost stream: the same by chunks and at once."""
    stream = b"\0\1" + octets if versioned else octets

    def outcome(chunks: list[bytes]) -> tuple[list[Wpdu], str]:
        receiver = WrapperReceiver(max_apdu=1000)
        found: list[Wpdu] = []
        try:
            for chunk in chunks:
                receiver.receive(chunk)
                while (wpdu := receiver.next_wpdu()) is not None:
                    found.append(wpdu)
        except RemoteProtocolError as error:
            return found, error.reason
        return found, ""

    chunks = [stream[at : at + step] for at in range(0, len(stream), step)]
    assert outcome(chunks) == outcome([stream])
