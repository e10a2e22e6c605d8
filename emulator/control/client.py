"""One request to a running sandbox by its control socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from emulator.control import lines


async def ask(
    path: Path,
    action: str,
    meter: str | None = None,
    arguments: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Have it done, however long it takes; give what became of it.

    :class:`~emulator.control.errors.ControlError` as the sandbox says it, ``OSError`` if none
    listens there or it ends meanwhile.
    """
    with lines.reachable(path) as name:
        reader, writer = await asyncio.open_unix_connection(name, limit=lines.MAX_ANSWER)
    try:
        request = {"id": 1, "action": action, "meter": meter, "arguments": dict(arguments or {})}
        writer.write(lines.encode(request))
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError:
        raise ConnectionResetError("the sandbox has ended") from None
    finally:
        writer.close()
    return lines.result(line)
