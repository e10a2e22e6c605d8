"""key_transfer, security_activate and what comes after them, with a mistake in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from devices.device import Device
from devices.objects.behaviour import SUCCESS, Call, Outcome
from devices.objects.security_setup import about, global_keys, key_transfer, policy
from devices.profile.model import AssociationRow
from devices.remembering import Remembered
from dlms.association.config import AssociationKeys
from dlms.axdr.data import Data
from dlms.cosem.security_setup import keys_of
from dlms.errors import CodecError
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CryptoFailure, Discard, Step, Unwrap, Use, VerificationFailed
from emulator.faults.bent.reaching import concerns, instead_of_method, over
from emulator.faults.fault import Fault
from emulator.modules.keyring import KeyRing

_SECURITY_SETUP, _ACTIVATE, _TRANSFER = 64, 1, 2
_MASTER = 3
_WRAPPING = 8
"""Octets by which a wrapped key is longer (RFC 3394)."""


class Flaws(NamedTuple):
    """What is wrong with a key_transfer; each by itself is one fault.

    ``one_by_one``: a key is in force as soon as it is unwrapped. ``half_on_failure``: if the module
    fails, those before are in force, though none is if one does not verify. ``last_of_two``: of two
    keys with one id the last is taken. ``unknown_ignored``: an id that there is not is passed over.
    ``used_again``: a key may be one that was there before. ``former_master``: the master key of
    before is good as well. ``new_master``: behind a new master key the others are under it.
    ``padded``: a key that is too short is filled up with zeros.
    """

    one_by_one: bool = False
    half_on_failure: bool = False
    last_of_two: bool = False
    unknown_ignored: bool = False
    used_again: bool = False
    former_master: bool = False
    new_master: bool = False
    padded: bool = False


def _rows(parameter: Data, flaws: Flaws) -> dict[int, bytes]:
    if not flaws.last_of_two:
        return keys_of(parameter)
    assert isinstance(parameter.value, tuple)  # the class table admits arrays only
    rows = [row.value for row in parameter.value]
    return {row[0].value: row[1].value for row in rows if isinstance(row, tuple)} or keys_of(
        parameter
    )


def _wanted(call: Call, parameter: Data, flaws: Flaws) -> dict[int, bytes] | None:
    """The keys of the array; ``None`` if it is refused."""
    try:
        wanted = _rows(parameter, flaws)
    except CodecError:
        return None
    if flaws.unknown_ignored:
        wanted = {one: key for one, key in wanted.items() if global_keys.are_known(call, [one])}
    length = about.suite(call).wrapped_length
    fits = all(
        len(key) == length or (flaws.padded and _WRAPPING * 3 <= len(key) < length)
        for key in wanted.values()
    )
    known = fits and global_keys.are_known(call, wanted)
    return wanted if known and not global_keys.used_up(call, wanted) else None


def transfer(fault: Fault, flaws: Flaws) -> Callable[[Call, Data], Step[Outcome]]:
    """The method as this meter has it."""
    ring = fault.reach.ring

    def careless(call: Call, parameter: Data) -> Step[Outcome]:
        if not concerns(fault, about.scope(call)):
            return (yield from key_transfer.transfer(call, parameter))
        wanted = _wanted(call, parameter, flaws)
        if wanted is None:
            return about.REFUSED
        former = () if flaws.used_again else global_keys.former(call, wanted)
        kek = call.device.key(about.scope(call), KeyKind.KEK)
        fresh: list[KeyRef] = []
        for key_id in sorted(wanted, key=lambda one: one != _MASTER if flaws.new_master else 0):
            new = global_keys.successor(call, key_id, wanted)
            try:
                unlike = former if flaws.used_again else (*former, *fresh)
                yield from _unwrap(call, kek, wanted[key_id], new, unlike, flaws)
            except CryptoFailure as error:
                if flaws.half_on_failure and not isinstance(error, VerificationFailed):
                    fault.has_acted("keys are in force though the module has failed")
                    global_keys.put_in_force(call, fresh)
                elif not flaws.one_by_one:
                    for ref in fresh:
                        yield Discard(Use.TRANSFER_KEY, ref)
                return about.REFUSED
            if flaws.padded:
                _pad(ring, new, about.suite(call).wrapped_length - _WRAPPING)
            if flaws.new_master and new.kind is KeyKind.KEK:
                kek = new
            fresh.append(new)
            if flaws.one_by_one:
                global_keys.put_in_force(call, [new])
        if not flaws.one_by_one:
            global_keys.put_in_force(call, fresh)
        fault.has_acted("keys are transferred")
        return SUCCESS

    return careless


def _unwrap(
    call: Call, kek: KeyRef, wrapped: bytes, new: KeyRef, unlike: tuple[KeyRef, ...], flaws: Flaws
) -> Step[None]:
    try:
        yield Unwrap(Use.TRANSFER_KEY, kek, wrapped, new, unlike)
    except VerificationFailed:
        if not flaws.former_master or not kek.version:
            raise
        former = kek._replace(version=kek.version - 1)
        yield Unwrap(Use.TRANSFER_KEY, former, wrapped, new, unlike)


def _pad(ring: KeyRing, ref: KeyRef, length: int) -> None:
    key = ring.get(ref)
    if len(key) < length:
        ring.keep(ref, key.ljust(length, b"\0"))


def new_authentication_key(fault: Fault) -> None:
    """Counters begin anew for a new authentication key, too (R-IC-8)."""
    device = fault.reach.mains.host.device

    class Bent(Remembered[tuple[str, KeyKind], int]):
        __slots__ = ()

        def __setitem__(self, slot: tuple[str, KeyKind], version: int) -> None:
            super().__setitem__(slot, version)
            scope, kind = slot
            if kind is KeyKind.GAK and concerns(fault, scope):
                key = KeyRef(device.title, scope, KeyKind.GUEK)
                key = key._replace(version=self.get((scope, KeyKind.GUEK), 0))
                device.state.counters.forget(key)
                device.state.counters.establish(key)
                fault.has_acted("the counters of the encryption key begin anew")

    over(fault, device.state.key_versions, Bent)


def weaker_policy(fault: Fault) -> None:
    """A policy may be taken back (KL-KT-32)."""

    def careless(call: Call, parameter: Data) -> Outcome:
        if not concerns(fault, about.scope(call)):
            return policy.activate(call, parameter)
        row, state, version = about.row(call), call.device.state, call.row.interface_class.version
        wanted = policy.wanted(parameter, version)
        if wanted is None:
            return about.REFUSED
        if wanted.weakens(call.device.policy(row)):
            fault.has_acted("the policy is weaker than before")
        state.policies[row.name] = wanted
        state.security_revision += 1
        return SUCCESS

    instead_of_method(fault, _SECURITY_SETUP, _ACTIVATE, careless)


def old_secret(fault: Fault) -> None:
    """The secret of HLS is copied when the meter starts, and the copy is what is used (R-HLS-8)."""
    copied: dict[str, KeyRef] = {}

    class Bent(Device):
        def keys(self, row: AssociationRow) -> AssociationKeys:
            keys = super().keys(row)
            if keys.hls_secret is None or not concerns(fault, row.name):
                return keys
            copy = copied.setdefault(row.name, keys.hls_secret)
            if copy != keys.hls_secret:
                fault.has_acted("the secret of before is used")
            return keys._replace(hls_secret=copy)

    device = fault.reach.mains.host.device
    over(fault, device, Bent)
    for row in device.profile.associations.values():
        device.keys(row)


FLAWS: Mapping[str, Flaws] = {
    "one-by-one": Flaws(one_by_one=True),
    "half-on-failure": Flaws(half_on_failure=True),
    "last-of-two": Flaws(last_of_two=True),
    "unknown-ignored": Flaws(unknown_ignored=True),
    "used-again": Flaws(used_again=True),
    "former-master": Flaws(former_master=True),
    "new-master": Flaws(new_master=True),
    "padded": Flaws(padded=True),
}


def _with(flaws: Flaws) -> Callable[[Fault], None]:
    return lambda fault: instead_of_method(
        fault, _SECURITY_SETUP, _TRANSFER, transfer(fault, flaws)
    )


HOW: dict[str, Callable[[Fault], None]] = {
    **{name: _with(flaws) for name, flaws in FLAWS.items()},
    "new-authentication-key": new_authentication_key,
    "weaker-policy": weaker_policy,
    "old-secret": old_secret,
}
