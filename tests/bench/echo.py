"""A process that does nothing but echo, over the same transport as our meters, until standard input
ends. It prints its port.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

from tls.plain import start_tcp_server


class Echo(asyncio.Protocol):
    """The least that a server on this loop and transport can do."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


async def main(host: str) -> None:
    listener = await start_tcp_server(Echo, host, 0)
    async with listener:
        print(listener.port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
