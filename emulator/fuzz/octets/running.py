"""Harnesses under atheris, each in a process of its own, several at a time."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from emulator.fuzz.octets import corpus, crash
from emulator.fuzz.octets.crash import Crash
from emulator.fuzz.octets.harness import Harness
from emulator.fuzz.octets.progress import Progress

MAX_STARTS = 4
"""Of a harness whose process ends by itself: at each start it goes on with what it had found."""
_ROOT = Path(__file__).parents[3]


class NoAtheris(ValueError):
    """There is nothing to look for more with."""

    def __init__(self) -> None:
        super().__init__(
            "the package atheris is not installed: pip install 'cosemlab[atheris]' (Linux only);"
            " corpora are replayed without it: cosemlab fuzz octets --replay"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``seconds`` of each harness, or ``runs``; ``out`` is where crashes go. ``folder`` are the
    packed corpora that all begin with. ``file`` is of harnesses that are not ours.
    """

    out: Path
    folder: Path
    seconds: int = 60
    runs: int = -1
    seed: int = 1
    jobs: int = 1
    file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a harness ended. ``found`` are the inputs that reached something new."""

    harness: str
    progress: Progress
    seconds: float
    crashes: tuple[Crash, ...]
    found: tuple[bytes, ...]


def check() -> None:
    """:class:`NoAtheris` if it is not there."""
    if importlib.util.find_spec("atheris") is None:
        raise NoAtheris


def run(
    harnesses: Sequence[Harness],
    plan: Plan,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_ran: Callable[[Ran], None] = lambda ran: None,
) -> tuple[Ran, ...]:
    """Run each harness for its time. ``on_ran`` is called from as many threads as there are jobs.

    :class:`NoAtheris` if there is nothing to run them with."""
    check()
    plan.out.mkdir(parents=True, exist_ok=True)
    lock = Lock()

    def tell(progress: Progress) -> None:
        with lock:
            on_progress(progress)

    def one(harness: Harness) -> Ran:
        ran = _run(harness, plan, tell)
        on_ran(ran)
        return ran

    with ThreadPoolExecutor(plan.jobs) as pool:
        return tuple(pool.map(one, harnesses))


def _run(harness: Harness, plan: Plan, tell: Callable[[Progress], None]) -> Ran:
    begun = time.monotonic()
    progress = Progress(harness=harness.name)
    runs_before = 0
    with tempfile.TemporaryDirectory(prefix="cosemlab-octets-") as name:
        inputs = Path(name)
        for number, octets in enumerate(_seeds(harness, plan.folder)):
            (inputs / f"seed{number:05}").write_bytes(octets)
        for start in range(MAX_STARTS):
            left = max(1, round(plan.seconds - (time.monotonic() - begun)))
            before, status, last = progress.hard, 0, ""
            with _started(harness, plan, inputs, left, plan.seed + start) as process:
                assert process.stderr is not None
                for line in process.stderr:
                    last = line.strip() or last
                    now = progress.after(line)
                    if now is not progress:
                        progress = now
                        tell(replace(progress, runs=runs_before + progress.runs))
            status = process.returncode
            runs_before += progress.runs
            if status == 0:
                break
            if progress.hard == before:  # it has ended without an input that is to blame
                raise crash.CrashFileError(f"{harness.name} ended with status {status}: {last}")
            if time.monotonic() - begun >= plan.seconds:
                break
        progress = replace(progress, runs=runs_before)
        found = tuple(path.read_bytes() for path in sorted(inputs.iterdir()))
    crashes = [crash.read(path) for path in progress.crashes]
    crashes += [_hard(harness, path, plan.out) for path in dict.fromkeys(progress.hard)]
    return Ran(
        harness=harness.name,
        progress=progress,
        seconds=time.monotonic() - begun,
        crashes=tuple(crashes),
        found=found,
    )


def _seeds(harness: Harness, folder: Path) -> list[bytes]:
    """Each once, none that is too long."""
    there = [one.octets for one in corpus.read(folder, harness.name)]
    chosen = dict.fromkeys((*there, *harness.seeds()))
    return [octets for octets in chosen if len(octets) <= harness.most]


def _started(
    harness: Harness, plan: Plan, inputs: Path, seconds: int, seed: int
) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "emulator.fuzz.octets.engine", harness.name,
        "--out", str(plan.out), "--corpus", str(inputs), "--seed", str(seed),
        "--runs", str(plan.runs), "--seconds", "0" if plan.runs >= 0 else str(seconds),
    ]  # fmt: skip
    if plan.file is not None:
        command += ["--file", str(plan.file)]
    paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": paths},
    )


def _hard(harness: Harness, path: Path, out: Path) -> Crash:
    """What ended the process: libFuzzer's name of its file says how."""
    kind = path.name.removeprefix("hard-").partition("-")[0]
    found = Crash(
        harness=harness.name,
        octets=path.read_bytes(),
        kind=kind,
        place="the process",
        words=f"the fuzzer's process was ended: {kind}",
    )
    found.write(out)
    path.unlink()
    return found
