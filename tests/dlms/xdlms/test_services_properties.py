"""Any value of the services both ways, and any octets into their decoders."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.axdr.data import NULL, Data, DataType, octet_string, structure, unsigned
from dlms.errors import CodecError
from dlms.xdlms import registry
from dlms.xdlms.access import (
    AccessAction,
    AccessGet,
    AccessRequest,
    AccessResponse,
    AccessResult,
    AccessService,
    AccessSet,
)
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.data_notification import DataNotification, DataNotificationConfirm
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.general_block import GeneralBlock
from dlms.xdlms.information_report import InformationReport
from dlms.xdlms.read import BlockTaken, ReadRequest, ReadResponse
from dlms.xdlms.variable_access import (
    BlockNumberAccess,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ShortBlock,
    VariableName,
    WriteDataBlockAccess,
)
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest, WriteResponse

OCTET = st.integers(0, 0xFF)
U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFFFFFF)
TIME = st.binary(min_size=12, max_size=12)
DATE_TIME = st.one_of(st.just(b""), TIME)
SIMPLE = st.one_of(
    st.just(NULL),
    OCTET.map(unsigned),
    st.binary(max_size=8).map(octet_string),
    U32.map(lambda number: Data(DataType.DOUBLE_LONG_UNSIGNED, number)),
)
DATA = st.one_of(SIMPLE, st.lists(SIMPLE, max_size=3).map(lambda parts: structure(*parts)))
INSTANCE = st.binary(min_size=6, max_size=6)
ATTRIBUTE = st.builds(AttributeDescriptor, U16, INSTANCE, OCTET)
METHOD = st.builds(MethodDescriptor, U16, INSTANCE, OCTET)
SELECTION = st.one_of(st.none(), st.builds(SelectiveAccess, OCTET, DATA))
ITEM: st.SearchStrategy[Any] = st.one_of(
    st.builds(AccessGet, attribute=ATTRIBUTE, selection=SELECTION),
    st.builds(AccessSet, attribute=ATTRIBUTE, selection=SELECTION),
    st.builds(AccessAction, method=METHOD),
)
RESULT = st.one_of(
    st.builds(
        AccessResult,
        st.sampled_from((AccessService.GET, AccessService.SET)),
        st.sampled_from(DataAccessResult),
    ),
    st.builds(AccessResult, st.just(AccessService.ACTION), st.sampled_from(ActionResult)),
)
BLOCK = st.builds(ShortBlock, st.booleans(), U16, st.binary(max_size=20))
NAMED: st.SearchStrategy[Any] = st.one_of(
    st.builds(VariableName, name=U16),
    st.builds(ParameterizedAccess, name=U16, selector=OCTET, parameter=DATA),
)
READ = st.one_of(
    NAMED,
    st.builds(BlockNumberAccess, number=U16),
    st.builds(ReadDataBlockAccess, block=BLOCK),
)
WRITE = st.one_of(NAMED, st.builds(WriteDataBlockAccess, last=st.booleans(), number=U16))
TAKEN = st.builds(BlockTaken, number=U16)


def listed(item: st.SearchStrategy[Any], *others: st.SearchStrategy[Any]) -> Any:
    """As many of each."""
    return st.lists(st.tuples(item, *others), max_size=4).map(
        lambda rows: tuple(zip(*rows, strict=True)) if rows else ((),) * (1 + len(others))
    )


APDU: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        lambda invoke, lists, when: AccessRequest(invoke, *lists, when),
        U32,
        listed(ITEM, DATA),
        DATE_TIME,
    ),
    st.builds(
        lambda invoke, lists, echo, when: AccessResponse(
            invoke, lists[1], lists[2], lists[0] if echo else None, when
        ),
        U32,
        listed(ITEM, DATA, RESULT),
        st.booleans(),
        DATE_TIME,
    ),
    st.builds(DataNotification, U32, DATA, DATE_TIME),
    st.builds(DataNotificationConfirm, U32, DATE_TIME),
    st.builds(EventNotification, ATTRIBUTE, DATA, st.one_of(st.none(), TIME)),
    st.builds(
        lambda lists, when: InformationReport(*lists, when),
        listed(st.builds(VariableName, name=U16), DATA),
        st.one_of(st.none(), st.binary(max_size=32)),
    ),
    listed(READ).map(lambda lists: ReadRequest(*lists)),
    listed(st.one_of(DATA, st.sampled_from(DataAccessResult), BLOCK, TAKEN)).map(
        lambda lists: ReadResponse(*lists)
    ),
    listed(WRITE, DATA).map(lambda lists: WriteRequest(*lists)),
    listed(st.one_of(st.sampled_from(DataAccessResult), TAKEN)).map(
        lambda lists: WriteResponse(*lists)
    ),
    listed(NAMED, DATA).map(lambda lists: UnconfirmedWriteRequest(*lists)),
    st.builds(
        GeneralBlock,
        st.booleans(),
        st.booleans(),
        st.integers(0, 63),
        U16,
        U16,
        st.binary(max_size=200),
    ),
)
TAGS = (0x05, 0x06, 0x0C, 0x0D, 0x0F, 0x10, 0x16, 0x18, 0xC2, 0xD9, 0xDA, 0xE0)


def read_or_refused(octets: bytes) -> None:
    """Whatever is read survives its own encoding; whatever is refused has its place."""
    try:
        apdu = registry.decode(octets)
    except CodecError as error:
        where = error.offset
    else:
        encoded = apdu.encode()
        assert registry.decode(encoded).encode() == encoded
        return
    assert where is not None
    assert 0 <= where <= len(octets)


@settings(max_examples=300)
@given(APDU)
def test_both_ways(apdu: Any) -> None:
    octets = apdu.encode()
    decoded = registry.decode(octets)
    assert decoded == apdu
    assert type(decoded) is type(apdu)
    assert decoded.encode() == octets


@settings(max_examples=100)
@given(APDU)
def test_cut_anywhere_or_too_long(apdu: Any) -> None:
    octets = apdu.encode()
    for cut in range(len(octets)):
        try:
            registry.decode(octets[:cut])
        except CodecError:
            continue
        raise AssertionError(f"cut to {cut} octets it is read")
    read_or_refused(octets + b"\0")


@settings(max_examples=60)
@given(APDU, OCTET)
def test_every_octet_changed(apdu: Any, octet: int) -> None:
    octets = apdu.encode()
    for position in range(len(octets)):
        read_or_refused(octets[:position] + bytes((octet,)) + octets[position + 1 :])


@settings(max_examples=300)
@given(st.sampled_from(TAGS), st.binary(max_size=60))
def test_any_octets(tag: int, octets: bytes) -> None:
    read_or_refused(bytes((tag,)) + octets)
