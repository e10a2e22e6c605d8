"""A workspace whose sandbox is up in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from devices.profile import available
from dlms.security.drive import run as run_step
from dlms.security.keys import KeyKind
from dlms.security.ops import Step
from emulator.head_end.party import client_titles, storage_key
from emulator.keystore.known import StoredKnownKeys
from emulator.keystore.wrapping import Wrapping
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.profiles import load_all
from emulator.sandbox import Sandbox
from emulator.virtual_clock import VirtualClock
from emulator.workspace import Workspace


class Place(NamedTuple):
    workspace: Workspace
    sandbox: Sandbox

    async def differing(self, *kinds: KeyKind) -> list[str]:
        """Keys that a meter has and the store has not in force, or that are in doubt."""
        found = []
        for actor, scope in ((Actor.S1SP, "s1sp"), (Actor.DCO, "dco")):
            ring = KeyRing(self.workspace.scope_secrets(actor))
            module = SoftwareModule(ring)
            wrapping = Wrapping(self.workspace.key_store(), storage_key(actor), lambda key: None)
            known = StoredKnownKeys(wrapping, self.workspace.holds)

            async def run(step: Step[Any], module: SoftwareModule = module) -> Any:
                return run_step(step, module.execute)

            for name, meter in self.sandbox.meters.items():
                title = meter.device.title
                await known.recall(title, scope, run)
                if known.in_doubt(title, scope):
                    found.append(f"{name} {scope} in doubt")
                for kind in kinds:
                    theirs = meter.faults._reach.ring.get(meter.device.key(scope, kind))
                    if ring.get(known.key(title, scope, kind)) != theirs:
                        found.append(f"{name} {scope} {kind.name}")
        return found


@pytest.fixture
async def up(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Place]:
    workspace = Workspace(tmp_path / "workspace")
    loaded = load_all(available())
    async with Sandbox(
        [profile for profile, _ in loaded.values()],
        pki=workspace.pki,
        fleet_secret=workspace.fleet_secret,
        client_titles=client_titles(),
        clock=clock,
    ) as sandbox:
        addresses = [meter.address for meter in sandbox.meters.values()]
        workspace.announce(addresses, {name: made for name, (_, made) in loaded.items()})
        yield Place(workspace, sandbox)
