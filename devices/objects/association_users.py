"""Users and secrets of an association, which both association classes have (Blue Book 4.4.3,
4.4.4).
"""

from __future__ import annotations

from devices.objects.behaviour import SUCCESS, Call, Outcome
from dlms.acse.names import Mechanism
from dlms.axdr.data import Data, array, structure, unsigned, visible_string
from dlms.security.keys import KeyKind
from dlms.security.ops import CryptoFailure, Step, Unwrap, Use
from dlms.xdlms.codes import ActionResult

_REFUSED = Outcome(ActionResult.OTHER_REASON)
_BY_SECRET = (Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256)
_WRAPPED_SECRET = range(24, 73, 8)
"""Octets of a wrapped secret: 16 to 64, as a challenge has, and 8 more (RFC 3394)."""


def user_list(call: Call) -> Data:
    users = call.device.users(call.association)
    return array(*(_user(number, name) for number, name in sorted(users.items())))


def current_user(call: Call) -> Data:
    """Who is behind the client; 0 without a name where nobody is identified."""
    users = call.device.users(call.association)
    if call.user is None:
        return _user(0, "")
    return _user(call.user, users.get(call.user, ""))


def _user(number: int, name: str) -> Data:
    return structure(unsigned(number), visible_string(name))


def add_user(call: Call, parameter: Data) -> Outcome:
    """Of an id that is there already the name is replaced. Ids have one octet: 256 at most.

    An association that identifies no users does not begin to: its client could not come back.
    """
    number, name = _parsed(parameter)
    return _replace(call, {**call.device.users(call.association), number: name})


def remove_user(call: Call, parameter: Data) -> Outcome:
    """Both the id and the name must be those of a user in the list."""
    number, name = _parsed(parameter)
    users = dict(call.device.users(call.association))
    if users.get(number) != name:
        return _REFUSED
    del users[number]
    return _replace(call, users)


def _parsed(parameter: Data) -> tuple[int, str]:
    parts = parameter.value
    assert isinstance(parts, tuple)  # the class table admits this structure only
    number, name = (part.value for part in parts)
    assert isinstance(number, int)
    assert isinstance(name, str)
    return number, name


def _replace(call: Call, users: dict[int, str]) -> Outcome:
    if call.association.config.users is None:
        return _REFUSED
    call.device.state.users[call.association.name] = users
    call.device.state.security_revision += 1
    return SUCCESS


def change_hls_secret(call: Call, parameter: Data) -> Step[Outcome]:
    """A new secret for the association, wrapped by its master key.

    The book leaves open how the new secret is protected ("it may be encrypted", Blue Book 4.4.4).
    Wrapped, as keys of Security setup are, its octets stay inside the module, and it is checked
    whole before it counts. The old secret is good for nothing then; an association without a master
    key cannot have a new one.
    """
    wrapped = parameter.value
    assert isinstance(wrapped, bytes)  # the class table admits octet-string only
    row, device = call.association, call.device
    if row.config.mechanism not in _BY_SECRET or row.security_setup is None:
        return _REFUSED
    if len(wrapped) not in _WRAPPED_SECRET:
        return _REFUSED
    old = device.key(row.name, KeyKind.HLS_SECRET)
    new = old._replace(version=old.version + 1)
    former = tuple(old._replace(version=version) for version in range(new.version))
    try:
        yield Unwrap(Use.TRANSFER_KEY, device.key(row.name, KeyKind.KEK), wrapped, new, former)
    except CryptoFailure:
        return _REFUSED
    device.state.key_versions[row.name, KeyKind.HLS_SECRET] = new.version
    device.state.security_revision += 1
    return SUCCESS
