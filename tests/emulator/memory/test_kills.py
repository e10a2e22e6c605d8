"""A meter that is killed at any instant: what was acknowledged has happened, and nothing twice.

What nobody acknowledged has happened once or not at all; which of the two, the meter says when it
is asked. ``COSEMLAB_KILLS`` is how many times it is killed at random, 200 if nobody says.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.objects.token_gateway import TOKEN_SCOPE
from devices.profile import load
from devices.token import make_token
from dlms.acse.names import Mechanism
from dlms.axdr.data import double_long, octet_string
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from emulator.client import NotAssociated, Refused, connect
from emulator.client.errors import AssociationLost, ClientError
from emulator.head_end.party import client_titles
from emulator.key_suites import suites_of
from emulator.memory.kept_memories import KeptMemories
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.provisioning import client_keys

KILLS = int(os.environ.get("COSEMLAB_KILLS", "200"))
KILLS_OF_ONE = 50
"""Then another meter takes over: in a fast run a key is changed five times, and it can be
:data:`~devices.objects.security_setup.global_keys.MAX_ROTATIONS` times.
"""
PATIENCE = 120.0
LONGEST = 0.1
"""Seconds that a run lasts at the most: some hundred requests."""

PROFILE = load("secure")
ROW = PROFILE.associations["s1sp"]
TITLE = PROFILE.system_title(1)
CREDIT, GATEWAY = (112, "0-0:19.10.0.255", 2), (115, "0-0:19.40.0.255", 2)
REGISTER = 3, "1-0:1.8.0.255", 2
SETUP = 64, f"0-0:43.0.{ROW.security_setup}.255", 2
"""With their classes: nobody has to read the object list in each run."""
LOST = (ConnectionError, AssociationLost, OSError, EOFError)
SOMETIMES = ("credit", "token", "guek", "gak", "kek", "guek gak", "read")


class Meter:
    """The program, and the run of the meter that is on."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.minutes = 0

    @asynccontextmanager
    async def run(self, point: str | None = None) -> AsyncIterator[tuple[int, int]]:
        """Process id and port; at the end the process is none any more."""
        self.minutes += 1
        await self._tell({"minutes": self.minutes, "point": point})
        said = await self._hear()
        assert said != "over", "the meter does not start"
        try:
            yield said["pid"], said["port"]
        finally:
            with suppress(ProcessLookupError):
                os.kill(said["pid"], signal.SIGKILL)
            assert await self._hear() == "over"

    async def _tell(self, what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        await self._process.stdin.drain()

    async def _hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(await asyncio.wait_for(self._process.stdout.readline(), PATIENCE))


class Head:
    """A client that knows what was acknowledged, and what must be now.

    ``may`` are the keys that the meter may have; ``balance`` what it must have, or had before the
    credit ``open`` of which nobody knows.
    """

    def __init__(self) -> None:
        ring = KeyRing(bytes(32), suites_of(PROFILE))
        self.may = [client_keys(ROW, TITLE, client_titles()["s1sp"], ring)]
        self.counters = InvocationCounters()
        self.token_key = KeyRef(TITLE, TOKEN_SCOPE, KeyKind.TOKEN)
        self.module = SoftwareModule(ring)
        self.balance: int | None = None
        self.open = 0
        self.register = 0
        self.numbers = itertools.count(1)
        self.tokens: list[str] = []
        self.done: Counter[str] = Counter()

    @asynccontextmanager
    async def associated(self, port: int) -> AsyncIterator[Any]:
        """By the first keys that the meter may have and takes; there must be some."""
        why: list[str] = []
        for keys in tuple(self.may):
            async with connect("127.0.0.1", port, timeout=PATIENCE) as client:
                association = client.associate(
                    client_sap=ROW.config.client_sap,
                    server_sap=ROW.config.server_sap,
                    mechanism=Mechanism.HLS_GMAC,
                    own_title=client_titles()["s1sp"],
                    server_title=TITLE,
                    keys=keys,
                    counter=0,
                    counters=self.counters,
                )
                try:
                    await association.open()
                except NotAssociated as error:
                    why.append(str(error))
                    self.may.remove(keys)
                    continue
                try:
                    yield association
                finally:
                    with suppress(ClientError, *LOST):
                        await association.close()
                return
        raise AssertionError(f"the meter has neither the old keys nor the new ones: {why}")

    async def look(self, association: Any) -> None:
        """The figures are what they must be; what was open is not any more."""
        balance = (await association.get(CREDIT, raw=True)).value
        if self.balance is not None:
            assert balance - self.balance in (0, self.open)
            self.done["in doubt, happened"] += bool(self.open) and balance != self.balance
            self.done["in doubt, had not"] += bool(self.open) and balance == self.balance
        self.balance, self.open = balance, 0
        register = (await association.get(REGISTER, raw=True)).value
        assert register >= self.register
        self.register = register

    async def do(self, association: Any, what: str, pence: int) -> None:
        match what:
            case "credit":
                self.open = pence
                await association.invoke(CREDIT, 1, double_long(pence))
                self._credited()
            case "token":
                number = next(self.numbers)
                token = run(make_token(pence, number, self.token_key, TITLE), self.module.execute)
                self.open = pence
                await association.invoke(GATEWAY, 1, octet_string(token.encode()))
                self.tokens.append(token)
                self._credited()
            case "read":
                await self.look(association)
            case _:
                await self._transfer(association, what)
        self.done[what] += 1

    def _credited(self) -> None:
        assert self.balance is not None
        self.balance, self.open = self.balance + self.open, 0

    async def _transfer(self, association: Any, names: str) -> None:
        """Which master key the meter has shows only here."""
        setup = association.security_setup(SETUP)
        before = association.keys
        try:
            await setup.transfer_keys(*names.split())
        except Refused:
            self.may.remove(before)
            assert self.may, "the meter has none of the master keys that it may have"
            raise ConnectionError("with another master key then") from None
        except BaseException:
            if setup.in_doubt is not None:
                self.may = [*self.may, setup.in_doubt]
            raise
        self.may = [association.keys]


@asynccontextmanager
async def new_meter(folder: Path, pki: Any) -> AsyncIterator[Meter]:
    """One that nobody has used."""
    KeptMemories.create(folder, bytes(32))
    pki.save(folder / "pki")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("served.py")), str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    yield Meter(process)
    process.kill()
    await process.wait()


@pytest.fixture
async def meter(tmp_path: Path, pki: Any) -> AsyncIterator[Meter]:
    async with new_meter(tmp_path, pki) as meter:
        yield meter


def nothing_twice(folder: Path) -> Counter[str]:
    """No initialization vector was used twice with a key, and no message taken twice."""
    used = (folder / "used").read_text().splitlines()
    again = [line for line, count in Counter(used).items() if count > 1]
    assert again == []
    return Counter(line.split(" ", 1)[0] for line in used)


async def test_killed_at_random(tmp_path: Path, pki: Any) -> None:
    """Several meters, one after the other: none changes a key more often than it can."""
    chance, done, used = random.Random(20190305), Counter[str](), Counter[str]()
    async with asyncio.timeout(PATIENCE + KILLS * 2):
        for begin in range(0, KILLS, KILLS_OF_ONE):
            folder = tmp_path / str(begin)
            folder.mkdir(mode=0o700)
            async with new_meter(folder, pki) as meter:
                head = await killed_at_random(meter, min(KILLS_OF_ONE, KILLS - begin), chance)
            done += head.done
            used += nothing_twice(folder)
    print(dict(done), dict(used))
    if KILLS >= 200:
        assert all(done[what] > 20 for what in SOMETIMES), "all of it was tried"
        assert done["in doubt, happened"], "the kills hit"
        assert done["in doubt, had not"]


async def killed_at_random(meter: Meter, kills: int, chance: random.Random) -> Head:
    head, loop = Head(), asyncio.get_running_loop()
    for _ in range(kills):
        async with meter.run() as (pid, port):
            timer = None
            with suppress(ClientError, *LOST):
                async with head.associated(port) as association:
                    await head.look(association)
                    delay = chance.uniform(0, LONGEST)
                    timer = loop.call_later(delay, os.kill, pid, signal.SIGKILL)
                    while True:
                        what = chance.choice(SOMETIMES)
                        await head.do(association, what, chance.randint(1, 20))
            if timer is not None:
                timer.cancel()
    async with meter.run() as (_, port):
        async with head.associated(port) as association:
            await head.look(association)
        for token in head.tokens[-3:]:
            async with head.associated(port) as association:
                with pytest.raises(Refused):
                    await association.invoke(GATEWAY, 1, octet_string(token.encode()))
                await head.look(association)
    return head


@pytest.mark.parametrize("point", ["before BEGIN", "before COMMIT", "after COMMIT"])
async def test_killed_at_each_point_of_a_commit(meter: Meter, tmp_path: Path, point: str) -> None:
    """Before the end of the commit nothing has happened, from then on all of it."""
    head, happened = Head(), point == "after COMMIT"
    async with asyncio.timeout(PATIENCE):
        async with meter.run() as (_, port), head.associated(port) as association:
            await head.look(association)
        for what in ("credit", "token", "guek", "gak", "kek", "guek gak", "kek", "token"):
            before, balance = list(head.may), head.balance
            assert balance is not None
            async with meter.run(point) as (_, port):
                with pytest.raises((ClientError, *LOST)):
                    async with head.associated(port) as association:
                        await head.do(association, what, 7)
            async with meter.run() as (_, port):
                if what in ("credit", "token"):
                    async with head.associated(port) as association:
                        await head.look(association)
                    assert head.balance == balance + 7 * happened
                    continue
                old, new = head.may
                assert before == [old]
                assert replace(new, kek=old.kek) != old or new.kek != old.kek
                head.may = [new] if happened else [old]
                async with head.associated(port) as association:
                    await head.do(association, "gak", 0)
        nothing_twice(tmp_path)
