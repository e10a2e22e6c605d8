"""The format of images: what is made is read, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.image import (
    FORMAT,
    MAGIC,
    Image,
    ImageFormatError,
    Seal,
    Target,
    is_sealed,
    is_whole,
    make_image,
    read_image,
)
from dlms.security.drive import run
from dlms.security.ops import CryptoOp, KeyUnavailable, Mac

TARGET = Target("EHL", "Liberty 100", "1")
SEALS = list(Seal)


@pytest.fixture
def made(make_bench: Callable[..., Any]) -> Callable[..., bytes]:
    bench = make_bench()

    def make(
        body: bytes = b"body", kind: Seal = Seal.SIGNATURE, version: str = "2.0", **other: Any
    ) -> bytes:
        target = TARGET._replace(**other)
        return run(make_image(target, version, body, kind), bench.module.execute)

    return make


def good(bench: Any, image: Image) -> bool:
    return is_whole(image) and run(is_sealed(image), bench.module.execute)


@pytest.mark.parametrize("kind", SEALS)
def test_there_and_back(made: Callable[..., bytes], bench: Any, kind: Seal) -> None:
    image = read_image(made(b"\0\1\2", kind, "3.14"))
    assert image.target == TARGET
    assert (image.version, image.body, image.kind) == ("3.14", b"\0\1\2", kind)
    assert len(image.seal) == {Seal.SIGNATURE: 64, Seal.GMAC: 12}[kind]
    assert good(bench, image)


def test_octet_by_octet(made: Callable[..., bytes]) -> None:
    octets = made(b"xyz")
    head = bytes.fromhex("434C4649 01 01 45484C 0B 4C69626572747920313030 01 31 03 322E30")
    assert octets.startswith(head + bytes.fromhex("00000003") + b"xyz")
    assert len(octets) == len(head) + 4 + 3 + 32 + 64


@pytest.mark.parametrize("kind", SEALS)
def test_no_octet_can_be_another(made: Callable[..., bytes], bench: Any, kind: Seal) -> None:
    octets = made(b"short", kind)
    for place in range(len(octets)):
        changed = octets[:place] + bytes((octets[place] ^ 1,)) + octets[place + 1 :]
        try:
            assert not good(bench, read_image(changed)), place
        except ImageFormatError:
            continue


@pytest.mark.parametrize("kind", SEALS)
def test_it_ends_where_it_ends(made: Callable[..., bytes], kind: Seal) -> None:
    octets = made(b"short", kind)
    for length in range(len(octets)):
        with pytest.raises(ImageFormatError):
            read_image(octets[:length])
    with pytest.raises(ImageFormatError):
        read_image(octets + b"\0")


@given(octets=st.binary(max_size=64))
@settings(max_examples=300)
def test_reading_raises_one_error_only(octets: bytes) -> None:
    for front in (b"", MAGIC, MAGIC + bytes((FORMAT, 1)) + b"EHL"):
        with pytest.raises(ImageFormatError):
            read_image(front + octets)


@pytest.mark.parametrize("text", ["", "x" * 33, "é", "a\n"])
@pytest.mark.parametrize("what", ["model", "hardware", "version"])
def test_texts_that_cannot_be(made: Callable[..., bytes], text: str, what: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        made(**{what: text})


@pytest.mark.parametrize("flag", ["EH", "EHLX", "ÄÖÜ"])
def test_a_flag_id_has_three_letters(made: Callable[..., bytes], flag: str) -> None:
    with pytest.raises(ValueError, match="FLAG ID"):
        made(flag_id=flag)


def test_keys_are_the_manufacturers_own(made: Callable[..., bytes], bench: Any) -> None:
    """One manufacturer cannot seal for another."""
    for kind in SEALS:
        ours, theirs = read_image(made(kind=kind)), read_image(made(kind=kind, flag_id="ITR"))
        assert not good(bench, ours._replace(target=theirs.target))
        assert not good(bench, ours._replace(seal=theirs.seal))


def test_a_hash_that_was_made_to_fit_is_not_enough(made: Callable[..., bytes], bench: Any) -> None:
    """The hash finds damage; who does not have the key cannot make a seal."""
    for kind in SEALS:
        ours, theirs = read_image(made(b"good", kind)), read_image(made(b"evil", kind))
        assert is_whole(theirs)
        assert not good(bench, theirs._replace(seal=ours.seal))


def test_no_initialization_vector_twice(made: Callable[..., bytes], bench: Any) -> None:
    vectors, titles = set(), set()

    def execute(op: CryptoOp) -> Any:
        assert isinstance(op, Mac)
        vectors.add((op.title, op.counter))
        titles.add(op.title)
        return bench.module.execute(op)

    for number in range(50):
        run(make_image(TARGET, f"{number}", b"body", Seal.GMAC), execute)
    assert len(vectors) == len(titles) == 50


@pytest.mark.parametrize("kind", SEALS)
def test_without_the_key_no_seal_is_good(made: Callable[..., bytes], kind: Seal) -> None:
    def refuse(op: CryptoOp) -> Any:
        raise KeyUnavailable("not here")

    assert not run(is_sealed(read_image(made(kind=kind))), refuse)
