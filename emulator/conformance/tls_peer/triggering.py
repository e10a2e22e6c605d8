"""Makes the device call the tester.

A meter is brought to it by ``target.trigger``, where the runner has the meter in its hands, or by
the command of the setting ``tls.trigger``; a head end by its own command. In commands ``{host}``,
``{port}`` and ``{task}`` stand for where the tester listens and what is to be done.
"""

from __future__ import annotations

import asyncio
import shlex
from contextlib import suppress

from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.trying.trial import Trial

TASK = "read"


class Triggered:
    """What makes the device call; ``end`` ends a command that is still running."""

    def __init__(self, process: asyncio.subprocess.Process | None = None) -> None:
        self._process = process

    async def end(self) -> None:
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(5.0):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def trigger(trial: Trial, host: str, port: int) -> Triggered:
    """:class:`Unjudged` if nobody knows how."""
    if trial.target.trigger is not None:
        await trial.target.trigger(host, port, TASK)
        return Triggered()
    written = trial.declaration.settings.get("tls.trigger", "")
    command = tuple(shlex.split(written)) or trial.declaration.client.command
    if not command:
        raise Unjudged("nobody knows how to make the device call (tls.trigger)")
    words = {"{host}": host, "{port}": str(port), "{task}": TASK}
    said = [_filled(part, words) for part in command]
    trial.record.note(f"runs {said[0]}")
    try:
        process = await asyncio.create_subprocess_exec(
            *said,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise Unjudged(f"the command {said[0]} cannot be run: {error.strerror}") from None
    return Triggered(process)


def _filled(part: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        part = part.replace(word, value)
    return part
