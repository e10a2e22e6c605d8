"""New global keys for the device under test, and the first ones back.

New keys are HMAC-SHA256 under the master key of a label that the seed of the run decides and that
is in the record. So the same seed sends the same octets, nobody without the master key knows them,
and its owner can have them again.

Where a device takes no key that it has had, the new ones stay: the run goes on under them, and
:attr:`~emulator.conformance.trying.target.Target.changed` names them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlms.axdr.data import Data
from dlms.client.new_keys import FIELDS, KEY_ID_OF
from dlms.cosem.security_setup import keys_data
from dlms.cosem.tables.security import SECURITY_SETUP_V1
from dlms.errors import DlmsError
from dlms.security.keys import KeyRef
from dlms.security.ops import Step, Use, Wrap
from dlms.security.suites import SUITES
from dlms.xdlms.descriptors import MethodDescriptor
from emulator.conformance.conversing.expect import is_success
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

KINDS = {name: kind for kind, name in FIELDS.items()}
"""Kinds of global keys by what they are called among those of an association."""

_NONCE = 16


@dataclass(slots=True, kw_only=True, repr=False)
class Change:
    """A change of global keys of the association ``row``: what it ``had`` and what is ``fresh``, by
    the names of keys; ``is_open`` while the device may have others than it had. ``root`` is the
    master key of before: whoever has it has the fresh keys as well, if they are ``derived``.
    """

    row: DeclaredAssociation
    had: Mapping[str, bytes | None]
    fresh: Mapping[str, bytes]
    root: bytes
    derived: bool = True
    is_open: bool = False

    def __repr__(self) -> str:
        return f"<Change of {', '.join(self.fresh)} of {self.row.name}>"


def method(row: DeclaredAssociation, number: int) -> MethodDescriptor:
    """A method of the Security setup that rules the association."""
    return MethodDescriptor(SECURITY_SETUP_V1.class_id, row.security_setup, number)


def fresh_keys(
    trial: Trial, row: DeclaredAssociation, names: Sequence[str], root: bytes = b""
) -> dict[str, bytes]:
    """New keys of the length that the suite wants, derived from the master key or another
    ``root``.
    """
    root = root or _master_key(trial, row)
    nonce, length = trial.rng.randbytes(_NONCE).hex(), SUITES[row.suite].key_length
    labels = {name: f"{trial.check.id} {name} {nonce}" for name in names}
    trial.record.note(f"new keys of {row.name} are derived of: {', '.join(labels.values())}")
    return {
        name: hmac.digest(root, label.encode(), hashlib.sha256)[:length]
        for name, label in labels.items()
    }


def _master_key(trial: Trial, row: DeclaredAssociation) -> bytes:
    kek = trial.target.keys(row.keys).kek
    assert kek is not None  # managing_row(), agreeing_rows()
    return kek


def change_of(
    trial: Trial, row: DeclaredAssociation, fresh: Mapping[str, bytes], *, derived: bool = True
) -> Change:
    """A change that is taken back when the case is over, if it is not before."""
    known = trial.target.keys(row.keys)
    change = Change(
        row=row,
        had={name: getattr(known, name) for name in fresh},
        fresh=fresh,
        root=_master_key(trial, row),
        derived=derived,
    )

    async def undo() -> None:
        if change.is_open:
            await give_back(trial, change)

    trial.afterwards(undo)
    return change


def wrapped(
    trial: Trial, probe: Probe, row: DeclaredAssociation, name: str, octets: bytes, kek: bytes = b""
) -> bytes:
    """A key wrapped under the master key (RFC 3394), or under another ``kek``. ``probe`` has the
    keys that the target has now.
    """
    held = trial.target.held(row)
    under = held.refs.kek
    assert under is not None  # managing_row()
    if kek:
        under = under._replace(scope="none of the device's")
        held.ring.keep(under, kek)
    ref = KeyRef(b"", "new", KINDS[name])
    held.ring.keep(ref, octets)
    try:
        return probe.run(_wrapping(under, ref))
    finally:
        held.ring.discard(ref)


def _wrapping(kek: KeyRef, key: KeyRef) -> Step[bytes]:
    octets: bytes = yield Wrap(Use.TRANSFER_KEY, kek, key)
    return octets


async def transfer(probe: Probe, row: DeclaredAssociation, keys: Mapping[int, bytes]) -> Seen:
    """key_transfer, in version 0 global_key_transfer: wrapped keys by their ids."""
    return await act(probe, row, 2, keys_data(keys))


async def act(probe: Probe, row: DeclaredAssociation, number: int, parameter: Data) -> Seen:
    return await probe.act(method(row, number), parameter)


async def hand_over(trial: Trial, change: Change, probe: Probe, **spoilt: bytes) -> Seen:
    """Transfer what is fresh, all in one array. ``spoilt`` are wrapped keys to send in the place of
    the right ones. From success on the target has the new keys.
    """
    names = {KEY_ID_OF[KINDS[name]]: name for name in change.fresh}
    keys = {
        key_id: spoilt.get(name) or wrapped(trial, probe, change.row, name, change.fresh[name])
        for key_id, name in names.items()
    }
    change.is_open = True
    seen = await transfer(probe, change.row, keys)
    if is_success(seen) and not spoilt:
        take(trial, change.row, change.fresh)
    return seen


def take(trial: Trial, row: DeclaredAssociation, keys: Mapping[str, bytes | None]) -> None:
    """The device has these keys from now on, and its counters may have begun anew."""
    target = trial.target
    target.replace_keys(row.keys, **keys)
    guek = target.held(row).refs.guek
    if guek is not None and "guek" in keys:
        target.restarted(guek)


async def give_back(trial: Trial, change: Change) -> Seen:
    """Transfer the keys that the device had first, under whichever it has now. What was refused the
    last says that it keeps the new ones. :class:`Unjudged` if nobody gets in any more.
    """
    row = change.row
    probe = await _under_any(trial, change)
    now = trial.target.keys(row.keys)
    differing = {
        name: octets
        for name, octets in change.had.items()
        if octets is not None and octets != getattr(now, name)
    }
    change.is_open = False
    if not differing:
        return Seen.found()
    seen = await _transfer_all(trial, probe, row, differing)
    if is_success(seen):
        return seen
    kept = ", ".join(differing)
    trial.record.note(f"the device does not take {kept} of {row.keys} again: it keeps new ones")
    if not change.derived:
        # Nobody could have these again. Those that come now its owner can.
        lasting = fresh_keys(trial, row, tuple(differing), change.root)
        await _transfer_all(trial, await trial.associated(row), row, lasting)
    return seen.having(notes=(*seen.notes, f"the device keeps a new {kept} of {row.keys}"))


async def _transfer_all(
    trial: Trial, probe: Probe, row: DeclaredAssociation, octets: Mapping[str, bytes]
) -> Seen:
    keys = {
        KEY_ID_OF[KINDS[name]]: wrapped(trial, probe, row, name, key)
        for name, key in octets.items()
    }
    seen = await transfer(probe, row, keys)
    if is_success(seen):
        take(trial, row, octets)
    return seen


async def _under_any(trial: Trial, change: Change) -> Probe:
    """An association under the keys that the device has: the new ones, the first, or some of each.
    Nobody has to know what it has made of the change.
    """
    row, present = change.row, trial.target.keys(change.row.keys)
    why: Exception | None = None
    for names in _orders(trial, change):
        mixed = {**change.had, **{name: change.fresh[name] for name in names}}
        if any(getattr(trial.target.keys(row.keys), name) != mixed[name] for name in mixed):
            trial.target.replace_keys(row.keys, **mixed)
        try:
            return await trial.associated(row)
        except (Unjudged, DlmsError, OSError) as error:
            why = error
    trial.target.replace_keys(row.keys, **{name: getattr(present, name) for name in change.had})
    raise Unjudged(f"no way into {row.name} under the keys before or after: {why}")


def _orders(trial: Trial, change: Change) -> list[tuple[str, ...]]:
    """Which of the fresh keys the device may have, what the target goes by first."""
    known = trial.target.keys(change.row.keys)
    present = tuple(name for name, octets in change.fresh.items() if getattr(known, name) == octets)
    every, singles = tuple(change.fresh), [(name,) for name in change.fresh]
    return list(dict.fromkeys([present, every, (), *singles]))
