"""The control socket: who may use it, what it answers, what it bounds."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from emulator.control import Argument, Control, ControlError, ControlRefused, Kind, Scope
from emulator.control.client import ask
from emulator.control.errors import refused
from emulator.control.lines import MAX_REQUEST
from emulator.control.server import MAX_CONNECTIONS, serve

PATIENCE = 120.0


class Site:
    """A control with a few actions; ``gate`` lets the slow one go on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()
        self.done: list[str] = []
        self.control = Control(lambda: ("itron",))
        size = Argument(name="size", kind=Kind.INTEGER, help="", least=0, most=1 << 24)
        self.control.register("echo", self._echo, arguments=[size], help="", meter=Scope.EITHER)
        self.control.register("no", self._no, help="")
        self.control.register("slow", self._slow, help="")
        self.control.register("much", self._much, arguments=[size], help="")

    async def _echo(self, meter: str | None, given: dict[str, Any]) -> dict[str, object]:
        return {"meter": meter, **given}

    async def _no(self, meter: None, given: dict[str, Any]) -> dict[str, object]:
        raise refused("not now")

    async def _slow(self, meter: None, given: dict[str, Any]) -> dict[str, object]:
        self.begun.set()
        await self.gate.wait()
        self.done.append("slow")
        return {}

    async def _much(self, meter: None, given: dict[str, Any]) -> dict[str, object]:
        return {"much": "x" * given["size"]}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path / "control.sock")
    async with serve(made.control, made.path):
        yield made


@pytest.fixture
async def dial(site: Site) -> AsyncIterator[Callable[[], Any]]:
    writers = []

    async def start() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(str(site.path), limit=1 << 24)
        writers.append(writer)
        return reader, writer

    yield start
    for writer in writers:
        writer.close()


async def said(reader: asyncio.StreamReader) -> Any:
    return json.loads(await asyncio.wait_for(reader.readline(), PATIENCE))


async def test_a_client_asks(site: Site) -> None:
    assert await ask(site.path, "echo", "itron", {"size": 3}) == {"meter": "itron", "size": 3}
    assert await ask(site.path, "echo") == {"meter": None}


@pytest.mark.parametrize(
    ("action", "meter", "given", "code", "kind"),
    [
        ("x", None, {}, "unknown-action", ControlError),
        ("echo", "x", {}, "unknown-meter", ControlError),
        ("echo", None, {"size": "3"}, "bad-argument", ControlError),
        ("no", None, {}, "refused", ControlRefused),
    ],
)
async def test_an_error_comes_back_as_what_it_is(
    action: str, meter: str | None, given: dict[str, object], code: str, kind: type, site: Site
) -> None:
    with pytest.raises(ControlError) as caught:
        await ask(site.path, action, meter, given)
    assert (caught.value.code, type(caught.value)) == (code, kind)


async def test_the_format(dial: Any) -> None:
    reader, writer = await dial()
    writer.write(b'{"id":"a","action":"echo","meter":"itron","arguments":{"size":3}}\n')
    assert await reader.readline() == (
        b'{"id":"a","ok":true,"result":{"meter":"itron","size":3}}\n'
    )
    writer.write(b'{"id":7,"action":"no"}\r\n')
    assert await reader.readline() == (
        b'{"id":7,"ok":false,"error":{"code":"refused","text":"not now"}}\n'
    )


@pytest.mark.parametrize(
    ("line", "id_", "text"),
    [
        (b"", None, "a line is an object in JSON"),
        (b"hello", None, "a line is an object in JSON"),
        (b"\xff\xfe", None, "a line is an object in JSON"),
        (b"[1]", None, "a line is an object in JSON"),
        (b"[" * 60_000, None, "a line is an object in JSON"),
        (b'{"id":1,"x":NaN}', None, "a line is an object in JSON"),
        (b'{"id":' + b"9" * 5000 + b"}", None, "a line is an object in JSON"),
        (b'{"id":1}', 1, "action is the name of an action"),
        (b'{"id":1,"action":5}', 1, "action is the name of an action"),
        (b'{"id":[1],"action":"echo"}', None, "id is text or a whole number"),
        (b'{"id":true,"action":"echo"}', None, "id is text or a whole number"),
        (b'{"id":1.5,"action":"echo"}', None, "id is text or a whole number"),
        (b'{"id":9223372036854775808,"action":"echo"}', None, "id is text or a whole number"),
        (b'{"id":"' + b"x" * 201 + b'","action":"echo"}', None, "id is text or a whole number"),
        (b'{"id":1,"action":"echo","meter":5}', 1, "meter is the name of a meter, or null"),
        (b'{"id":1,"action":"echo","arguments":[]}', 1, "arguments are an object"),
        (
            b'{"id":1,"action":"echo","argument":{}}',
            1,
            "a request has no 'argument'; it has: id, action, meter, arguments",
        ),
    ],
)
async def test_what_is_no_request_is_answered_and_the_next_is_heard(
    line: bytes, id_: object, text: str, dial: Any
) -> None:
    reader, writer = await dial()
    writer.write(line + b"\n" + b'{"id":2,"action":"echo"}\n')
    assert await said(reader) == {
        "id": id_,
        "ok": False,
        "error": {"code": "malformed", "text": text},
    }
    assert (await said(reader))["id"] == 2


async def test_a_line_has_an_end(dial: Any) -> None:
    reader, writer = await dial()
    writer.write(b" " * (MAX_REQUEST + 1))
    answer = await said(reader)
    assert answer["error"] == {"code": "malformed", "text": "a line has at most 65536 octets"}
    with suppress(ConnectionError):
        assert await reader.read() == b""


async def test_a_long_line_that_is_not_too_long(dial: Any) -> None:
    reader, writer = await dial()
    line = b'{"id":1,"action":"echo"}'
    writer.write(line + b" " * (MAX_REQUEST - len(line)) + b"\n")
    assert (await said(reader))["ok"] is True


async def test_a_line_without_an_end_is_no_request(dial: Any, site: Site) -> None:
    reader, writer = await dial()
    writer.write(b'{"id":1,"action":"slow"}')
    writer.write_eof()
    assert await reader.read() == b""
    assert not site.begun.is_set()


async def test_requests_are_answered_in_order_and_do_not_hold_others_up(
    dial: Any, site: Site
) -> None:
    reader, writer = await dial()
    writer.write(b'{"id":1,"action":"slow"}\n{"id":2,"action":"echo"}\n')
    await asyncio.wait_for(site.begun.wait(), PATIENCE)
    assert await ask(site.path, "echo") == {"meter": None}
    site.gate.set()
    assert [(await said(reader))["id"], (await said(reader))["id"]] == [1, 2]


async def test_what_was_begun_is_carried_out_though_the_client_goes(dial: Any, site: Site) -> None:
    _, writer = await dial()
    writer.write(b'{"id":1,"action":"slow"}\n')
    await asyncio.wait_for(site.begun.wait(), PATIENCE)
    writer.transport.abort()
    site.gate.set()
    await ask(site.path, "echo")
    assert site.done == ["slow"]


async def test_there_are_so_many_connections(dial: Any, site: Site) -> None:
    there = [await dial() for _ in range(MAX_CONNECTIONS)]
    for reader, writer in there:
        writer.write(b'{"id":1,"action":"echo"}\n')
        assert (await said(reader))["ok"]
    reader, _ = await dial()
    assert await said(reader) == {
        "id": None,
        "ok": False,
        "error": {"code": "refused", "text": "there are 16 connections already"},
    }
    assert await reader.read() == b""
    with pytest.raises(ControlRefused, match="16 connections"):
        await ask(site.path, "echo")
    reader, writer = there[0]
    writer.close()
    await writer.wait_closed()
    for _ in range(100):  # until the server has heard of it
        with suppress(ControlRefused):
            assert await ask(site.path, "echo") == {"meter": None}
            return
    raise AssertionError("the place is not free again")


async def test_an_answer_may_be_long(site: Site) -> None:
    shown = await ask(site.path, "much", None, {"size": 1 << 20})
    assert len(str(shown["much"])) == 1 << 20


# The file ---------------------------------------------------------------------------------------


async def test_it_is_its_owners_alone(site: Site) -> None:
    assert stat.S_IMODE(site.path.stat().st_mode) == 0o600


async def test_it_is_gone_afterwards_and_so_is_who_was_waiting(tmp_path: Path) -> None:
    site = Site(tmp_path / "control.sock")
    async with serve(site.control, site.path):
        asking = asyncio.create_task(ask(site.path, "slow"))
        await asyncio.wait_for(site.begun.wait(), PATIENCE)
    with pytest.raises(ConnectionResetError, match="the sandbox has ended"):
        await asking
    assert not site.path.exists()
    assert site.done == []
    with pytest.raises(FileNotFoundError):
        await ask(site.path, "echo")


async def test_one_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(ConnectionRefusedError):
        await ask(path, "echo")
    async with serve(Site(path).control, path):
        assert await ask(path, "echo") == {"meter": None}


async def test_anything_else_is_not(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.write_text("mine")
    with pytest.raises(OSError, match="in use"):
        async with serve(Site(path).control, path):
            pass
    assert path.read_text() == "mine"


async def test_a_path_that_is_too_long_for_the_system(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    folder.mkdir(parents=True)
    path = folder / "control.sock"
    async with serve(Site(path).control, path):
        assert await ask(path, "echo") == {"meter": None}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
