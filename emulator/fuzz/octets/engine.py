"""One harness under atheris, in a process of its own: ``python -m emulator.fuzz.octets.engine``.

libFuzzer ends the process that it runs in, and what it guides itself by must be instrumented when
it is imported: so nothing of ours but this is imported before. What Python raises is caught, noted
and minimised here, and the run goes on; what ends the process (no end in time, too much memory, a
crash in C) is noted by whoever has started it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

INSTRUMENTED = ("dlms", "devices", "emulator", "tls")
_OF_FAMILY = {"machine": ("dlms", "devices", "emulator.serving", "emulator.framing")}
"""Where the rest is what sets the stage: to count its edges takes time, and leads nowhere."""
MAX_CRASHES = 64
"""Different ones of a run; whoever has so many need not look for more."""


def arguments(args: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("harness")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--runs", type=int, default=-1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(args)


def main(args: Sequence[str]) -> None:
    told = arguments(args)
    import atheris

    include = list(_OF_FAMILY.get(told.harness.partition(".")[0], INSTRUMENTED))
    if told.file is not None:
        include.append(told.file.stem)
    with atheris.instrument_imports(include=include, exclude=["emulator.fuzz.octets"]):
        from emulator.fuzz.octets import registry

        harness = registry.get(told.harness, told.file)
    from emulator.fuzz.octets import crash, mutating, shrinking, words, work
    from emulator.fuzz.octets.progress import CRASH

    known: set[tuple[str, str, str]] = set()
    for path in told.out.glob("*.json"):
        known.add(crash.read(path).mark)
    vocabulary = [word for word in harness.words() if word]
    dictionary = told.out / f"{harness.name}.dict"
    dictionary.write_text("\n".join(words.lines_of(vocabulary)) + "\n", "ascii")

    def one_input(octets: bytes) -> None:
        try:
            harness.play(octets)
        except Exception as error:  # whatever it is: that is what is looked for
            now = crash.of_error(harness, octets, error)
            if now.mark in known or len(known) >= MAX_CRASHES:
                return
            known.add(now.mark)
            path = shrinking.shrunk(harness, now).write(told.out)
            print(f"{CRASH}{path}", file=sys.stderr, flush=True)

    options = [
        f"-max_len={harness.most}", f"-seed={told.seed}", f"-dict={dictionary}",
        f"-timeout={work.TIMEOUT}", "-rss_limit_mb=2048", "-print_final_stats=1",
        f"-artifact_prefix={told.out}/hard-", f"-runs={told.runs}",
        f"-max_total_time={told.seconds}", "-use_value_profile=1", "-reload=0", "-len_control=100",
    ]  # fmt: skip

    def mutated(octets: bytes, most: int) -> bytes:
        found: bytes = atheris.Mutate(octets, most)  # another one once Fuzz() is called
        return found

    mutate = mutating.mutation(harness, vocabulary, mutated)
    atheris.Setup([sys.argv[0], *options, str(told.corpus)], one_input, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
