"""The parties of the head end as the commands have them: with the workspace's certificates, keys
and counters, in the Cryptographic Modules that ``--modules`` names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from devices.profile import Profile
from dlms.security.keys import KeyRef
from emulator.counter_file import FiledCounters, FiledTokenCounters
from emulator.custody import Custody, Errand, Mode
from emulator.custody import file as custody_file
from emulator.enrolment.authorisation import device_id
from emulator.head_end.assembly import assemble
from emulator.head_end.party import (
    CATEGORIES,
    LISTENER,
    SCOPES,
    STORES,
    listener_key,
    storage_key,
    tls_key,
)
from emulator.head_end.services import HeadEnd
from emulator.key_suites import suites_of_meters
from emulator.keystore.handed import StoredHandedKeys
from emulator.keystore.known import StoredKnownKeys
from emulator.keystore.lasting import LastingKeys
from emulator.keystore.store import KeyStore
from emulator.keystore.wrapping import Wrapping
from emulator.ledger import Ledger
from emulator.meter_address import MeterAddress
from emulator.module_file import ModuleFileError
from emulator.modules.kinds import Supply
from emulator.modules.module import CryptoModule
from emulator.modules.tls_key import tls_public_key
from emulator.modules.tls_module import TlsModule
from emulator.policy import EDITIONS, Actor, Purpose
from emulator.requests.enrolment import SUPPLIER
from emulator.workspace import Workspace
from tls.credentials import CertificateChain

Further: TypeAlias = Callable[[Actor], dict[str, bytes]]
"""Secrets of scopes that a party has besides its own."""


def no_further(actor: Actor) -> dict[str, bytes]:
    """The parties have what is their own."""
    return {}


class Door(NamedTuple):
    """A party's door to cryptography. ``tls`` has its DCC Private Key, if OpenSSL has not."""

    custody: Custody
    tls: TlsModule | None


@contextmanager
def door(actor: Actor, supply: Supply, args: Any, ledger: Ledger) -> Iterator[Door]:
    """With the modules, mode and edition that the command line asks for. They are closed at the
    end.

    :class:`~devices.profile.ProfileError` if its custody file is not right, ``ValueError`` or
    :class:`~emulator.module_file.ModuleFileError` if a module is not there.
    """
    opened = custody_file.chosen(args.modules).open(actor, supply)
    with ExitStack() as stack:
        for module in opened.routing.modules:
            stack.callback(module.close)
        custody = Custody(opened.routing, EDITIONS[args.edition], Mode(args.mode), ledger)
        yield Door(custody, opened.tls)


@contextmanager
def doors(
    workspace: Workspace,
    args: Any,
    ledger: Ledger,
    profiles: Mapping[bytes, Profile],
    more: Further = no_further,
) -> Iterator[dict[Actor, Door]]:
    """Each party's, for meters by system title. ``more`` are secrets of further scopes that a party
    has.
    """
    suites = suites_of_meters(profiles)
    with ExitStack() as stack:
        supplies = {
            actor: supply(
                workspace, actor, args, suites, {**workspace.scope_secrets(actor), **more(actor)}
            )
            for actor in SCOPES
        }
        yield {
            actor: stack.enter_context(door(actor, theirs, args, ledger))
            for actor, theirs in supplies.items()
        }


def supply(
    workspace: Workspace,
    actor: Actor,
    args: Any,
    suite_of: Callable[[KeyRef], int],
    secrets: dict[str, bytes] | None = None,
) -> Supply:
    """What a party holds; ``secrets`` where they are others than those of its scopes."""
    if secrets is None:
        secrets = workspace.scope_secrets(actor)

    def token() -> CryptoModule:
        row = workspace.modules.rows().get(actor)
        if row is None:
            raise ModuleFileError(f"{actor.value} has no token: 'cosemlab module init' makes one")
        kept = LastingKeys(workspace.key_store(args.database), row.label or row.serial)
        return workspace.modules.open(row, kept, suite_of)

    return Supply(secrets, suite_of, token)


def credential(workspace: Workspace, tls: TlsModule | None) -> CertificateChain:
    """The S1SP's certificate for TLS with meters; without its private key where a module has it."""
    if tls is None:
        return workspace.credential(Actor.S1SP)
    return workspace.module_chain(Actor.S1SP, tls_public_key(tls, tls_key(Actor.S1SP)))


def listener_credential(workspace: Workspace, tls: TlsModule | None) -> CertificateChain:
    """The same of the certificate by which meters know who takes alerts."""
    if tls is None:
        return workspace.listener_credential()
    return workspace.listener_module_chain(tls_public_key(tls, listener_key(LISTENER)))


@contextmanager
def head_end(
    workspace: Workspace,
    args: Any,
    ledger: Ledger,
    meter: MeterAddress,
    profile: Profile,
    user: str = "",
    more: Further = no_further,
) -> Iterator[HeadEnd]:
    """Both parties, for one meter; ``user`` makes the Service Requests, the responsible supplier
    unless another is named. ``more`` as in :func:`doors`.
    """
    user = user or responsible(workspace, args, meter)
    with head_end_of(workspace, args, ledger, {meter.title: profile}, user, more) as made:
        yield made


def responsible(workspace: Workspace, args: Any, meter: MeterAddress) -> str:
    """The supplier of a meter, by the inventory if it is in there."""
    entry = workspace.inventory(args.database).find(device_id(meter.title))
    return SUPPLIER if entry is None else entry.supplier


@contextmanager
def head_end_of(
    workspace: Workspace,
    args: Any,
    ledger: Ledger,
    profiles: Mapping[bytes, Profile],
    user: str = SUPPLIER,
    more: Further = no_further,
) -> Iterator[HeadEnd]:
    """The same for several meters, by system title."""
    file, holds = workspace.counters, workspace.holds
    with doors(workspace, args, ledger, profiles, more) as opened:
        store = workspace.key_store(args.database)
        kept = {actor: wrapping(store, actor, opened[actor].custody, profiles) for actor in STORES}
        tls = opened[Actor.S1SP].tls
        yield assemble(
            lambda actor: opened[actor].custody,
            credential(workspace, tls),
            workspace.pki.trust(),
            workspace.means(opened[Actor.DCC].custody, user, args.database),
            tls_module=tls,
            keylog=args.keylog,
            counters=partial(FiledCounters, file, floors=True),
            tokens=FiledTokenCounters(file),
            handed=lambda actor: StoredHandedKeys(kept[actor]),
            known=lambda actor: StoredKnownKeys(kept[actor], holds),
        )


def wrapping(
    store: KeyStore, actor: Actor, custody: Custody, profiles: Mapping[bytes, Profile]
) -> Wrapping:
    """What a party keeps in the store; that it is stored is recorded."""

    def note(key: KeyRef) -> None:
        custody.store_encrypted(key, store_errand(actor, key, profiles))

    return Wrapping(store, storage_key(actor), note)


def store_errand(actor: Actor, key: KeyRef, profiles: Mapping[bytes, Profile]) -> Errand:
    """A party is about a key in its store. All of them are for SMETS1 Devices; where it is not at
    hand for which, it is judged as if for Category 2, from which less is taken out.
    """
    profile = profiles.get(key.holder)
    category = CATEGORIES[2 if profile is None else profile.category]
    return Errand(actor, key.holder.hex().upper(), category, Purpose.TRANSFER_KEY)
