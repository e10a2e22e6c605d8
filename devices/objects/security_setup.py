"""Security setup, class 64: version 0, and of version 1 what version 0 has (Blue Book 4.4.7).

A key transfer is all or nothing (R-KEY-2): every key of the array is judged and unwrapped under the
master key in force at the start; only then do versions and counters change, together (R-KEY-4).
The counters start anew for a new encryption key, never for a new authentication key alone
(R-IC-2, R-IC-8). The response still goes under the old keys (R-KEY-3).
"""

from __future__ import annotations

from devices.objects.behaviour import SUCCESS, Behaviour, Call, Outcome, computed
from devices.profile.model import AssociationRow
from dlms.axdr.data import Data, DataType, enum, octet_string
from dlms.security.control import POLICY_V0, Protection
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CryptoFailure, Discard, Step, Unwrap, Use
from dlms.security.suites import SUITES, Suite
from dlms.xdlms.codes import ActionResult

KEY_IDS = {0: KeyKind.GUEK, 1: KeyKind.GBEK, 2: KeyKind.GAK, 3: KeyKind.KEK}
_ENCRYPTION = (KeyKind.GUEK, KeyKind.GBEK)
_REQUEST_BITS, _RESPONSE_BITS = 2, 5
"""Where the two bits "authenticated" and "encrypted" are in a policy of version 1."""

_REFUSED = Outcome(ActionResult.OTHER_REASON)
_UNMATCHED = Outcome(ActionResult.TYPE_UNMATCHED)


def _scope(call: Call) -> str:
    """Which association's keys this Security setup is about."""
    number = call.row.instance[4]
    for row in call.device.profile.associations.values():
        if row.security_setup == number:
            return row.name
    return ""


def _row(call: Call) -> AssociationRow:
    return call.device.profile.associations[_scope(call)]


def _suite(call: Call) -> Suite:
    return SUITES[_row(call).config.suite]


def _policy(call: Call) -> Data:
    """An enum of what all messages need; from version 1 on its bits (GB Ed. 8, Table 34)."""
    protection = int(call.device.config(_row(call)).policy) >> 4
    if call.row.interface_class.version == 0:
        return enum(protection)
    return enum(protection << _REQUEST_BITS | protection << _RESPONSE_BITS)


def _policy_of(value: int, version: int) -> Protection | None:
    """What a security_policy demands; ``None`` if it is unknown, or cannot be kept here.

    Signatures are not demanded, and requests and responses not told apart.
    """
    if version == 0:
        return POLICY_V0.get(value)
    request, response = value >> _REQUEST_BITS & 3, value >> _RESPONSE_BITS & 3
    known = request << _REQUEST_BITS | response << _RESPONSE_BITS
    return POLICY_V0[request] if value == known and request == response else None


def _client_title(call: Call) -> Data:
    return octet_string(call.device.client_titles.get(_scope(call), b""))


def _activate(call: Call, parameter: Data) -> Outcome:
    """security_activate strengthens: a weaker or unknown policy is refused (KL-KT-32)."""
    scope = _scope(call)
    assert isinstance(parameter.value, int)
    wanted = _policy_of(parameter.value, call.row.interface_class.version)
    present = call.device.config(call.device.profile.associations[scope]).policy
    if wanted is None or present & ~wanted:
        return _REFUSED
    call.device.state.policies[scope] = wanted
    call.device.state.security_revision += 1
    return SUCCESS


def _transfer(call: Call, parameter: Data) -> Step[Outcome]:
    wanted = _parse(parameter, _suite(call).wrapped_length)
    if isinstance(wanted, Outcome):
        return wanted
    device, scope = call.device, _scope(call)
    kek = device.key(scope, KeyKind.KEK)
    former = _all_keys(call)
    fresh: list[KeyRef] = []
    try:
        for kind, wrapped in wanted.items():
            old = device.key(scope, kind)
            new = old._replace(version=old.version + 1)
            yield Unwrap(Use.TRANSFER_KEY, kek, wrapped, new, (*former, *fresh))
            fresh.append(new)
    except CryptoFailure:
        for ref in fresh:
            yield Discard(Use.TRANSFER_KEY, ref)
        return _REFUSED
    for ref in fresh:
        if ref.kind in _ENCRYPTION:
            device.state.counters.establish(ref)
        device.state.key_versions[scope, ref.kind] = ref.version
    device.state.security_revision += 1
    return SUCCESS


def _parse(parameter: Data, wrapped_length: int) -> dict[KeyKind, bytes] | Outcome:
    """key_transfer_data: array of structure{key_id enum, key_wrapped octet-string}."""
    wanted: dict[KeyKind, bytes] = {}
    assert isinstance(parameter.value, tuple)
    for element in parameter.value:
        parts = element.value
        if element.type is not DataType.STRUCTURE or not isinstance(parts, tuple):
            return _UNMATCHED
        if [part.type for part in parts] != [DataType.ENUM, DataType.OCTET_STRING]:
            return _UNMATCHED
        key_id, wrapped = parts[0].value, parts[1].value
        assert isinstance(key_id, int)
        assert isinstance(wrapped, bytes)
        kind = KEY_IDS.get(key_id)
        if kind is None or kind in wanted or len(wrapped) != wrapped_length:
            return _REFUSED
        wanted[kind] = wrapped
    return wanted or _REFUSED


def _all_keys(call: Call) -> tuple[KeyRef, ...]:
    """Every key that any association of this meter has or had: two hands, so no key in both."""
    associations = call.device.profile.associations.values()
    scopes = [row.name for row in associations if row.security_setup is not None]
    refs = (call.device.key(scope, kind) for scope in scopes for kind in KEY_IDS.values())
    return tuple(
        ref._replace(version=version) for ref in refs for version in range(ref.version + 1)
    )


BEHAVIOUR = Behaviour(
    read={
        2: computed(_policy),
        3: computed(lambda call: enum(_row(call).config.suite)),
        4: computed(_client_title),
        5: computed(lambda call: octet_string(call.device.title)),
    },
    invoke={1: _activate, 2: _transfer},
)
