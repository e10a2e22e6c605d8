"""X_AARQ_TRUNC and X_AARQ_ORDER: AARQs that are cut short, or whose elements are odd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dlms.acse import ber
from dlms.octets import Reader
from emulator.conformance.cases.asking import is_long
from emulator.conformance.cases.each import (
    Row,
    asking_to_associate,
    completed,
    first_amiss,
    on_each,
    visiting,
)
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import accepted, pending, refused, rejected
from emulator.conformance.conversing.tree import Node
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.trial import Trial

_TAG = 0x60
_PATIENT = 6
"""So many cuts may be met with silence before the rest is thinned out: each costs the time that
silence takes.
"""
_FEW = 12


class Element(NamedTuple):
    tag: int
    content: bytes

    def encode(self) -> bytes:
        return ber.tlv(self.tag, self.content)


def elements_of(aarq: bytes) -> list[Element]:
    """The elements of an AARQ that is right."""
    reader = Reader(aarq)
    reader.u8("tag")
    reader.length("AARQ")
    found = []
    while reader.remaining:
        tag = reader.u8("element")
        found.append(Element(tag, reader.octet_string("element")))
    return found


def _whole(elements: Sequence[Element]) -> bytes:
    return ber.tlv(_TAG, b"".join(element.encode() for element in elements))


# Cut short --------------------------------------------------------------------------------------


async def _cut(trial: Trial, row: Row) -> Seen:
    """For each length, on the same connection as long as it stands: what is cut is refused, or not
    answered, and opens nothing. The first that is met otherwise; else the last.
    """
    async with visiting(trial, row) as probe:
        aarq = probe.aarq()
        # Nothing at all is no APDU.
        lengths = list(range(1, len(aarq)))
        seen, silent = Seen.found(), 0
        while lengths:
            length = lengths.pop(0)
            if not probe.line.is_open:
                probe.line = await trial.open()
            seen = await probe.exchange(aarq[:length], trial.timing.silence)
            if first_amiss(trial, (refused(),), seen):
                return seen.having(notes=(*seen.notes, f"cut to {length} of {len(aarq)} octets"))
            silent += seen.what is What.SILENCE
            if silent == _PATIENT and len(lengths) > _FEW:
                lengths = sorted(trial.rng.sample(lengths, _FEW))
        return seen


@conversation("X_AARQ_TRUNC")
def cut_aarq() -> Sequence[Node]:
    return (
        on_each("cut", _cut, refused(), few=True),
        on_each("after", asking_to_associate(), accepted(), pending()),
    )


# Twice, in another order, in other forms --------------------------------------------------------


def _different(element: Element) -> Element:
    """The same element with another value of the same form: its last octet is another."""
    content = element.content
    return element._replace(content=content[:-1] + bytes((content[-1] ^ 1,)))


def _repeated(elements: Sequence[Element]) -> Iterator[tuple[str, bytes]]:
    """Each element twice: the wrong one behind the right one, and before it."""
    for number, element in enumerate(elements):
        before, after = elements[:number], elements[number + 1 :]
        other = _different(element)
        yield f"{element.tag:02X}, then another", _whole([*before, element, other, *after])
        yield f"another {element.tag:02X}, then it", _whole([*before, other, element, *after])
        yield f"another {element.tag:02X} at the end", _whole([*elements, other])


def _reordered(elements: Sequence[Element]) -> Iterator[tuple[str, bytes]]:
    """Each two neighbours exchanged, and all the other way round."""
    for number in range(len(elements) - 1):
        one, other = elements[number : number + 2]
        order = [*elements[:number], other, one, *elements[number + 2 :]]
        yield f"{other.tag:02X} before {one.tag:02X}", _whole(order)
    yield "the other way round", _whole(elements[::-1])


def _lengths(elements: Sequence[Element]) -> Iterator[tuple[str, bytes]]:
    content = b"".join(element.encode() for element in elements)
    for octets in (1, 2, 4):
        length = len(content).to_bytes(octets, "big")
        head = bytes((_TAG, 0x80 | octets))
        yield f"a length of {octets} octets", head + length + content
    yield "no length", bytes((_TAG, 0x80)) + content + b"\x00\x00"
    for number, element in enumerate(elements):
        long_form = bytes((element.tag, 0x82)) + len(element.content).to_bytes(2, "big")
        before = b"".join(one.encode() for one in elements[:number])
        after = b"".join(one.encode() for one in elements[number + 1 :])
        changed = before + long_form + element.content + after
        yield f"a long length of {element.tag:02X}", ber.tlv(_TAG, changed)
        if element.tag & 0x20:
            open_end = bytes((element.tag, 0x80)) + element.content + b"\x00\x00"
            yield f"no length of {element.tag:02X}", ber.tlv(_TAG, before + open_end + after)


_VARIANTS = {"repeated": _repeated, "order": _reordered, "lengths": _lengths}


async def _each_variant(trial: Trial, row: Row, which: str) -> Seen:
    """Each on a connection of its own: what comes of it does not depend on what was before."""
    refusals = refused(), rejected()
    expect = refusals if which == "repeated" else (*refusals, accepted(), pending())
    seen, number = Seen.found(), 0
    while True:
        async with visiting(trial, row) as probe:
            variants = list(_VARIANTS[which](elements_of(probe.aarq())))
            if number == len(variants):
                return seen
            name, octets = variants[number]
            seen = await _sent(trial, row, probe, octets)
        if first_amiss(trial, expect, seen):
            return seen.having(notes=(*seen.notes, name))
        number += 1


async def _sent(trial: Trial, row: Row, probe: Probe, octets: bytes) -> Seen:
    seen = probe.taken(await probe.exchange(octets, trial.timing.answer))
    return await completed(trial, row, probe, seen)


async def _twice(trial: Trial, row: Row) -> Seen:
    return await _each_variant(trial, row, "repeated")


async def _in_order(trial: Trial, row: Row) -> Seen:
    return await _each_variant(trial, row, "order")


async def _forms(trial: Trial, row: Row) -> Seen:
    return await _each_variant(trial, row, "lengths")


@conversation("X_AARQ_ORDER")
def elements() -> Sequence[Node]:
    what = "by logical names"
    return (
        on_each("repeated", _twice, refused(), rejected(), which=is_long, what=what, few=True),
        on_each(
            "order",
            _in_order,
            refused(),
            rejected(),
            accepted(),
            pending(),
            which=is_long,
            what=what,
            few=True,
        ),
        on_each(
            "lengths",
            _forms,
            refused(),
            rejected(),
            accepted(),
            pending(),
            which=is_long,
            what=what,
            few=True,
        ),
    )
