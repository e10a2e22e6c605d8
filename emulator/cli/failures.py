"""One clear line and an exit status for everything that can go wrong."""

from __future__ import annotations

import asyncio
import os
import select
import sys
from collections.abc import Callable, Coroutine
from enum import IntEnum

from devices.profile import ProfileError
from dlms.client.refusals import MeterRefusal
from dlms.errors import DlmsError, ProtocolError
from dlms.security.ops import CryptoFailure, OperationRefused
from emulator.client import UnknownObject
from emulator.control import ControlError, ControlRefused
from emulator.database import DatabaseError
from emulator.enrolment.steps import EnrolmentError
from emulator.journal import StoreError
from emulator.ledger import LedgerError
from emulator.module_file import ModuleFileError
from emulator.modules.pkcs11.failures import TokenUnavailable
from emulator.mqtt.broker_errors import BrokerError
from emulator.products.errors import NotAllowed, ProductsError
from emulator.requests.refusal import RequestRefused
from emulator.workspace import WorkspaceError


class Exit(IntEnum):
    """Exit status by kind."""

    DONE = 0
    FAILED = 1
    """A step did not happen, or the meter refused it."""
    USAGE = 2
    """The command line, a profile or the workspace is not right."""
    CONNECTION = 3
    """No connection, no TLS session, no answer in time, no token."""
    PROTOCOL = 4
    """The meter broke the protocol, or a message did not verify."""
    POLICY = 5
    """Enforce mode: no Cryptographic Module at hand is strong enough."""
    INTERRUPTED = 130


KINDS: tuple[tuple[type[BaseException], Exit], ...] = (
    (OperationRefused, Exit.POLICY),
    (BrokerError, Exit.CONNECTION),
    (MeterRefusal, Exit.FAILED),
    (EnrolmentError, Exit.FAILED),
    (RequestRefused, Exit.FAILED),
    (ControlRefused, Exit.FAILED),
    (NotAllowed, Exit.FAILED),
    (ProductsError, Exit.USAGE),
    (ControlError, Exit.USAGE),
    (StoreError, Exit.USAGE),
    (LedgerError, Exit.FAILED),
    (DatabaseError, Exit.USAGE),
    (ProtocolError, Exit.PROTOCOL),
    (TokenUnavailable, Exit.CONNECTION),
    (CryptoFailure, Exit.PROTOCOL),
    (UnknownObject, Exit.USAGE),
    (WorkspaceError, Exit.USAGE),
    (ModuleFileError, Exit.USAGE),
    (ProfileError, Exit.USAGE),
    (PermissionError, Exit.USAGE),
    (TimeoutError, Exit.CONNECTION),
    (OSError, Exit.CONNECTION),
    (DlmsError, Exit.PROTOCOL),
    (ValueError, Exit.USAGE),
)
"""First match decides: what is more special stands before what it is a kind of."""

EXPECTED = tuple(kind for kind, _ in KINDS)


def status_of(error: BaseException) -> Exit:
    return next(status for kind, status in KINDS if isinstance(error, kind))


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
    except EXPECTED as error:
        if isinstance(error, BrokenPipeError) and reader_is_gone():
            return Exit.FAILED
        say(error)
        return status_of(error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


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
