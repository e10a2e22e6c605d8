"""How global keys are replaced, whichever way the new ones come.

All keys of an array or none (R-KEY-2): versions and counters change together once every new key is
there (R-KEY-4). Counters start anew for a new encryption key, never for a new authentication key
alone (R-IC-2, R-IC-8). The response still goes under the old keys (R-KEY-3).

An authentication key that lives for one association is handed over by itself. Together with a new
master key comes the long-lived one: who takes a meter over replaces all. The key that tokens are
made with has an id of ours; the books have none. Both are assumed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from devices import handed_keys
from devices.objects.behaviour import Call
from devices.objects.security_setup import about
from devices.objects.token_gateway import TOKEN_SCOPE
from devices.token import TOKEN_KEY_ID
from dlms.security.key_agreement import KEY_IDS
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef

_MASTER = 3
"""key_id of the master key."""

_FIRST = 1
"""Instance number of the Security setup that the token key comes by: that of the S1SP's."""

_TRANSFERRED = {**KEY_IDS, TOKEN_KEY_ID: KeyKind.TOKEN}

_ENCRYPTION = (KeyKind.GUEK, KeyKind.GBEK)

MAX_ROTATIONS = 1024
"""Of each key. A new one is compared with all that were there before, for none may come back, so
all are kept; a key that is changed every week for 15 years makes 800."""


def used_up(call: Call, key_ids: Iterable[int]) -> bool:
    """Whether one of these was replaced as often as it can be."""
    wanted = frozenset(key_ids)
    present = [_present(call, key_id) for key_id in wanted if not _is_single(call, key_id, wanted)]
    return any(ref.version >= MAX_ROTATIONS for ref in present)


def are_known(call: Call, key_ids: Iterable[int]) -> bool:
    """Whether there are such keys here. Tokens are made with a key of the meter's, not of an
    association's; it comes by the first Security setup.
    """
    takes_tokens = call.device.profile.top_up == "token" and call.row.instance[4] == _FIRST
    known = _TRANSFERRED if takes_tokens else KEY_IDS
    return all(key_id in known for key_id in key_ids)


def _present(call: Call, key_id: int) -> KeyRef:
    scope = TOKEN_SCOPE if key_id == TOKEN_KEY_ID else about.scope(call)
    return call.device.key(scope, _TRANSFERRED[key_id])


def _is_single(call: Call, key_id: int, wanted: Collection[int]) -> bool:
    """Whether such a key lives for one association, as it comes with those ``wanted``."""
    is_gak = _TRANSFERRED[key_id] is KeyKind.GAK
    return is_gak and about.row(call).single_key and _MASTER not in wanted


def successor(call: Call, key_id: int, wanted: Collection[int]) -> KeyRef:
    """The name of the key that comes after the one in force, as it comes with those ``wanted``."""
    if _is_single(call, key_id, wanted):
        return handed_keys.successor(call.device, about.scope(call))
    old = _present(call, key_id)
    return old._replace(version=old.version + 1)


def former(call: Call, wanted: Collection[int] = ()) -> tuple[KeyRef, ...]:
    """Every key that any association of this meter has or had: two hands, so no key in both. Of
    those that live for one association, those that wait: what is used up is destroyed. Those that
    made tokens, if another is ``wanted``.
    """
    associations = call.device.profile.associations.values()
    scopes = [row.name for row in associations if row.security_setup is not None]
    refs = [call.device.key(scope, kind) for scope in scopes for kind in KEY_IDS.values()]
    if TOKEN_KEY_ID in wanted:
        refs.append(call.device.key(TOKEN_SCOPE, KeyKind.TOKEN))
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
        if ref.kind is KeyKind.TOKEN:
            state.used_tokens.clear()  # counters are those of a key
        if ref.kind in _ENCRYPTION:
            state.counters.establish(ref)
        if ref.kind is KeyKind.KEK:
            # What was wrapped under the former one comes to nothing, played again or not.
            state.spent[ref.scope] = state.spent[ref.scope].without_wrapped()
        state.key_versions[ref.scope, ref.kind] = ref.version
    state.security_revision += 1
