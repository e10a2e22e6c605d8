"""How global keys are replaced, whichever way the new ones come.

All keys of an array or none (R-KEY-2): versions and counters change together once every new key is
there (R-KEY-4). Counters start anew for a new encryption key, never for a new authentication key
alone (R-IC-2, R-IC-8). The response still goes under the old keys (R-KEY-3).
"""

from __future__ import annotations

from collections.abc import Iterable

from devices import handed_keys
from devices.objects.behaviour import Call
from devices.objects.security_setup import about
from dlms.security.key_agreement import KEY_IDS
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef

_ENCRYPTION = (KeyKind.GUEK, KeyKind.GBEK)

MAX_ROTATIONS = 1024
"""Of each key. A new one is compared with all that were there before, for none may come back, so
all are kept; a key that is changed every week for 15 years makes 800."""


def used_up(call: Call, key_ids: Iterable[int]) -> bool:
    """Whether one of these was replaced as often as it can be."""
    scope = about.scope(call)
    kinds = [KEY_IDS[key_id] for key_id in key_ids if not _is_single(call, key_id)]
    return any(call.device.key(scope, kind).version >= MAX_ROTATIONS for kind in kinds)


def _is_single(call: Call, key_id: int) -> bool:
    """Whether such a key lives for one association."""
    return KEY_IDS[key_id] is KeyKind.GAK and about.row(call).single_key


def successor(call: Call, key_id: int) -> KeyRef:
    """The name of the key that comes after the one in force."""
    if _is_single(call, key_id):
        return handed_keys.successor(call.device, about.scope(call))
    old = call.device.key(about.scope(call), KEY_IDS[key_id])
    return old._replace(version=old.version + 1)


def former(call: Call) -> tuple[KeyRef, ...]:
    """Every key that any association of this meter has or had: two hands, so no key in both. Of
    those that live for one association, those that wait: what is used up is destroyed.
    """
    associations = call.device.profile.associations.values()
    scopes = [row.name for row in associations if row.security_setup is not None]
    refs = (call.device.key(scope, kind) for scope in scopes for kind in KEY_IDS.values())
    handed = [call.device.authentication_key(row) for row in associations if row.single_key]
    return (
        *(ref._replace(version=version) for ref in refs for version in range(ref.version + 1)),
        *(ref for ref in handed if ref.lifetime is KeyLifetime.SINGLE_ASSOCIATION),
    )


def put_in_force(call: Call, fresh: Iterable[KeyRef]) -> None:
    """From the next APDU on these are used."""
    state = call.device.state
    for ref in fresh:
        if ref.lifetime is KeyLifetime.SINGLE_ASSOCIATION:
            handed_keys.hand_over(call.device, ref)
            continue
        if ref.kind in _ENCRYPTION:
            state.counters.establish(ref)
        if ref.kind is KeyKind.KEK:
            # What was wrapped under the former one comes to nothing, played again or not.
            state.spent[ref.scope] = state.spent[ref.scope].without_wrapped()
        state.key_versions[ref.scope, ref.kind] = ref.version
    state.security_revision += 1
