"""Whether a finding that is played again passes as it did when it was found."""

from __future__ import annotations

from emulator.fuzz.scenario.found import Found
from emulator.fuzz.scenario.playing import Result


def differing(found: Found, result: Result) -> tuple[int, ...]:
    """The steps, from 1, in which other octets pass than in the evidence. TLS, and signatures that
    are no part of a run's seed, differ each time.
    """
    return tuple(
        played.number
        for played, seen in zip(result.played, found.seen, strict=False)
        if [
            (one.direction.value, one.client, one.octets.hex().upper()) for one in played.seen.line
        ][: len(seen.line)]
        != [tuple(one[:3]) for one in seen.line]
    )


def remark(found: Found, result: Result) -> str:
    """In one line, what there is to say of it."""
    passed = sum(len(played.seen.line) for played in result.played)
    others = differing(found, result)
    if not others:
        return f"the octets of all {passed} APDUs are those that were found"
    steps = f"step{'s' * (len(others) > 1)} {', '.join(map(str, others))}"
    return (
        f"other octets than were found pass in {steps}: the meter is another, or they are random"
        " (TLS, signatures)"
    )
