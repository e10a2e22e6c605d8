"""The head end under test: it is given one task, and says what became of it.

A command says success by its exit status 0, and everything else is failure; the last line of its
standard output may be the value that it believes, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from emulator.conformance.hostile.material import Material

MEMORY = 1 << 30
"""Octets of address space of a command: an interpreter with libraries takes a third of it."""

MAX_OUTPUT = 1 << 20
"""Octets of standard output that are looked at: what is believed is in the last line."""

_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``value`` is what the head end believes, ``None`` if it says nothing of it. ``why`` is what
    it says of a failure. ``is_over`` is false for one that did not come to an end in time.
    """

    ok: bool
    value: Any = None
    why: str = ""
    is_over: bool = True
    seconds: float = 0.0

    def __str__(self) -> str:
        if not self.is_over:
            return f"it had not come to an end after {self.seconds:.1f} s"
        if self.ok:
            return f"it says success, and gives {json.dumps(self.value)[:_SHOWN]}"
        return f"it says failure: {self.why[:_SHOWN]}" if self.why else "it says failure"


Call: TypeAlias = Callable[[str, str, int, Material], Awaitable[Outcome]]
"""A head end in this process: task, host, port, and what else it is told."""


class HeadEnd(Protocol):
    async def do(self, task: str, material: Material, limit: float) -> Outcome:
        """Do one task, within ``limit`` seconds."""
        ...


class CalledHeadEnd:
    """A callable. Its memory is this process's, and not limited."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def do(self, task: str, material: Material, limit: float) -> Outcome:
        now = asyncio.get_running_loop().time
        began = now()
        try:
            async with asyncio.timeout(limit) as running:
                outcome = await self._call(task, material.host, material.port, material)
        except TimeoutError as error:
            if not running.expired():  # a time-out of its own
                return Outcome(ok=False, why=str(error) or "TimeoutError", seconds=now() - began)
            return Outcome(ok=False, is_over=False, seconds=now() - began)
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            return Outcome(ok=False, why=why, seconds=now() - began)
        return outcome


class CommandHeadEnd:
    """A command, run anew for each task. ``{host}``, ``{port}``, ``{task}`` and ``{material}`` in
    its arguments stand for where the meter is, what is asked and the file with all the rest, as
    :meth:`str.format` has them.
    """

    def __init__(self, command: Sequence[str], *, memory: int = MEMORY) -> None:
        self._command = tuple(command)
        self._memory = memory

    async def do(self, task: str, material: Material, limit: float) -> Outcome:
        """``OSError`` if there is no such command."""
        with tempfile.TemporaryDirectory(prefix="cosemlab-") as folder:
            file = Path(folder) / "material.json"
            material.write(file)
            stands_for = {
                "host": material.host,
                "port": material.port,
                "task": task,
                "material": file,
            }
            return await self._run([part.format(**stands_for) for part in self._command], limit)

    async def _run(self, arguments: Sequence[str], limit: float) -> Outcome:
        now = asyncio.get_running_loop().time
        began = now()
        memory = self._memory

        def bounded() -> None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=bounded,
            start_new_session=True,
            limit=MAX_OUTPUT,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        reading = asyncio.gather(_tail(process.stdout), _tail(process.stderr), process.wait())
        try:
            async with asyncio.timeout(limit):
                out, err, status = await reading
        except TimeoutError:
            return Outcome(ok=False, is_over=False, seconds=now() - began)
        finally:
            # Whatever it has begun ends with it, also where the run is cancelled.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        seconds = now() - began
        if status == 0:
            return Outcome(ok=True, value=_believed(out), seconds=seconds)
        why = _last_line(err) or _last_line(out)
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return Outcome(ok=False, why=f"{how}: {why}" if why else how, seconds=seconds)


async def _tail(stream: asyncio.StreamReader) -> bytes:
    """The end of what comes: somebody who prints for ever does not fill this process."""
    kept = b""
    while more := await stream.read(1 << 16):
        kept = (kept + more)[-MAX_OUTPUT:]
    return kept


def _last_line(octets: bytes) -> str:
    lines = octets.decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _believed(out: bytes) -> Any:
    line = _last_line(out)
    try:
        return json.loads(line)
    except ValueError:
        return line or None
