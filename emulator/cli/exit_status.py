"""How a command ends."""

from __future__ import annotations

from enum import IntEnum


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
