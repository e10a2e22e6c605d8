"""Mutations of fields, elements and lines: what they make is mostly still what it was."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from dlms.acse.aarq import Aarq
from dlms.errors import CodecError
from dlms.octets import encode_length
from emulator.fuzz.octets import lines, mutating, registry, tlv, values
from emulator.fuzz.octets.harness import Outcome
from emulator.fuzz.octets.words import MAX_WORD, lines_of

STRUCTURED = ("acse.aarq", "axdr.data", "xdlms.apdu", "hdlc.stream", "wrapper.stream")


@pytest.mark.parametrize("name", STRUCTURED)
def test_changed_fields_are_mostly_taken(name: str) -> None:
    harness = registry.get(name)
    words = list(harness.words())
    seeds = list(harness.seeds())
    outcomes: Counter[Outcome] = Counter()
    changed = 0
    for seed in range(300):
        octets = seeds[seed % len(seeds)]
        found = mutating.structured(harness, octets, words, random.Random(seed))
        if found is not None:
            changed += found != octets
            outcomes[harness.play(found)] += 1
    assert changed > 150
    assert outcomes[Outcome.TAKEN] > outcomes.total() / 3


def test_the_same_seed_mutates_the_same() -> None:
    harness = registry.get("xdlms.apdu")
    words = list(harness.words())
    octets = bytes.fromhex("C001C100010000600109FF0200")
    once, again = (
        [mutating.structured(harness, octets, words, random.Random(seed)) for seed in range(50)]
        for _ in range(2)
    )
    assert once == again
    assert len(set(once)) > 10


def test_an_input_without_structure_is_left_to_the_fuzzer() -> None:
    mutate = mutating.mutation(
        registry.get("xdlms.apdu"), [b"\0"], lambda octets, most: b"fuzzer's own"
    )
    assert {mutate(b"\xff\xff", 100, seed) for seed in range(40)} == {b"fuzzer's own"}


def test_what_grows_too_long_is_not_taken() -> None:
    mutate = mutating.mutation(
        registry.get("axdr.data"), [b"\0"], lambda octets, most: octets[:most]
    )
    data = bytes.fromhex("0104") + bytes.fromhex("0901FF") * 4
    assert max(len(mutate(data, len(data), seed)) for seed in range(200)) <= len(data)


def test_elements_have_the_lengths_of_what_is_in_them() -> None:
    inner = b"\x04" + encode_length(200) + bytes(200)
    whole = b"\x30" + encode_length(len(inner)) + inner
    assert b"".join(one.encode() for one in tlv.elements(whole)) == whole
    found = [tlv.mutated(whole, random.Random(seed)) for seed in range(100)]
    assert len(set(found)) > 50
    assert sum(map(_is_whole, found)) > 50
    assert any(one and not _is_whole(one) for one in found)


def _is_whole(octets: bytes) -> bool:
    try:
        return bool(tlv.elements(octets))
    except CodecError:
        return False


def test_an_aarq_with_other_elements_is_still_read_to_its_end_often() -> None:
    octets = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0")
    assert sum(_is_whole(tlv.mutated(octets, random.Random(seed))) for seed in range(200)) > 100


def test_what_is_no_element_has_none_changed() -> None:
    with pytest.raises(CodecError):
        tlv.mutated(b"\x30\x05\x00", random.Random(1))
    with pytest.raises(CodecError):
        tlv.mutated(b"", random.Random(1))


def test_a_value_is_changed_in_one_place_and_not_where_it_stands() -> None:
    before = Aarq(b"\x60\x01", user_information=b"12345678")
    copies: set[bytes] = set()
    for seed in range(200):
        try:
            copies.add(values.changed(before, random.Random(seed)).encode())
        except Exception:  # what cannot be encoded is left to the fuzzer
            continue
    assert before == Aarq(b"\x60\x01", user_information=b"12345678")
    assert len(copies) > 20


def test_lines_and_words_are_moved() -> None:
    text = b"[a]\nb = 1\nc = 2\n"
    found = {lines.mutated(text, [b"= true"], random.Random(seed)) for seed in range(100)}
    assert any(b"= true" in one for one in found)
    assert any(len(one) < len(text) for one in found)
    assert any(len(one) > len(text) for one in found)


def test_a_dictionary_has_each_word_once_and_none_too_long() -> None:
    assert lines_of([b"\x01", b"\x01", b"", bytes(MAX_WORD + 1), b'"']) == ['"\\x01"', '"\\x22"']
