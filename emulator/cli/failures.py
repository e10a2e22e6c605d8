"""One clear line and an exit status for everything that can go wrong."""

from __future__ import annotations

import asyncio
import os
import select
import sys
from collections.abc import Callable, Coroutine

from emulator.cli.exit_status import Exit

__all__ = ["Exit", "guard", "line_of", "reader_is_gone", "run", "say", "status_of"]


def status_of(error: BaseException) -> Exit | None:
    """``None`` if nobody expects such an error: it is a defect of ours."""
    from emulator.cli.failure_kinds import KINDS  # only what has gone wrong costs the time

    return next((status for kind, status in KINDS if isinstance(error, kind)), None)


def line_of(error: BaseException) -> str:
    """What went wrong, in one line; of a profile, in a line for each thing."""
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    return str(error) or type(error).__name__


def say(error: BaseException) -> None:
    """Print what an error is."""
    for line in line_of(error).split("\n"):
        print(f"cosemlab: {line}", file=sys.stderr)


def run(main: Coroutine[object, object, int]) -> int:
    """Run a command; print what an expected failure was and give its exit status."""
    return guard(lambda: asyncio.run(main))


def guard(command: Callable[[], int]) -> int:
    """The same for a command that talks to nobody."""
    try:
        return command()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:
        if isinstance(error, BrokenPipeError) and reader_is_gone():
            return Exit.FAILED
        status = status_of(error)
        if status is None:
            raise
        say(error)
        return status


def reader_is_gone() -> bool:
    """Whether nobody reads standard output any more, as ``head`` does not that has seen enough.
    Then what is still to be written goes nowhere, at exit too.
    """
    try:
        output = sys.stdout.fileno()
    except ValueError:  # it is no file
        return False
    poll = select.poll()
    poll.register(output, 0)
    if not any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
        return False
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, output)
    os.close(nowhere)
    return True
