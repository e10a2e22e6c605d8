"""Meters in a sandbox that ends and begins again, or cannot keep what they are told."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from devices.outbox import Changed
from devices.profile import load as load_profile
from dlms.axdr.data import octet_string
from dlms.cosem import obis
from dlms.cosem.security_setup import Policy
from dlms.security.control import Protection
from dlms.security.keys import KeyKind
from dlms.security.ops import CertificatePurpose
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.cli import up
from emulator.cli.main import main
from emulator.client import Keys, NotAssociated, Refused, by_entity
from emulator.key_suites import suites_of
from emulator.memory.kept_memories import KeptMemories
from emulator.memory.store import NotKept
from emulator.modules.keyring import KeyRing
from emulator.provisioning import CLIENT_TITLE, Fleet, client_keys
from emulator.sandbox import Sandbox
from emulator.virtual_clock import ClockError, VirtualClock
from emulator.workspace import Workspace

SECRET = bytes(range(0x40, 0x60))
PROFILE = load_profile("laboratory")
TITLE = PROFILE.system_title(1)
PAD, CLOCK = "0-0:96.1.9.255", "0-0:1.0.0.255"
LOST = (ConnectionError, EOFError)
pytestmark = pytest.mark.usefixtures("own_process")


class Bench:
    """One laboratory meter, in one sandbox after the other on the same memories."""

    def __init__(self, folder: Path, run_meter: Any, route_to: Any, associated: Any) -> None:
        self.folder = folder
        self.ring = KeyRing(SECRET, suites_of(PROFILE))
        self._run, self._route, self._associated = run_meter, route_to, associated
        self.meter: Any = None
        self.memories: Any = None

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Any]:
        with KeptMemories(self.folder, SECRET) as self.memories:
            options = {"client_titles": {}, "memories": self.memories}
            async with self._run(PROFILE, **options) as self.meter:
                yield self.meter.device

    def keys(self, scope: str) -> Keys:
        return client_keys(PROFILE.associations[scope], TITLE, CLIENT_TITLE, self.ring)

    @asynccontextmanager
    async def associate(self, scope: str, keys: Keys | None = None) -> AsyncIterator[Any]:
        row = PROFILE.associations[scope]
        how = {
            "client_sap": row.config.client_sap,
            "mechanism": row.config.mechanism,
            "suite": row.config.suite,
            "keys": self.keys(scope) if keys is None else keys,
            "own_title": CLIENT_TITLE,
            "server_title": TITLE,
            "counter_from": f"0-0:43.1.{row.security_setup}.255",
        }
        route = self._route(self.meter, "tcp")
        async with self._associated("asyncio", route, **how) as association:
            yield association

    def setup(self, association: Any, scope: str) -> Any:
        number = PROFILE.associations[scope].security_setup
        return association.security_setup(f"0-0:43.0.{number}.255")


@pytest.fixture
def bench(folder: Path, run_meter: Any, route_to: Any, associated: Any) -> Bench:
    return Bench(folder, run_meter, route_to, associated)


async def test_new_keys_after_a_restart(bench: Bench) -> None:
    """All of them, however they came; the old ones are good for nothing any more."""
    old = bench.keys("suite1")
    async with bench.up(), bench.associate("suite1") as a:
        await bench.setup(a, "suite1").transfer_keys("guek", "gak", "kek")
        await bench.setup(a, "suite1").agree_keys("guek")
        new = a.keys
    async with bench.up() as device:
        assert device.key("suite1", KeyKind.GUEK).version == 2
        with pytest.raises(NotAssociated):
            async with bench.associate("suite1", old):
                pass
        async with bench.associate("suite1", new) as a:
            await bench.setup(a, "suite1").transfer_keys("gak")
            newer = a.keys
    async with bench.up(), bench.associate("suite1", newer) as a:
        assert await a.get(PAD) == b"\0"


async def test_a_key_that_was_in_use_before_the_restart_is_refused(bench: Bench) -> None:
    """Or its counters would begin at 0 a second time."""
    async with bench.up(), bench.associate("dco") as a:
        await bench.setup(a, "dco").transfer_keys("guek")
        between = a.keys
        await bench.setup(a, "dco").transfer_keys("guek")
        new = a.keys
    async with bench.up() as device:
        versions = [device.key("dco", KeyKind.GUEK)._replace(version=n) for n in range(3)]
        octets = [bench.memories._loaded[TITLE].ring.get(ref) for ref in versions]
        assert octets == [bench.keys("dco").guek, between.guek, new.guek]


async def test_a_key_pair_and_its_certificate_after_a_restart(bench: Bench) -> None:
    """Made before one restart, certified after it, used after another one."""
    authority = Fleet(SECRET).authority(1)
    async with bench.up(), bench.associate("suite1") as a:
        await bench.setup(a, "suite1").generate_key_pair("signature")
        request = await bench.setup(a, "suite1").certificate_request("signature")
    async with bench.up(), bench.associate("suite1") as a:
        setup = bench.setup(a, "suite1")
        assert await setup.certificate_request("signature") != b""
        der = authority.answer(request, TITLE, CertificatePurpose.SIGNATURE)
        await setup.import_certificate(der)
        await setup.agree_keys("gbek")
        new = a.keys
    async with bench.up() as device, bench.associate("suite1", new) as a:
        await bench.setup(a, "suite1").agree_keys("gbek")
        held = await bench.setup(a, "suite1").export_certificate(
            by_entity("server", "signature", TITLE)
        )
        assert held == der
        assert device.key("suite1", KeyKind.SIGNING_KEY).version == 1


async def test_what_left_with_its_certificate_does_not_come_back(bench: Bench) -> None:
    """A meter that starts again is not made again."""
    async with bench.up() as device, bench.associate("suite1") as a:
        before = len(device.state.certificates["suite1"])
        setup = bench.setup(a, "suite1")
        await setup.remove_certificate(by_entity("server", "key-agreement", TITLE))
    async with bench.up() as device, bench.associate("suite1") as a:
        assert len(device.state.certificates["suite1"]) == before - 1
        assert device.state.destroyed == {("suite1", KeyKind.AGREEMENT_KEY)}
        with pytest.raises(Refused):
            await bench.setup(a, "suite1").certificate_request("key-agreement")


async def test_values_policies_clock_and_users_after_a_restart(bench: Bench) -> None:
    policy = Policy(Protection.BOTH, Protection.BOTH)
    async with bench.up() as device:
        async with bench.associate("suite1") as a:
            await a.set(PAD, 2, octet_string(b"kept"))
            await a.invoke(CLOCK, 6, 30)
            await bench.setup(a, "suite1").activate_policy(*policy)
        digest, offset = device.state.digest(), device.state.clock_offset
        assert offset == dt.timedelta(seconds=30)
    async with bench.up() as device, bench.associate("suite1") as a:
        assert device.state.digest() == digest
        assert device.state.clock_offset == offset
        assert await a.get(PAD) == b"kept"
        assert device.state.policies["suite1"] == policy


# What cannot be kept ------------------------------------------------------------------------------


async def test_a_meter_that_cannot_keep_it_says_nothing(bench: Bench, events: Any) -> None:
    """It hangs up, is what it was, and goes on when there is room again."""
    async with bench.up() as device:
        execute = bench.memories.store._connection.execute
        (pages,) = execute("PRAGMA page_count").fetchone()
        execute(f"PRAGMA max_page_count = {pages}")
        digest = device.state.digest()
        async with bench.associate("dco") as a:
            device.state.image[0] = bytes(100_000)
            with pytest.raises(LOST):
                await a.set(PAD, 2, octet_string(b"no room"))
        (event,) = events.of("unable")
        assert "meters.sqlite" in event.text
        assert "full" in event.text
        assert device.state.digest() == digest
        execute("PRAGMA max_page_count = 1000000")
        async with bench.associate("dco") as a:
            await a.set(PAD, 2, octet_string(b"there is room"))
        assert device.state.digest() != digest
    async with bench.up() as device, bench.associate("dco") as a:
        assert await a.get(PAD) == b"there is room"


async def test_new_keys_that_cannot_be_kept_are_none(bench: Bench) -> None:
    """Every later association goes by the old ones, and others can follow them."""
    async with bench.up() as device:
        memory = bench.memories._loaded[TITLE]
        keep = memory._keep

        def full(changed: Any) -> None:
            raise NotKept("no room")

        memory._keep = full
        with pytest.raises(LOST):
            async with bench.associate("dco") as a:
                await bench.setup(a, "dco").transfer_keys("guek", "kek")
        memory._keep = keep
        assert device.key("dco", KeyKind.GUEK).version == 0
        assert memory.ring.lasting == {}
        async with bench.associate("dco") as a:
            await bench.setup(a, "dco").transfer_keys("guek", "kek")
            new = a.keys
    async with bench.up(), bench.associate("dco", new) as a:
        assert await a.get(PAD) == b"\0"


async def test_what_is_told_unasked_is_kept_first(bench: Bench) -> None:
    async with bench.up() as device, bench.associate("dco"):
        memory = bench.memories._loaded[TITLE]
        device.state.figures["something"] = 1
        audience = bench.meter.audience
        audience.tell(Changed(AttributeDescriptor(1, obis.parse(PAD), 2)))
        assert not memory.state.changes.any


# Time ---------------------------------------------------------------------------------------------


def test_time_does_not_go_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the meters have lived on faster than the world, they go on from there."""
    path = tmp_path / "workspace"
    workspace = Workspace(path)
    later = dt.datetime(2090, 1, 1, tzinfo=dt.UTC)
    with workspace.memories() as memories:
        assert memories.lived_until() is None
        sandbox = Sandbox(
            [load_profile("secure")],
            pki=workspace.pki,
            fleet_secret=workspace.fleet_secret,
            client_titles={},
            clock=VirtualClock(later, factor=0),
            memories=memories,
        )
        host = sandbox.assembly.assemble(load_profile("secure"), 1).host
        host.awake()
        host.memory.commit()
        assert memories.lived_until() == later
    assert main(["up", "secure", "--workspace", str(path), "--at", "2089-12-31T00:00:00Z"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("cosemlab: the meters have lived until 2090-01-01T00:00:00+00:00")


def test_where_time_begins() -> None:
    """Now, or where it is wanted, or where the meters are, whichever is later."""
    past, future = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2010, 2090))
    for lived in (None, past):
        assert up._begin(None, lived) > dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        assert up._begin(future, lived) == future
    assert up._begin(None, future) == up._begin(future, future) == future
    with pytest.raises(ClockError):
        up._begin(past, future)
