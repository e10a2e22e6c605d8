"""The fuzzers, each played for a bounded number of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emulator.fuzz.breach import Breach
from emulator.fuzz.coverage.scope import ROOT
from emulator.fuzz.learning.comparing import compared
from emulator.fuzz.learning.subject import associations, in_process
from emulator.fuzz.machine.machine import machine as machine_of
from emulator.fuzz.machine.settings import settings
from emulator.fuzz.machine.watcher import Unwatched
from emulator.fuzz.octets import corpus, registry
from emulator.fuzz.scenario.playing import play
from emulator.fuzz.scenario.reading import read_all

RUNS, STEPS = 10, 40
"""Of the machine, in each setting."""


def scenarios() -> None:
    """All of ``fixtures/scenarios``."""
    for one in read_all(sorted((ROOT / "fixtures" / "scenarios").glob("*.json"))):
        play(one)


def octets() -> None:
    """Every corpus, and what it began with."""
    for harness in registry.chosen(()):
        entries = [entry.octets for entry in corpus.read(corpus.CORPUS, harness.name)]
        for one in entries or harness.seeds():
            harness.play(one)


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
    for setting in settings().values():
        run_state_machine_as_test(machine_of(setting, _Passing()), settings=how)


PLAYS: Mapping[str, Callable[[], None]] = {
    "scenarios": scenarios,
    "machine": machine,
    "octets": octets,
    "learning": learning,
}
