"""Starts the other process and knows where everything is."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dlms.security.keys import KeyKind, KeyRef
from emulator.meter_address import LOOPBACK
from emulator.modules.keyring import KeyRing
from emulator.policy import Actor
from emulator.workspace import Workspace
from tls.credentials import Credential, Trust

ASSOCIATION = "s1sp"
_PATIENCE = 10.0
"""Seconds that the other process may take to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """``meters`` and ``echo`` are pairs of ports, plain and TLS; ``echo_alone`` is the port of an
    echo in a process of its own, all on ``host``; the processes are given by their ids.
    ``free_meters`` numbers the meters nobody uses.
    """

    title: bytes
    meters: list[tuple[int, int]]
    echo: tuple[int, int]
    echo_alone: int
    meters_process: int
    echo_process: int
    fleet_secret: bytes
    credential: Credential
    trust: Trust
    host: str = LOOPBACK
    free_meters: Iterator[int] = field(default_factory=itertools.count)

    @property
    def guek(self) -> KeyRef:
        return KeyRef(self.title, ASSOCIATION, KeyKind.GUEK)

    @property
    def gak(self) -> KeyRef:
        return KeyRef(self.title, ASSOCIATION, KeyKind.GAK)

    def octets(self, key: KeyRef) -> bytes:
        """The key itself, for the peers."""
        return KeyRing(self.fleet_secret).get(key)


@contextlib.contextmanager
def opened() -> Iterator[Place]:
    """A workspace and server processes that end with the context."""
    with tempfile.TemporaryDirectory(prefix="cosemlab-bench-") as folder:
        path = Path(folder) / "workspace"
        workspace = Workspace(path)
        with (
            _serving("serve.py", str(path)) as (meters, line),
            _serving("echo.py", LOOPBACK) as (echo, port),
        ):
            found = json.loads(line)
            yield Place(
                title=bytes.fromhex(found["title"]),
                meters=[(plain, secure) for plain, secure in found["meters"]],
                echo=tuple(found["echo"]),
                echo_alone=int(port),
                meters_process=meters,
                echo_process=echo,
                fleet_secret=workspace.fleet_secret,
                credential=workspace.credential(Actor.S1SP),
                trust=workspace.pki.trust(),
            )


@contextlib.contextmanager
def _serving(script: str, argument: str) -> Iterator[tuple[int, str]]:
    """A process that serves until its standard input ends: its id, and the line that it prints."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name(script)), argument],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        yield server.pid, server.stdout.readline()
    finally:
        server.stdin.close()
        try:
            server.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        server.stdout.close()
