"""The fuzzers, each played for a bounded number of steps."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from emulator.fuzz.breach import Breach
from emulator.fuzz.coverage.asking import asking
from emulator.fuzz.coverage.scope import ROOT
from emulator.fuzz.learning.comparing import compared
from emulator.fuzz.learning.subject import associations, in_process
from emulator.fuzz.machine.machine import machine as machine_of
from emulator.fuzz.machine.settings import settings
from emulator.fuzz.machine.watcher import Unwatched
from emulator.fuzz.octets import corpus, registry
from emulator.fuzz.octets.mutating import mutation
from emulator.fuzz.scenario.playing import play
from emulator.fuzz.scenario.reading import read_all

RUNS, STEPS = 10, 40
"""Of the machine, in each setting."""
OTHERS = ("secure", "landis_gyr")
"""Profiles besides the laboratory's: keys that are handed over, tokens, another object model."""


def scenarios() -> None:
    """All of ``fixtures/scenarios``."""
    for one in read_all(sorted((ROOT / "fixtures" / "scenarios").glob("*.json"))):
        play(one)


OUT_OF_SCOPE = ("files.", "messages.", "papers.")
"""Parsers of what people write, and of X.509, which are none of the protocol's."""
MUTATED, MUTATED_OF_MACHINES = 500, 60
"""Inputs made of those of a corpus, for each harness, by lot; fewer where one is a whole meter."""


def octets() -> None:
    """Every corpus, what it began with, and some more that are made of these."""
    for harness in registry.chosen(()):
        if harness.name.startswith(OUT_OF_SCOPE):
            continue
        entries = [entry.octets for entry in corpus.read(corpus.CORPUS, harness.name)]
        begun = [*entries, *harness.seeds()]
        for one in begun:
            harness.play(one)
        lot = random.Random(harness.name)
        mutate = mutation(harness, tuple(harness.words()), partial(_bent, lot))
        is_machine = harness.name.startswith("machine.")
        for number in range(MUTATED_OF_MACHINES if is_machine else MUTATED):
            one = mutate(begun[number % len(begun)], harness.most, number)
            # What breaks is for `fuzz octets` to find; here it has been where it has been.
            with suppress(Exception):
                harness.play(one)


def _bent(lot: random.Random, data: bytes, most: int) -> bytes:
    """One octet turned, put in, or left out, or the end cut off."""
    at = lot.randrange(len(data) + 1)
    match lot.randrange(4):
        case 0:
            return data[:at]
        case 1:
            return (data[:at] + lot.randbytes(1) + data[at:])[:most]
        case 2:
            return data[:at] + data[at + 1 :]
    return data[:at] + lot.randbytes(1) + data[at + 1 :]


OVER_HDLC = ("reader", "suite2", "pre_established")


def learning() -> None:
    """Every association of the laboratory, and some over HDLC."""
    for name in associations():
        compared(in_process(name), extra=0)
    for name in OVER_HDLC:
        compared(in_process(name, hdlc=True), extra=0)


class _Passing(Unwatched):
    """Here nobody wants to know what is broken."""

    def knows(self, breach: Breach) -> bool:
        return True


def machine() -> None:
    """Runs drawn by lot, the same in each process."""
    import hypothesis
    from hypothesis.stateful import run_state_machine_as_test

    how = hypothesis.settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.generate,),
        suppress_health_check=tuple(hypothesis.HealthCheck),
    )
    others = (setting for name in OTHERS for setting in settings(name).values())
    for setting in (*settings().values(), *others):
        run_state_machine_as_test(machine_of(setting, _Passing()), settings=how)


PLAYS: Mapping[str, Callable[[], None]] = {
    "scenarios": scenarios,
    "machine": machine,
    "octets": octets,
    "learning": learning,
    "asking": asking,
}
