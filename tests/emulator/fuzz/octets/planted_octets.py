"""Harnesses with planted defects, for runs of atheris in tests; this file is given to --from."""

from __future__ import annotations

from emulator.fuzz.octets.harness import Harness, Outcome, Structure


def planted(octets: bytes) -> Outcome:
    """Its defect stands behind four octets, each of which only coverage leads to."""
    if octets[:1] != b"C":
        return Outcome.REFUSED
    if octets[1:2] != b"O":
        return Outcome.REFUSED
    if octets[2:3] != b"S":
        return Outcome.REFUSED
    if octets[3:4] == b"E":
        return [Outcome.TAKEN][len(octets)]
    return Outcome.TAKEN


def endless(octets: bytes) -> Outcome:
    """What ends the process is no Python exception."""
    if octets[:1] == b"C":
        import os

        os.abort()
    return Outcome.TAKEN


def never(octets: bytes) -> Outcome:
    return Outcome.TAKEN if octets else Outcome.REFUSED


def _harness(name: str, play: object) -> Harness:
    return Harness(
        name=f"planted.{name}",
        takes="octets",
        play=play,  # type: ignore[arg-type]
        seeds=lambda: (b"????????",),
        words=lambda: (b"C", b"O"),
        structure=Structure(read=lambda octets: [*octets], write=bytes),
        most=64,
    )


HARNESSES = (_harness("index", planted), _harness("abort", endless), _harness("none", never))
