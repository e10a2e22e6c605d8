"""How global keys are replaced, whichever way the new ones come.

All keys of an array or none (R-KEY-2): versions and counters change together once every new key is
there (R-KEY-4). Counters start anew for a new encryption key, never for a new authentication key
alone (R-IC-2, R-IC-8). The response still goes under the old keys (R-KEY-3).
"""

from __future__ import annotations

from collections.abc import Iterable

from devices.objects.behaviour import Call
from devices.objects.security_setup import about
from dlms.security.key_agreement import KEY_IDS
from dlms.security.keys import KeyKind, KeyRef

_ENCRYPTION = (KeyKind.GUEK, KeyKind.GBEK)

MAX_ROTATIONS = 1024
"""Of each key. A new one is compared with all that were there before, for none may come back, so
all are kept; a key that is changed every week for 15 years makes 800."""


def used_up(call: Call, key_ids: Iterable[int]) -> bool:
    """Whether one of these was replaced as often as it can be."""
    scope = about.scope(call)
    return any(
        call.device.key(scope, KEY_IDS[key_id]).version >= MAX_ROTATIONS for key_id in key_ids
    )


def successor(call: Call, key_id: int) -> KeyRef:
    """The name of the key that comes after the one in force."""
    old = call.device.key(about.scope(call), KEY_IDS[key_id])
    return old._replace(version=old.version + 1)


def former(call: Call) -> tuple[KeyRef, ...]:
    """Every key that any association of this meter has or had: two hands, so no key in both."""
    associations = call.device.profile.associations.values()
    scopes = [row.name for row in associations if row.security_setup is not None]
    refs = (call.device.key(scope, kind) for scope in scopes for kind in KEY_IDS.values())
    return tuple(
        ref._replace(version=version) for ref in refs for version in range(ref.version + 1)
    )


def put_in_force(call: Call, fresh: Iterable[KeyRef]) -> None:
    """From the next APDU on these are used."""
    state = call.device.state
    for ref in fresh:
        if ref.kind in _ENCRYPTION:
            state.counters.establish(ref)
        if ref.kind is KeyKind.KEK:
            # What was wrapped under the former one comes to nothing, played again or not.
            state.spent[ref.scope] = state.spent[ref.scope].without_wrapped()
        state.key_versions[ref.scope, ref.kind] = ref.version
    state.security_revision += 1
