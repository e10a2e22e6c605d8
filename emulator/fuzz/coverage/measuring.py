"""What each fuzzer reaches, by the package ``coverage``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from emulator.fuzz.coverage.playing import PLAYS
from emulator.fuzz.coverage.scope import ROOT, Place, files, functions, place


class NoCoverage(ValueError):
    """There is nothing to measure with."""


class Measured(NamedTuple):
    """``lines`` are those of functions that can be run; ``reached`` which each fuzzer has run."""

    file: str
    lines: frozenset[int]
    reached: Mapping[str, frozenset[int]]

    @property
    def never(self) -> tuple[int, ...]:
        """What nobody has reached, in order."""
        return tuple(sorted(self.lines.difference(*self.reached.values())))

    @property
    def places(self) -> tuple[Place, ...]:
        """The same by what they say."""
        return tuple(place(self.file, line) for line in self.never)


def measured(
    names: Iterable[str] = PLAYS, plays: Mapping[str, Callable[[], None]] = PLAYS
) -> tuple[Measured, ...]:
    """Play the fuzzers of these names; every file in scope.
    :class:`NoCoverage` if the package is not installed.
    """
    try:
        import coverage
    except ImportError:
        raise NoCoverage("the package coverage is not installed: pip install coverage") from None
    paths = {file: str(ROOT / file) for file in files()}
    reached: dict[str, dict[str, frozenset[int]]] = {file: {} for file in paths}
    statements: dict[str, list[int]] = {}
    for name in names:
        measuring = coverage.Coverage(
            data_file=None, config_file=False, include=list(paths.values())
        )
        measuring.start()
        try:
            plays[name]()
        finally:
            measuring.stop()
        data = measuring.get_data()
        for file, path in paths.items():
            reached[file][name] = frozenset(data.lines(path) or ())
            if file not in statements:
                statements[file] = measuring.analysis2(path)[1]
    return tuple(
        Measured(file, lines, {name: lines & found for name, found in reached[file].items()})
        for file in paths
        if (lines := frozenset(statements[file]) & functions(file).keys())
    )
