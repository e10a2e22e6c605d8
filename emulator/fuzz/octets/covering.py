"""Which lines of the protocol core the corpora reach, by the package ``coverage``.

Lines that run when a module is imported count too, so it is measured in a process that has not
imported any: ``python -m emulator.fuzz.octets.covering``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CORE = ("dlms/framing", "dlms/acse", "dlms/axdr", "dlms/xdlms", "dlms/security", "dlms/association",
        "dlms/transfer", "dlms/octets.py")  # fmt: skip
_ROOT = Path(__file__).parents[3]


class NoCoverage(ValueError):
    """There is nothing to measure with, or it came to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """``lines`` of a file can be run, ``missing`` are those that nothing has."""

    file: str
    lines: int
    missing: list[int]

    @property
    def percent(self) -> float:
        return 100 * (self.lines - len(self.missing)) / self.lines if self.lines else 100.0

    @property
    def missed(self) -> str:
        """The missing lines, those in a row as one."""
        rows: list[list[int]] = []
        for line in self.missing:
            if rows and line == rows[-1][1] + 1:
                rows[-1][1] = line
            else:
                rows.append([line, line])
        return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in rows)


def measured(folder: Path, harnesses: Sequence[str] = ()) -> list[Covered]:
    """What the corpora in ``folder`` reach. :class:`NoCoverage` if that cannot be known."""
    if importlib.util.find_spec("coverage") is None:
        raise NoCoverage("the package coverage is not installed: pip install coverage")
    command = [sys.executable, "-m", "emulator.fuzz.octets.covering", str(folder), *harnesses]
    paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
    env = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        raise NoCoverage(f"coverage: {(done.stderr.strip() or 'ended').splitlines()[-1]}")
    return [Covered(**row) for row in json.loads(done.stdout)]


def main(folder: Path, names: Sequence[str]) -> None:
    import coverage

    sources = [str(_ROOT / one) for one in CORE]
    include = [f"{one}/*" if not one.endswith(".py") else one for one in sources]
    measuring = coverage.Coverage(data_file=None, include=include)
    measuring.start()
    from emulator.fuzz.octets import registry, replaying

    replaying.play_corpus(folder, registry.chosen(names))
    measuring.stop()
    rows = []
    for path in sorted(measuring.get_data().measured_files()):
        _, statements, _, missing, _ = measuring.analysis2(path)
        file = Path(path).relative_to(_ROOT).as_posix()
        rows.append({"file": file, "lines": len(statements), "missing": missing})
    print(json.dumps(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
