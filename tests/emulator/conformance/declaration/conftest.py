"""Declarations of running meters, and the tester's files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from devices.profile import load as load_profile
from emulator.conformance.declaration import key_file
from emulator.conformance.declaration.model import Declaration, WayKind
from emulator.conformance.declaration.of_profile import Circumstances, TlsFiles, declare, keys_of
from emulator.head_end.party import client_titles
from emulator.key_suites import suites_of
from emulator.meter_address import Way
from emulator.modules.keyring import KeyRing
from emulator.sandbox import Sandbox
from emulator.virtual_clock import VirtualClock
from tls.credentials import Credential
from tls.pki import TestPki

Declared = Callable[..., Declaration]


@pytest.fixture
def tester_files(tmp_path: Path, pki: TestPki) -> TlsFiles:
    """The S1SP's certificate, which the meters expect at their TLS port."""
    own: Credential = pki.issue_client(client_titles()["s1sp"], "tester")
    own.save(tmp_path / "tester", "tester")
    ca = tmp_path / "ca.pem"
    ca.write_bytes(pki.trust().roots_pem)
    return TlsFiles(
        str(ca), str(tmp_path / "tester" / "tester.pem"), str(tmp_path / "tester" / "tester.key")
    )


@pytest.fixture
async def everywhere(
    pki: TestPki, clock: VirtualClock, fleet_secret: bytes
) -> AsyncIterator[Sandbox]:
    """The laboratory meter, and one with an IEC HDLC setup, on all ways."""
    async with Sandbox(
        [load_profile("laboratory"), load_profile("secure")],
        pki=pki,
        fleet_secret=fleet_secret,
        client_titles=client_titles(),
        clock=clock,
        ways=tuple(Way),
    ) as sandbox:
        yield sandbox


@pytest.fixture
def declared(fleet_secret: bytes, tmp_path: Path, tester_files: TlsFiles) -> Declared:
    """The declaration of a running meter; its key file is written."""

    def make(sandbox: Sandbox, name: str, kind: WayKind = WayKind.TCP) -> Declaration:
        meter = sandbox.meters[name]
        profile = meter.device.profile
        path = tmp_path / f"{name} {kind.value} keys.toml"
        ring = KeyRing(fleet_secret, suites_of(profile))
        key_file.save(path, keys_of(profile, meter.device.title, ring, client_titles()))
        how = Circumstances(titles=client_titles(), kind=kind, tls=tester_files, key_file=str(path))
        return declare(profile, meter.address, how)

    return make
