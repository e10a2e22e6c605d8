"""Keys as a client gives them to a meter by hand, goes by them, or loses count."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from dlms.association.config import CURRENT_ASSOCIATION, AssociationKeys
from dlms.axdr.data import Data, array, enum, octet_string, structure
from dlms.security.key_agreement import KEY_IDS
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import GenerateKey, Use
from dlms.security.suites import SUITES
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.descriptors import CONFIRMED, MethodDescriptor
from emulator.client.errors import MeterFault
from emulator.client.plan import Plan
from emulator.fuzz import actions
from emulator.fuzz.actions import NewKey
from emulator.fuzz.in_process.bench import Bench
from emulator.fuzz.in_process.client import FIELDS, BenchClient
from emulator.fuzz.in_process.crafting import sending
from emulator.fuzz.in_process.judging import of_error
from emulator.fuzz.in_process.speaking import FAILURES, hold, outdated, said
from emulator.fuzz.in_process.world import World
from emulator.fuzz.target import Outcome, Seen
from emulator.fuzz.twist import STRAIGHT, edited

_KEK = 3
SECRET_LENGTH = 32
CHANGE_SECRET = MethodDescriptor(15, CURRENT_ASSOCIATION, 2)


def transferring(world: Bench, client: BenchClient, action: actions.Transfer) -> Seen:
    """key_transfer of entries made by hand."""
    if client.is_outdated:
        return outdated()
    keys = client.association.keys
    fresh: dict[int, KeyRef] = {}
    octets = [_octets(world, client, entry, fresh) for entry in action.entries]
    wrapped = [
        edited(aes_key_wrap(_kek(client, entry, fresh), key), entry.edits) if key else b""
        for entry, key in zip(action.entries, octets, strict=True)
    ]
    rows = [
        structure(enum(entry.key_id), octet_string(blob))
        for entry, blob in zip(action.entries, wrapped, strict=True)
    ] * action.times
    method = MethodDescriptor(64, _setup(client), 2)
    parameter: Data = array(*rows)
    speaker = world.client(action.via) if action.via else client
    if action.raw:
        plain = ActionRequest(CONFIRMED | 1, method, parameter).encode()
        send = actions.Send(client=speaker.name, plain=plain, twist=action.twist)
        seen = sending(world, speaker, send)
    else:
        seen = said(
            world, speaker, lambda: speaker.dialogues.action(method, parameter), action.twist
        )
    fields: dict[str, Any] = {FIELDS[KEY_IDS[key_id].name]: ref for key_id, ref in fresh.items()}
    changed = keys._replace(**fields)
    if seen.outcome is Outcome.ACCEPTED:
        client.party.former[client.row.name] = keys
        client.association.adopt(changed)
        client.take(changed)
    elif seen.outcome is Outcome.SILENCE:
        client.party.doubtful[client.row.name] = changed
    return seen


def _setup(client: BenchClient) -> bytes:
    number = client.row.security_setup
    return bytes((0, 0, 43, 0, number if number is not None else 2, 255))


def _octets(world: Bench, client: BenchClient, entry: NewKey, fresh: dict[int, KeyRef]) -> bytes:
    """The new key; it is kept among ``fresh`` under the name that comes next."""
    kind = KEY_IDS.get(entry.key_id)
    length = entry.length
    if length is None:
        length = SUITES[client.row.config.suite].key_length
    if kind is None:
        return bytes(range(length))
    ring = client.party.ring
    present = client.key(kind.name)
    made = present._replace(version=present.version + 1)
    match entry.key:
        case "new":
            client.party.execute(GenerateKey(Use.TRANSFER_KEY, made, length))
            key = ring.get(made)
        case "zeros":
            key = bytes(length)
        case "counted":
            key = bytes(range(length))
        case "title":
            key = (client.meter * 4)[:length]
        case "former":
            key = ring.get(present._replace(version=present.version - 1))
        case named:
            key = ring.get(client.key(named))
    ring.keep(made, key)
    client.party.module.let_go()
    fresh[entry.key_id] = made
    return key


def _kek(client: BenchClient, entry: NewKey, fresh: dict[int, KeyRef]) -> bytes:
    present = client.key(KeyKind.KEK.name)
    ring = client.party.ring
    if entry.under == "new KEK":
        return ring.get(fresh.get(_KEK, present))
    if entry.under == "former KEK":
        return ring.get(present._replace(version=present.version - 1))
    return ring.get(client.key(entry.under))


def changing_secret(world: Bench, client: BenchClient, action: actions.ChangeSecret) -> Seen:
    """change_HLS_secret of 32 octets."""
    keys, ring = client.association.keys, client.party.ring
    present = keys.hls_secret
    if present is None or keys.kek is None:
        raise ValueError(f"the client {client.name} has no secret to change")
    made = present._replace(version=present.version + 1)
    client.party.execute(GenerateKey(Use.TRANSFER_KEY, made, SECRET_LENGTH))
    wrapped = aes_key_wrap(ring.get(keys.kek), ring.get(made))
    seen = said(
        world,
        client,
        lambda: client.dialogues.action(CHANGE_SECRET, octet_string(wrapped)),
        action.twist,
    )
    changed = keys._replace(hls_secret=made)
    if seen.outcome is Outcome.ACCEPTED:
        client.party.former[client.row.name] = keys
        client.take(changed)
    elif seen.outcome is Outcome.SILENCE:
        client.party.doubtful[client.row.name] = changed
    return seen


def taking(world: Bench, client: BenchClient, action: actions.TakeKeys) -> Seen:
    """Go by other keys from the next association on."""
    party, name = client.party, client.row.name
    match action.which:
        case "doubtful":
            found = party.doubtful.get(name)
        case "former":
            found = party.former.get(name)
        case _:
            found = _current(world, client)
    if found is None:
        raise ValueError(f"the client {client.name} has no {action.which} keys")
    present = client.keys
    if action.kinds:
        fields = {FIELDS[kind]: getattr(found, FIELDS[kind]) for kind in action.kinds}
        found = present._replace(**fields)
    if action.which == "doubtful" and not action.kinds:
        party.former[name] = present
    client.take(found)
    return Seen(outcome=Outcome.DONE)


def _current(world: Bench, client: BenchClient) -> AssociationKeys:
    """The meter's own, as who has looked them up in a safe would have them."""
    if not isinstance(world, World):
        raise ValueError("nobody here knows the keys of this meter")
    device, ring = world.meter.device, world.meter.ring
    keys = client.keys
    fields: dict[str, Any] = {}
    for name, field in FIELDS.items():
        ref = device.key(client.row.name, KeyKind[name])
        client.party.ring.keep(ref, ring.get(ref))
        fields[field] = ref
    if keys.hls_secret is not None:
        ref = fields["hls_secret"] = device.key(client.row.name, KeyKind.HLS_SECRET)
        client.party.ring.keep(ref, ring.get(ref))
    client.party.module.let_go()
    return keys._replace(**fields)


def putting_counter(world: Bench, client: BenchClient, action: actions.PutCounter) -> Seen:
    """The client loses count, or is told another."""
    ref = client.key(action.key)
    counters = client.party.counters
    if action.send is not None and action.send < counters.next_to_send(ref):
        client.party.is_watched = False  # it repeats vectors, and that is what is tried
    rows = {row.ek: row for row in counters.snapshot()}
    row = rows.get(ref)
    send = row.next_to_send if row is not None else 0
    floor = row.floor if row is not None else 0
    counters.establish(ref)
    counters.raise_to(ref, send if action.send is None else action.send)
    floor = floor if action.floor is None else action.floor
    if floor:
        counters.accept(ref, floor - 1)
    return Seen(outcome=Outcome.DONE)


def catching_up(world: Bench, client: BenchClient, action: actions.CatchUp) -> Seen:
    """Ask the public client's object for the counter, and go forward only."""
    public, where = world.counter_of(client)
    if not public.association.conformance:
        opened = said(world, public, public.dialogues.open, STRAIGHT)
        if opened.outcome is not Outcome.ACCEPTED:
            return opened
    try:
        value = hold(world, public, public.dialogues.get(where), action.twist)
    except FAILURES as error:
        return of_error(error)
    plan = Plan(client.config, client.keys, client.party.counters, None, None, 0.0)
    try:
        plan.take_counter(value.value)
    except MeterFault as error:
        return Seen(outcome=Outcome.DISTRUSTED, says=str(error), value=value)
    return Seen(outcome=Outcome.ACCEPTED, says=f"counter {value.value!r}", value=value)
