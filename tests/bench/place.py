"""Starts the other process and knows where everything is."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dlms.security.keys import KeyKind, KeyRef
from emulator.modules.keyring import KeyRing
from emulator.policy import Actor
from emulator.sandbox import LOOPBACK
from emulator.workspace import Workspace
from tls.credentials import Credential, Trust

ASSOCIATION = "s1sp"
_PATIENCE = 10.0
"""Seconds that the other process may take to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """``meters`` and ``echo`` are pairs of ports, plain and TLS. All on ``host``."""

    title: bytes
    meters: list[tuple[int, int]]
    echo: tuple[int, int]
    fleet_secret: bytes
    credential: Credential
    trust: Trust
    host: str = LOOPBACK

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
    """A workspace and a server process that end with the context."""
    with tempfile.TemporaryDirectory(prefix="cosemlab-bench-") as folder:
        path = Path(folder) / "workspace"
        workspace = Workspace(path)
        server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("serve.py")), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            found = json.loads(server.stdout.readline())
            yield Place(
                title=bytes.fromhex(found["title"]),
                meters=[(plain, secure) for plain, secure in found["meters"]],
                echo=tuple(found["echo"]),
                fleet_secret=workspace.fleet_secret,
                credential=workspace.credential(Actor.S1SP),
                trust=workspace.pki.trust(),
            )
        finally:
            server.stdin.close()
            try:
                server.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            server.stdout.close()
