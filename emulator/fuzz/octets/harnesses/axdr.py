"""A-XDR: COSEM data, and the dates in it."""

from __future__ import annotations

from collections.abc import Iterable

from dlms.axdr import CosemDateTime, decode, encode
from dlms.errors import CodecError
from emulator.fuzz.octets import laws, sources, words
from emulator.fuzz.octets.harness import Harness, Outcome, Structure
from emulator.fuzz.octets.values import samples


def _data() -> Iterable[bytes]:
    yield from sources.vectors("axdr")
    yield from sources.built("data-")
    yield from map(encode, samples())


def _dates() -> Iterable[bytes]:
    yield bytes.fromhex("07E80B15040C1E00FFFFC400")
    yield bytes.fromhex("FFFFFEFDFFFFFFFFFF8000FF")
    yield bytes.fromhex("07E8021D04173B3B63FD4880")


_play_date = laws.codec(
    CosemDateTime.from_octets, CosemDateTime.to_octets, (CodecError,), canonical=True
)


def _date(octets: bytes) -> Outcome:
    """Also as a moment and as words, which each has or says that it has not."""
    outcome = _play_date(octets)
    if outcome is Outcome.TAKEN:
        value = CosemDateTime.from_octets(octets)
        str(value)
        try:
            value.to_datetime()
        except ValueError:
            return outcome
    return outcome


HARNESSES = (
    Harness(
        name="axdr.data",
        takes="one COSEM data",
        play=laws.codec(decode, encode, (CodecError,)),
        seeds=_data,
        words=words.data,
        structure=Structure(read=decode, write=encode),
    ),
    Harness(
        name="axdr.date-time",
        takes="the 12 octets of a date-time",
        play=_date,
        seeds=_dates,
        words=words.numbers,
        structure=Structure(read=CosemDateTime.from_octets, write=CosemDateTime.to_octets),
        most=64,
    ),
)
