"""The bounded reader and the lengths."""

from __future__ import annotations

import pytest

from dlms.errors import CodecError, DlmsError, ProtocolError, RemoteProtocolError
from dlms.octets import Reader, encode_length, encode_octet_string


def test_reads_in_order() -> None:
    reader = Reader(bytes.fromhex("01 0203 04050607 00 01 02AABB".replace(" ", "")))
    assert reader.peek("a") == 1
    assert reader.u8("a") == 1
    assert reader.u16("b") == 0x0203
    assert reader.u32("c") == 0x04050607
    assert reader.flag("d") is False
    assert reader.flag("e") is True
    assert reader.octet_string("f") == b"\xaa\xbb"
    assert reader.remaining == 0
    reader.finish("all")


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("u8", ""),
        ("peek", ""),
        ("u16", "01"),
        ("u32", "010203"),
        ("flag", ""),
        ("flag", "02"),
        ("flag", "FF"),
        ("length", ""),
        ("length", "80"),
        ("length", "81"),
        ("length", "8201"),
        ("length", "85" + "00" * 5),
        ("length", "FF" + "00" * 127),
        ("octet_string", "0200"),
        ("octet_string", "84FFFFFFFF00"),
    ],
)
def test_what_is_not_there_is_refused(name: str, octets: str) -> None:
    with pytest.raises(CodecError) as caught:
        getattr(Reader(bytes.fromhex(octets)), name)("the field")
    assert caught.value.field == "the field"
    assert caught.value.offset is not None
    assert "the field" in str(caught.value)
    assert "octet" in str(caught.value)


def test_end_bounds_what_is_behind() -> None:
    reader = Reader(bytes(10), position=2, end=5)
    assert reader.remaining == 3
    with pytest.raises(CodecError) as caught:
        reader.take(4, "field")
    assert caught.value.offset == 2
    assert reader.take(3, "field") == bytes(3)
    with pytest.raises(CodecError):
        reader.u8("field")
    reader.finish("all")


def test_finish_refuses_what_is_left() -> None:
    with pytest.raises(CodecError) as caught:
        Reader(b"\0\0", 1).finish("thing")
    assert caught.value.offset == 1


def test_a_refused_read_consumes_nothing() -> None:
    reader = Reader(b"\x01")
    with pytest.raises(CodecError):
        reader.u16("two")
    assert reader.u8("one") == 1


@pytest.mark.parametrize(
    ("length", "octets"),
    [
        (0, "00"),
        (1, "01"),
        (0x7F, "7F"),
        (0x80, "8180"),
        (0xFF, "81FF"),
        (0x100, "820100"),
        (0xFFFF, "82FFFF"),
        (0x10000, "83010000"),
        (0xFFFFFFFF, "84FFFFFFFF"),
    ],
)
def test_lengths(length: int, octets: str) -> None:
    assert encode_length(length).hex().upper() == octets
    assert Reader(bytes.fromhex(octets)).length("length") == length


@pytest.mark.parametrize("octets", ["8105", "820005", "83000005", "8400000005"])
def test_lengths_that_are_not_minimal_are_read(octets: str) -> None:
    assert Reader(bytes.fromhex(octets)).length("length") == 5


def test_octet_string() -> None:
    assert encode_octet_string(bytes(3)).hex() == "03000000"
    assert encode_octet_string(bytes(200))[:2].hex() == "81c8"


def test_errors_say_where() -> None:
    assert str(CodecError("bad", offset=3, field="x")) == "x: bad at octet 3"
    assert str(CodecError("bad")) == "bad"
    error = RemoteProtocolError("no", reply=b"\x01", reason="why")
    assert (error.reply, error.reason) == (b"\x01", "why")
    assert isinstance(error, ProtocolError)
    assert isinstance(error, DlmsError)


@pytest.mark.parametrize("octets", ["02AABB", "8102AABB", "8400000002AABB"])
def test_octet_string_in_any_form_of_length(octets: str) -> None:
    reader = Reader(bytes.fromhex("FF" + octets + "00"), position=1)
    assert reader.octet_string("field") == b"\xaa\xbb"
    assert reader.remaining == 1


@pytest.mark.parametrize(
    ("end", "offset"), [(1, 1), (2, 2), (3, 2)], ids=["no length", "nothing", "too little"]
)
def test_octet_string_stops_at_the_end_of_the_reader(end: int, offset: int) -> None:
    reader = Reader(bytes.fromhex("FF02AABB"), position=1, end=end)
    with pytest.raises(CodecError) as caught:
        reader.octet_string("field")
    assert caught.value.offset == offset


def test_flag_says_where_it_is_none() -> None:
    with pytest.raises(CodecError) as caught:
        Reader(b"\x00\x02", position=1).flag("field")
    assert caught.value.offset == 1
