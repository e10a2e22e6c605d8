"""The meter that a head end calls: made for one task, with the keys that the head end has."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from devices.device import Device
from devices.firmware import SEALS
from devices.firmware import target as image_target
from devices.image import make_image
from devices.profile import Profile
from dlms.acse.names import Mechanism
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from emulator.client.keys import Keys
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.declaration.model import WayKind
from emulator.conformance.hostile.asked_for import attribute, instance, need, reads, top_up
from emulator.conformance.hostile.material import Material, code
from emulator.conformance.hostile.rows import VICES, made
from emulator.conformance.hostile.site import LOOPBACK, Site, association_for
from emulator.conformance.hostile.stage import Stage
from emulator.conformance.hostile.tls_files import pem_files
from emulator.conformance.trying.trial import OWN_TITLE, Trial
from emulator.events import MeterEvent
from emulator.faults.catalogue import Catalogue, Row
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind
from emulator.key_suites import suites_of
from emulator.meter_address import Way
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.sandbox import RunningMeter, Sandbox
from emulator.serving.lines import station_config

SLOWNESS = 0.4
"""How much of its time a head end spends on one slow response, if it waits."""

BEYOND = 2
"""By how much the next run begins above the highest counter that was sealed with."""

_FAULT = "hostile"
_BODY = bytes(600)
"""Of the image: some blocks."""

_SECRETS = {
    "guek": KeyKind.GUEK,
    "gak": KeyKind.GAK,
    "kek": KeyKind.KEK,
    "password": KeyKind.LLS_SECRET,
    "hls_secret": KeyKind.HLS_SECRET,
}
_WAYS = {
    WayKind.UDP: (Way.UDP,),
    WayKind.HDLC: (Way.HDLC,),
    WayKind.SERIAL: (Way.LINE,),
    WayKind.OPTICAL: (Way.OPTICAL,),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TitledProfile(Profile):
    """A profile whose one meter has this system title."""

    title: bytes

    def system_title(self, serial: int) -> bytes:
        return self.title


class Set(NamedTuple):
    """All is ready: the meter, where its vice acts, and what the head end is told."""

    stage: Stage
    device: Device
    material: Material


@asynccontextmanager
async def hostile_meter(
    trial: Trial, site: Site, task: str, vice: str, *, label: str, hls: bool
) -> AsyncIterator[Set]:
    """A meter with that vice, by its name in vices.toml, as long as this is entered.

    Keys are those that were declared, or new ones of ``label``.
    """
    association = association_for(site, task, hls=hls)
    row = VICES[vice]
    secret = hashlib.sha256(f"{trial.check.id}/{label}/{trial.rng.random()}".encode()).digest()
    meant = site.declaration.title or site.profile.system_title(1)
    title = meant if not row.parameters.get("other_title") else meant[:-1] + bytes((meant[-1] ^ 1,))
    profile = _profile(site, association, title, vice)
    keys = _keys(site, association, secret, meant)
    stage = Stage(association, trial.record, trial.rng, site.limit * SLOWNESS)
    stage.vice = made(row, stage)
    now = trial.clocks.today()

    def begin(fault: Fault) -> None:
        for name, octets in keys.items():
            ref = KeyRef(title, association, _SECRETS[name])
            fault.reach.ring.keep(ref, octets)
        stage.begin(fault)
        if guek := stage.guek:
            lasts = site.keys(association) is not None
            first = site.counter_at(now) if lasts else stage.vice.first_counter
            stage.device.state.counters.raise_to(guek, first)
        stage.vice.prepare()

    catalogue = Catalogue({_FAULT: Row(_FAULT, _kind(begin), row.help)})
    own = _own_title(site, association)
    sandbox = Sandbox(
        [profile],
        pki=site.pki(now),
        fleet_secret=secret,
        client_titles={association: own},
        ways=_WAYS.get(site.declaration.way.kind, ()),
        catalogue=catalogue,
        on_event=lambda event: _note(trial, event),
    )
    with ExitStack() as stack:
        async with sandbox:
            meter = sandbox.meters[profile.name]
            meter.faults.set(_FAULT, {})
            material = _material(trial, site, meter, association, keys, meant, own, secret)
            tls = site.declaration.way.kind is WayKind.TLS
            if tls:
                files = stack.enter_context(pem_files(site.pki(now), own))
                material = dataclasses.replace(material, tls=files)
            yield Set(stage, meter.device, material)
            if site.keys(association) is not None:
                # One that went back has used what is above as well, and f(CtoS) a counter more.
                site.counted_to(stage.highest + BEYOND)


def _kind(begin: Any) -> Kind:
    return Kind(
        name=_FAULT,
        place="everywhere",
        help="the meter misbehaves towards a head end under test",
        seen="what the vice does",
        begin=begin,
        counts=False,
    )


def _note(trial: Trial, event: MeterEvent) -> None:
    if event.kind not in ("fault", "happening"):
        trial.record.note(f"the meter: {event.kind} {event.association} {event.text}".rstrip())


def _profile(site: Site, association: str, title: bytes, vice: str) -> Profile:
    row = VICES[vice]
    profile = row.vice.profile(site.profile, association, row.parameters)
    habits = dataclasses.replace(profile.habits, image_verification=0)
    fields = {
        one.name: getattr(profile, one.name) for one in dataclasses.fields(profile) if one.init
    }
    return TitledProfile(**{**fields, "habits": habits, "title": title})


def _keys(site: Site, association: str, secret: bytes, title: bytes) -> dict[str, bytes]:
    """What the association needs, by the names of :class:`Keys`."""
    declared = site.keys(association)
    config = site.profile.associations[association].config
    wanted = ["guek", "gak", "kek"] if config.needs_key else []
    if config.mechanism is Mechanism.LLS:
        wanted.append("password")
    if config.mechanism in (Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256):
        wanted.append("hls_secret")
    ring = KeyRing(secret, suites_of(site.profile))
    keys = {}
    for name in wanted:
        octets = getattr(declared or Keys(), name)
        if octets is None and declared is not None and name != "kek":
            raise Unjudged(f"the keys of {association} lack {name}")
        keys[name] = octets or ring.get(KeyRef(title, association, _SECRETS[name]))
    return keys


def _own_title(site: Site, association: str) -> bytes:
    declared = (row for row in site.declaration.associations if row.name == association)
    return next((row.own_title for row in declared if row.own_title), OWN_TITLE)


def _material(
    trial: Trial,
    site: Site,
    meter: RunningMeter,
    association: str,
    keys: Mapping[str, bytes],
    meant: bytes,
    own: bytes,
    secret: bytes,
) -> Material:
    device, address = meter.device, meter.address
    way = site.declaration.way.kind
    # As it was declared, whatever the meter makes of it.
    row = site.profile.associations[association]
    config, setup = row.config, row.security_setup
    port = {
        WayKind.TLS: address.tls_port,
        WayKind.UDP: address.udp_port,
        WayKind.HDLC: address.hdlc_port,
    }.get(way, address.plain_port)
    lines = {WayKind.SERIAL: address.line, WayKind.OPTICAL: address.optical}
    hdlc = {}
    if way in (WayKind.HDLC, *lines):
        hdlc = {"physical": station_config(device).lower, "octets": 4}
    image = instance(device, association, 18, {1, 2, 3}, ())
    return Material(
        host=lines.get(way) or LOOPBACK,
        port=0 if way in lines else port or 0,
        way=way.value,
        client_sap=config.client_sap,
        server_sap=config.server_sap,
        context=config.context.name,
        mechanism=config.mechanism.name,
        suite=config.suite,
        own_title=own if config.needs_title else b"",
        server_title=meant if config.needs_title else b"",
        secrets=keys,
        counter_from=code(bytes((0, 0, 43, 1, setup, 255))) if setup is not None else "",
        timeout=trial.timing.answer,
        limit=site.limit,
        read=(several := reads(device, association)),
        block_read=several[0],
        clock=need(device, association, 8, 2),
        profile=attribute(device, association, 7, (2, 3, 4)),
        security_setup=code(bytes((0, 0, 43, 0, setup, 255))) if setup is not None else "",
        image_transfer=code(image) if image else "",
        image=_image(device, secret) if image else b"",
        hdlc=hdlc,
        top_up=top_up(device, association),
    )


def _image(device: Device, secret: bytes) -> bytes:
    module = SoftwareModule(KeyRing(secret, suites_of(device.profile)))
    seal = SEALS[device.profile.habits.image_seal]
    return run(make_image(image_target(device), "2.0.0", _BODY, seal), module.execute)
