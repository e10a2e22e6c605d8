"""What the target itself has seen to be broken."""

from __future__ import annotations

import re

from emulator.fuzz.breach import Breach
from emulator.fuzz.target import Facts

_DIGITS = re.compile(r"\b[0-9A-Fa-f]*[0-9][0-9A-Fa-f]*\b")


def told(before: Facts, after: Facts) -> tuple[Breach, ...]:
    """Those of its look-outs that are new."""
    return tuple(_breach(said) for said in after.breaches[len(before.breaches) :])


def _breach(said: str) -> Breach:
    invariant, _, words = said.partition(": ")
    return Breach(invariant=invariant, words=words, shape=_DIGITS.sub("#", words))
