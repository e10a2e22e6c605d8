"""A sandbox meter as the device under test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from devices.firmware import SEALS
from devices.history import Alert
from devices.image import Target as ImageTarget
from devices.image import make_image
from devices.profile import Profile, load
from dlms.security.drive import run
from emulator.conformance import built_in
from emulator.conformance.declaration.model import Timing, WayKind
from emulator.conformance.declaration.of_profile import (
    Circumstances,
    TlsFiles,
    declare,
    keys_of,
)
from emulator.conformance.planting import Planted
from emulator.conformance.running.declared import target_of
from emulator.conformance.running.result import CaseResult
from emulator.conformance.running.runner import Runner
from emulator.conformance.trying.target import Trigger
from emulator.faults.careless.standing_in import REVOKED
from emulator.faults.careless.traits import LABORATORY_KEY
from emulator.head_end.party import TITLES, client_titles
from emulator.key_suites import suites_of
from emulator.meter_address import Way
from emulator.modules.authority import FleetAuthority
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.sandbox import RunningMeter, Sandbox
from emulator.serving.pushing import Address

SILENCE = 0.1
"""Seconds: these meters are in this process."""

KINDS = {
    "tcp": WayKind.TCP,
    "tls": WayKind.TLS,
    "udp": WayKind.UDP,
    "hdlc": WayKind.HDLC,
    "line": WayKind.SERIAL,
    "optical": WayKind.OPTICAL,
}


class Bench(NamedTuple):
    """A meter, and a runner with its declaration."""

    meter: RunningMeter
    runner: Runner
    around: Callable[[Planted], AbstractContextManager[None]]

    async def verdicts(self, *ids: str) -> dict[str, CaseResult]:
        catalogue = built_in()
        return {id: await self.runner.run_one(catalogue.checks[id]) for id in ids}


@pytest.fixture
def bench(pki: Any, fleet_secret: bytes, tmp_path: Path) -> Callable[..., Any]:
    """``async with bench(profile, way, features=..., planted=...) as bench``. What is planted is
    there between the first sanity of a case and the last. ``hurried`` meters verify an image in a
    second.
    """
    files = tls_files(pki, tmp_path)

    @asynccontextmanager
    async def start(
        name: str,
        way: str = "tcp",
        *,
        features: Mapping[str, int] | None = None,
        planted: Planted | None = None,
        seed: str = "0",
        timing: Timing | None = None,
        settings: Mapping[str, str] | None = None,
        hurried: bool = False,
    ) -> AsyncIterator[Bench]:
        profile = load(name)
        if hurried:
            profile = replace(profile, habits=replace(profile.habits, image_verification=1))
        listeners: list[Address] = []
        async with Sandbox(
            [profile],
            pki=pki,
            fleet_secret=fleet_secret,
            client_titles=client_titles(),
            ways=list(Way),
            listener=lambda: listeners[-1] if listeners else None,
        ) as sandbox:
            meter = sandbox.meters[profile.name]

            @contextmanager
            def around(what: Planted) -> Iterator[None]:
                fault = meter.faults.plant(what.row)
                try:
                    yield
                finally:
                    fault.end()

            image = image_for(profile, fleet_secret, tmp_path)
            how = Circumstances(
                titles=client_titles(), kind=KINDS[way], tls=files, spend=True, image=image,
                timing=timing or Timing(silence=SILENCE),
            )  # fmt: skip
            declaration = declare(profile, meter.address, how)
            calls = {"tls.client": True} if way == "tls" else {}
            declaration = replace(
                declaration,
                features={**declaration.features, **calls, **(features or {})},
                settings={
                    **declaration.settings,
                    **authorities(fleet_secret, tmp_path),
                    **tls_settings(pki, tmp_path),
                    **(settings or {}),
                },
            )
            keys = keys_of(profile, meter.device.title, meter.ring, client_titles())
            within: Callable[[], AbstractContextManager[object]] = nullcontext
            if planted is not None:
                within = lambda: around(planted)  # noqa: E731
            target = target_of(declaration, keys)
            target.trigger = calling(sandbox, meter, listeners)
            runner = Runner(target, seed=seed, around=within)
            yield Bench(meter, runner, around)

    return start


def calling(sandbox: Sandbox, meter: RunningMeter, listeners: list[Address]) -> Trigger:
    """Makes the meter call a listener: it has an alert to tell."""

    async def call(host: str, port: int, task: str) -> None:
        while sandbox.pusher.busy:  # noqa: ASYNC110  # nobody tells when it is not any more
            await asyncio.sleep(0)
        listeners[:] = [Address(host, port)]
        state = meter.device.state
        if not state.alerts:
            number = state.figures["last alert"] = state.figures.get("last alert", 0) + 1
            state.alerts[number] = Alert(0x8F74, sandbox.clock.now())
            meter.mains.host.settle()
        sandbox.pusher.look_again(meter.teller)
        sandbox.pusher.listener_changed()

    return call


def tls_settings(pki: Any, folder: Path) -> dict[str, str]:
    """What devices of the laboratory know: a shared key, and certificates that were revoked."""
    title = TITLES[Actor.S1SP]
    client, listener = pki.issue_client(title, REVOKED), pki.issue_listener(title, REVOKED)
    contents = {
        "tls.issuer": pki.issuing.certificate_pem,
        "tls.issuer-key": pki.issuing.key_pem,
        "tls.psk-file": LABORATORY_KEY[1].hex().encode(),
        "tls.revoked": client.chain_pem,
        "tls.revoked-key": client.private_key_pem,
        "tls.revoked-server": listener.chain_pem,
        "tls.revoked-server-key": listener.private_key_pem,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: str(folder / name) for name in contents}


def tls_files(pki: Any, folder: Path) -> TlsFiles:
    """The S1SP's certificate, as files."""
    credential = pki.issue_client(TITLES[Actor.S1SP], "S1SP")
    paths = [folder / name for name in ("root.pem", "tester.pem", "tester.key")]
    octets = pki.trust().roots_pem, credential.chain_pem, credential.private_key_pem
    for path, content in zip(paths, octets, strict=True):
        path.touch(0o600)
        path.write_bytes(content)
    return TlsFiles(*map(str, paths))


def authorities(fleet_secret: bytes, folder: Path) -> dict[str, str]:
    """The fleet's authorities of suites 1 and 2, as files that the declaration names."""
    settings = {}
    for suite in (1, 2):
        authority = FleetAuthority(fleet_secret, suite)
        root = x509.load_der_x509_certificate(authority.certificate).public_bytes(Encoding.PEM)
        for what, content in ("issuer", root), ("key", authority.private_key_pem()):
            path = folder / f"authority-{what}-{suite}.pem"
            path.touch(0o600)
            path.write_bytes(content)
            settings[f"certificates.{what}.{suite}"] = str(path)
    return settings


def image_for(profile: Profile, fleet_secret: bytes, folder: Path) -> str:
    """An image that this meter takes."""
    habits = profile.habits
    target = ImageTarget(profile.flag_id, profile.model, habits.hardware_version)
    ring = KeyRing(fleet_secret, suites_of(profile))
    step = make_image(target, "9.9.9", bytes(2048), SEALS[habits.image_seal])
    path = folder / f"{profile.name}.bin"
    path.write_bytes(run(step, SoftwareModule(ring).execute))
    return str(path)
