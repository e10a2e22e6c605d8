"""Faults of the way: octets and APDUs come late, twice, cut short or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.control.arguments import Argument
from emulator.control.arguments import Kind as ArgumentKind
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind, Parameter
from emulator.faults.kinds.parameters import (
    ASSOCIATION,
    UNIT,
    choice,
    direction,
    duration,
    number,
    whole,
)
from emulator.serving.taps import Parcel, Place

_PLACES = {
    ("octets", "in"): Place.OCTETS_IN,
    ("octets", "out"): Place.OCTETS_OUT,
    ("apdu", "in"): Place.APDU_IN,
    ("apdu", "out"): Place.APDU_OUT,
}
_CLOSING = ("tcp", "tls", "hdlc")


def _place_of(fault: Fault) -> Place:
    """Where a fault with the parameters ``of`` and ``direction`` acts."""
    return _PLACES[fault["of"], fault["direction"]]


def _what(fault: Fault, parcel: Parcel) -> str:
    what = "request" if fault["direction"] == "in" else "reply"
    return f"{what} of {len(parcel.octets)} octets"


def latency(fault: Fault) -> None:
    fixed, jitter = fault["fixed"].total_seconds(), fault["jitter"].total_seconds()

    def hold(parcel: Parcel) -> Iterable[Parcel]:
        delay = fixed + fault.random.uniform(0, jitter)
        fault.has_acted(f"{_what(fault, parcel)} waits {delay:.3f} s", parcel)
        return (parcel._replace(delay=parcel.delay + delay),)

    fault.tap(_PLACES["octets", fault["direction"]], hold)


def loss(fault: Fault) -> None:
    passed = 0

    def lose(parcel: Parcel) -> Iterable[Parcel]:
        nonlocal passed
        passed += 1
        every = fault["every"]
        if passed % every if every else fault.random.random() >= fault["probability"]:
            return (parcel,)
        fault.has_acted(f"{_what(fault, parcel)} lost", parcel)
        return ()

    fault.tap(_place_of(fault), lose)


def stall(fault: Fault) -> None:
    def swallow(parcel: Parcel) -> Iterable[Parcel]:
        fault.has_acted(f"{len(parcel.octets)} octets are read and forgotten", parcel)
        return ()

    def keep(parcel: Parcel) -> Iterable[Parcel]:
        fault.has_acted(f"{len(parcel.octets)} octets wait", parcel)
        return (parcel._replace(held_by=fault),)

    fault.tap(Place.OCTETS_IN, keep if fault["how"] == "deaf" else swallow)


def truncate(fault: Fault) -> None:
    def cut(parcel: Parcel) -> Iterable[Parcel]:
        octets = parcel.octets
        left = octets[: max(len(octets) - fault["cut"], 0)]
        fault.has_acted(f"{_what(fault, parcel)} cut to {len(left)}", parcel)
        return (parcel._replace(octets=left),)

    fault.tap(_place_of(fault), cut)


def duplicate(fault: Fault) -> None:
    def repeat(parcel: Parcel) -> Iterable[Parcel]:
        times: int = fault["copies"] + 1
        fault.has_acted(f"{_what(fault, parcel)} comes {times} times", parcel)
        return (parcel,) * times

    fault.tap(_place_of(fault), repeat)


def hang_up(fault: Fault) -> None:
    def close(parcel: Parcel) -> Iterable[Parcel]:
        octets = parcel.octets[: fault["after"]]
        fault.has_acted(f"connection closed after {len(octets)} octets", parcel)
        return (parcel._replace(octets=octets, last=True),)

    fault.tap(Place.OCTETS_OUT, close)


def _closing(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return _CLOSING


KINDS = (
    Kind(
        name="latency",
        place="octets in or out",
        help="octets come late, in their order",
        seen="replies come late, or never in time; what was given up on may still come",
        begin=latency,
        parameters=(
            direction(),
            duration("fixed", 3600, 1, "how late, in real time"),
            duration("jitter", 3600, 0, "and at random up to so much later"),
        ),
    ),
    Kind(
        name="loss",
        place="APDU or octets, in or out",
        help="requests or replies are lost",
        seen="no answer: the request was carried out (out) or was not (in). HDLC repeats lost"
        " frames",
        begin=loss,
        parameters=(
            direction(),
            UNIT,
            number("probability", 0, 1, 1, "", "of each to be lost"),
            Parameter(
                Argument(
                    name="every",
                    kind=ArgumentKind.INTEGER,
                    least=1,
                    most=1_000_000,
                    help="lose each so manieth, whatever the probability",
                )
            ),
            ASSOCIATION,
        ),
    ),
    Kind(
        name="stall",
        place="octets in",
        help="the meter answers nothing, and keeps the connection",
        seen="no answer; swallow: what was sent is gone; deaf: nothing is read, until the fault is"
        " over and all is answered",
        begin=stall,
        parameters=(
            choice("how", ("swallow", "deaf"), "swallow", "read and forget, or do not read"),
        ),
        counts=False,
    ),
    Kind(
        name="truncate",
        place="APDU or octets, in or out",
        help="requests or replies are cut short",
        seen="of an APDU: one that cannot be decoded or verified; of octets: a frame whose rest"
        " does not come",
        begin=truncate,
        parameters=(
            direction(),
            UNIT,
            whole("cut", 1, 65_535, 1, "octets", "how many are cut off the end"),
            ASSOCIATION,
        ),
    ),
    Kind(
        name="duplicate",
        place="APDU or octets, in or out",
        help="requests or replies come several times",
        seen="a reply that was not asked for; a request that the meter carries out again, or"
        " refuses for its invocation counter",
        begin=duplicate,
        parameters=(
            direction(),
            UNIT,
            whole("copies", 1, 10, 1, "", "how many come besides"),
            ASSOCIATION,
        ),
    ),
    Kind(
        name="hang-up",
        place="octets out",
        help="the meter closes the connection in a reply",
        seen="the connection ends before, within or after a reply",
        begin=hang_up,
        parameters=(whole("after", 0, 65_535, 0, "octets", "how many of the reply come"),),
        ways=_closing,
    ),
)
