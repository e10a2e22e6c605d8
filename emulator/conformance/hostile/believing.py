"""What a head end believes, and whether that is what it was told.

It gives values as JSON: octet-strings in hexadecimal (or, where they are text, as that), times in
ISO 8601. read gives a list of values in the order in which they were to be read, block-read one;
clock gives ``{"time": ..., "status": n}`` with the octet clock_status; profile a list of rows, each
a list of its columns.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from emulator.conformance.hostile.vices.blocks import long_value
from emulator.conformance.hostile.vices.services import numbered
from emulator.conformance.hostile.vices.values import expected_rows

if TYPE_CHECKING:
    from emulator.conformance.hostile.facing import Faced

Wrong = Callable[["Faced"], Iterable[str]]


def nothing(faced: Faced) -> Iterable[str]:
    """Whatever it is, it is not wrong."""
    return ()


anything = nothing


def taken(faced: Faced) -> Iterable[str]:
    """It may not succeed at all: whatever it believes, it has from what it must not take."""
    return (str(faced.outcome),)


def same(believed: object, octets: bytes) -> bool:
    """Whether what is believed is that octet-string."""
    if not isinstance(believed, str):
        return False
    try:
        text = octets.decode("ascii")
    except UnicodeDecodeError:
        text = octets.hex()
    plain = "".join(believed.split()).removeprefix("0x").lower()
    return plain == octets.hex() or believed == text


def reads(faced: Faced) -> Iterable[str]:
    """The values that the meter has."""
    return _listed(faced.outcome.value, faced.values)


def _listed(value: object, expected: Iterable[bytes]) -> Iterable[str]:
    wanted = list(expected)
    if not isinstance(value, list) or len(value) != len(wanted):
        return (f"it gives {value!r:.200}, not a list of {len(wanted)} values",)
    return tuple(
        f"value {number} is {one!r:.200}, not {octets.hex()}"
        for number, (one, octets) in enumerate(zip(value, wanted, strict=True), 1)
        if not same(one, octets)
    )


def block_reads(faced: Faced) -> Iterable[str]:
    """The long value, all of it."""
    value = faced.outcome.value
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if same(value, long_value()):
        return ()
    return (f"it gives {value!r:.80}, not the value it was sent",)


def not_the_late(faced: Faced) -> Iterable[str]:
    """The first answer was for a request that it had given up."""
    value = faced.outcome.value
    values = value if isinstance(value, list) else [value]
    late = numbered(1)
    if any(same(one, late) for one in values):
        return (f"it takes the answer to its first request for that to another: {value!r:.200}",)
    return (f"it says success, and gives {value!r:.200}, though nothing but that answer came",)


def answered_anew(faced: Faced) -> Iterable[str]:
    """Its values come from answers to requests that it made later."""
    value = faced.outcome.value
    if not isinstance(value, list) or len(value) != len(faced.material.read):
        return (f"it gives {value!r:.200}, not a list of {len(faced.material.read)} values",)
    if any(same(one, numbered(1)) for one in value):
        return (f"it gives {value!r:.200}, and the first answer never came",)
    return ()


def clock_told(faced: Faced) -> Iterable[str]:
    """The time, and that it is not to be relied upon."""
    value = faced.outcome.value
    if isinstance(value, Mapping) and _says_so(value):
        return ()
    return (f"it gives {value!r:.200}, and does not say what is wrong with the time",)


def _says_so(value: Mapping[str, Any]) -> bool:
    status = value.get("status")
    if isinstance(status, int) and status & 0x0F:
        return True
    return any(bool(value.get(word)) for word in ("invalid", "doubtful"))


def rows(how: str) -> Wrong:
    """The rows that were sent, all of them and once each, with their values."""

    def wrong(faced: Faced) -> Iterable[str]:
        value = faced.outcome.value
        if not isinstance(value, list):
            return (f"it gives {value!r:.200}, not a list of rows",)
        expected = expected_rows(how)
        energies = [_number(row) for row in value]
        wanted = [energy for _, energy in expected]
        if energies != wanted:
            return (f"the values of its rows are {energies}, not {wanted}",)
        return tuple(
            f"row {number} is of {time}, not of {moment.isoformat()}"
            for number, (row, (moment, _)) in enumerate(zip(value, expected, strict=True), 1)
            if (time := _time(row)) is not None and not _is(time, moment)
        )

    return wrong


def _columns(row: object) -> list[object]:
    if isinstance(row, Mapping):
        return list(row.values())
    return list(row) if isinstance(row, list) else [row]


def _number(row: object) -> object:
    numbers = [one for one in _columns(row) if isinstance(one, int) and not isinstance(one, bool)]
    return numbers[-1] if numbers else None


def _time(row: object) -> str | None:
    return next((one for one in _columns(row) if isinstance(one, str)), "nothing")


def _is(text: str, moment: dt.datetime) -> bool:
    try:
        believed = dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    # Without an offset it is British time, which the repeated hour makes two moments of.
    if believed.tzinfo is None:
        return believed in (moment.replace(tzinfo=None), moment.replace(tzinfo=None) + _HOUR)
    return believed == moment


_HOUR = dt.timedelta(hours=1)

RIGHT: Mapping[str, Wrong] = {
    "read": reads,
    "block-read": block_reads,
    "profile": rows("usual"),
}
"""What is right for a task with a meter that behaves."""
