"""Associations that are declared of a device, as whoever learns them has them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from dlms.association.config import ClientConfig, ServerConfig
from dlms.association.knobs import STRICT
from dlms.errors import DlmsError
from dlms.security.control import Protection
from dlms.xdlms import registry
from dlms.xdlms.descriptors import CONFIRMED, AttributeDescriptor
from dlms.xdlms.get import GetRequest
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.trying.target import AHEAD, Target
from emulator.fuzz.learning.connection import Connections, Runs
from emulator.fuzz.learning.speaker import Party, Speaker
from emulator.fuzz.learning.subject import Subject
from emulator.fuzz.learning.symbol import Symbol
from emulator.fuzz.network.declared_rows import config_of, public_of
from emulator.modules.software import SoftwareModule

OWN_TITLE = b"CSM\x00\x00\x00\x00\x01"
"""Our system title where the declaration gives none."""
PATIENCE = 5.0
"""Seconds for a connection to come about."""


def rows(target: Target, names: list[str]) -> list[DeclaredAssociation]:
    """Those of ``names``, or all of which the keys are at hand. ``ValueError`` if one is not
    declared, or has no keys.
    """
    known = {row.name: row for row in target.declaration.associations}
    for name in names:
        if name not in known:
            raise ValueError(f"no association {name} is declared; there are {', '.join(known)}")
        if not target.has_keys(known[name]):
            raise ValueError(f"the keys of {name} are not at hand")
    chosen = [known[name] for name in names] or list(known.values())
    return [row for row in chosen if target.has_keys(row)]


def subject(
    target: Target,
    row: DeclaredAssociation,
    run: Runs,
    offered: Mapping[str, ServerConfig] | None = None,
) -> Subject:
    """``offered`` are the configurations of our own meters; of others it is what is declared."""
    ours = None if offered is None else offered[row.name]
    config = _offered(row) if ours is None else ours
    party, way = _party(target, row, confirmed=not config.unconfirmed), _way(target, row, run)
    guek = party.keys.guek
    if row.counter_from and guek is not None and guek.scope not in target.started:
        target.started.add(guek.scope)
        target.counters.raise_to(guek, _shown_counter(target, row, run) + AHEAD)
    return Subject(name=row.name, config=config, party=party, way=way, is_ours=ours is not None)


def _party(target: Target, row: DeclaredAssociation, *, confirmed: bool) -> Party:
    held = target.held(row)
    title = target.declaration.title or None
    config = ClientConfig(
        client_sap=row.client_sap,
        server_sap=row.server_sap,
        context=row.context,
        mechanism=row.mechanism,
        conformance=row.conformance,
        suite=row.suite,
        own_title=row.own_title or OWN_TITLE,
        server_title=title,
        protection=Protection.BOTH if row.context.ciphered else Protection.NONE,
        user=row.users[0] if row.users else None,
        confirmed=confirmed,
    )
    return Party(
        config=config,
        keys=held.refs,
        counters=target.counters,
        execute=SoftwareModule(held.ring).execute,
        server_title=title,
        today=dt.datetime.now(dt.UTC),
    )


def _way(target: Target, row: DeclaredAssociation, run: Runs) -> Connections:
    pair = row.client_sap, row.server_sap
    wait = target.declaration.timing.answer
    return Connections(target.route, pair, run, wait=wait, patience=PATIENCE)


def _offered(row: DeclaredAssociation) -> ServerConfig:
    """What a meter by the book has there, as far as it is declared."""
    return replace(
        config_of(row),
        users=frozenset(row.users) or None,
        protected_release=row.protected_release,
        knobs=replace(STRICT, release_supported=row.release),
    )


def _shown_counter(target: Target, row: DeclaredAssociation, run: Runs) -> int:
    """The counter that the meter awaits, as the public client reads it.
    ``ValueError`` if it does not show it.
    """
    public = public_of(target.declaration, row.server_sap)
    if public is None:
        raise ValueError(f"{row.name}: no public client is declared, which reads its counter")
    way = _way(target, public, run)
    speaker = Speaker(_party(target, public, confirmed=True))
    way.begin()
    try:
        way.say(speaker.octets(Symbol.AARQ))
        asked = GetRequest(CONFIRMED | 1, AttributeDescriptor(1, row.counter_from, 2))
        heard = way.say(asked.encode())
        response = registry.decode(heard) if isinstance(heard, bytes) else None
        value = getattr(getattr(response, "result", None), "value", None)
    except DlmsError as error:
        raise ValueError(f"{row.name}: its counter cannot be read: {error}") from error
    finally:
        way.close()
    if not isinstance(value, int):
        raise ValueError(f"{row.name}: the meter does not show its counter")
    return value
