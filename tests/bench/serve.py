"""The other process: our meters and the echoes, until standard input ends.

``python serve.py WORKSPACE`` prints one line of JSON: where they listen. Every client gets a
meter of its own, all with the same title and keys, so that each has its counters to itself; they
are kept in files as those of ``cosemlab up`` are.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import samples
from echo import Echo

from emulator.memory.kept_memories import KeptMemories
from emulator.meter_address import LOOPBACK
from emulator.sandbox import Sandbox
from emulator.workspace import Workspace
from tls.contexts import server_context
from tls.files import private_directory
from tls.plain import start_tcp_server
from tls.transport import start_tls_server

METERS = 200
"""More than there are clients in a run: a counter belongs to one client and one meter."""


async def main(workspace: Workspace) -> None:
    async with AsyncExitStack() as stack:
        meters = []
        for number in range(METERS):
            path = private_directory(workspace.path / f"meter-{number}")
            KeptMemories.create(path, workspace.fleet_secret)
            memories = stack.enter_context(KeptMemories(path, workspace.fleet_secret))
            sandbox = Sandbox(
                [samples.profile()],
                pki=workspace.pki,
                fleet_secret=workspace.fleet_secret,
                client_titles={},
                memories=memories,
            )
            await stack.enter_async_context(sandbox)
            address = sandbox.meters[samples.PROFILE].address
            meters.append([address.plain_port, address.tls_port])
        plain = await start_tcp_server(Echo, LOOPBACK, 0)
        await stack.enter_async_context(plain)
        context = server_context(workspace.pki.issue_device(address.title), workspace.pki.trust())
        secure = await start_tls_server(Echo, LOOPBACK, 0, context, on_event=lambda event: None)
        await stack.enter_async_context(secure)
        print(
            json.dumps(
                {
                    "title": address.title.hex(),
                    "meters": meters,
                    "echo": [plain.port, secure.port],
                }
            ),
            flush=True,
        )
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Workspace(Path(sys.argv[1]))))
