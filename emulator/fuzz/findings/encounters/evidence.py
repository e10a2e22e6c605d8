"""What a finding at a head end shows: what passed, what it said of each errand, what it broke."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from emulator.fuzz.findings.encounters.conversation import keys_of, lines, words_of
from emulator.fuzz.findings.finding import Key
from emulator.fuzz.head_ends.driven import Driven
from emulator.fuzz.head_ends.judging import judged
from emulator.fuzz.head_ends.mischief import Encounter
from emulator.fuzz.head_ends.scene import Ran
from emulator.fuzz.head_ends.searching import Caught
from emulator.fuzz.scenario.found import Found, Witnessed

MOST_LINES = 200
"""Of an errand: one that never comes to an end says the same again and again."""


def found(caught: Caught, driven: Driven) -> Found:
    """The evidence is of the very run in which it was caught: keys are others in each, and a head
    end may have luck of its own.
    """
    return Found(
        invariant=caught.breach.invariant,
        words=caught.breach.words,
        shape=caught.breach.shape,
        step=_step(caught),
        target=f"head end: {driven}",
        version=version("cosemlab"),
        seed=caught.seed,
        steps=caught.number,
        seconds=round(caught.seconds, 3),
        was=caught.was,
        seen=witnessed(caught.encounter, caught.ran),
        keys=keys_of(caught.ran),
    )


def witnessed(encounter: Encounter, ran: Sequence[Ran]) -> tuple[Witnessed, ...]:
    """Each errand, and the last one at a meter that behaves if there was one."""
    words = words_of(ran)
    seen = []
    for one, broken in zip(ran, judged(encounter, ran), strict=True):
        said = lines(one.entries, words)
        seen.append(
            Witnessed(
                outcome=_outcome(one),
                says=str(one.outcome),
                line=said[:MOST_LINES],
                left_out=max(len(said) - MOST_LINES, 0),
                breaks=tuple(map(str, broken)),
            )
        )
    return tuple(seen)


def _outcome(ran: Ran) -> str:
    if not ran.outcome.is_over:
        return "no end"
    return "success" if ran.outcome.ok else "failure"


def _step(caught: Caught) -> int:
    """The errand that breaks it, from 1; 0: the one in the end."""
    for number, several in enumerate(judged(caught.encounter, caught.ran), 1):
        if any(Key.of(one) == Key.of(caught.breach) for one in several):
            return number if number <= len(caught.encounter.errands) else 0
    return 0
