"""``[associations.NAME]`` and ``[logical_devices]``: what a meter offers, and by which keys.

[associations.management]
client_sap = 1
context = "LN_CIPHERED"
mechanism = "HLS_GMAC"
conformance = ["GET", "SET", "ACTION"]
policy = ["AUTHENTICATED", "ENCRYPTED"]
keys = "management"               # an entry of the key file
own_title = "4D4D4D0000000001"    # the tester's
counter_from = "0-0:43.1.1.255"

[logical_devices]
1 = "ABC0000000000001"            # by server SAP; or { hex = "..." }
"""

from __future__ import annotations

from typing import Any

from devices.profile.place import Place, Problems
from devices.profile.table import Table, checked, maybe, member, need, one_of, only, within
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import MAX_USER
from dlms.security.control import Protection
from dlms.security.suites import SUITES
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import MIN_PDU_SIZE
from emulator.conformance.declaration.fields import (
    each,
    logical_name,
    number,
    octets,
    title,
    word,
)
from emulator.conformance.declaration.model import DeclaredAssociation, LogicalDevice

_FLAGS = {"dedicated": False, "release": True, "protected_release": False}
_ASSOCIATION = {
    "client_sap", "server_sap", "context", "mechanism", "conformance", "max_pdu_size", "suite",
    "policy", "keys", "own_title", "counter_from", "users", "security_setup", *_FLAGS,
}  # fmt: skip
_MAX_SAP = 0xFFFF
MAX_NAME = 16
"""Octets of a logical device name (Blue Book, 4.1.8.2)."""
MANAGEMENT_DEVICE = 1


def associations(table: Table, keys_there: bool, place: Place) -> tuple[DeclaredAssociation, ...]:
    """:class:`~devices.profile.ProfileError` has all that are wrong. ``keys_there``: there is a key
    file.
    """
    found: list[DeclaredAssociation] = []
    problems = Problems()
    for name, row in table.items():
        with problems.collected():
            here = place.at(name)
            one = _association(name, row, keys_there, here)
            pair = one.client_sap, one.server_sap
            for other in found:
                if (other.client_sap, other.server_sap) == pair:
                    raise here.error(f"has the SAPs of {other.name}, {pair[0]} and {pair[1]}")
            found.append(one)
    problems.settle()
    return tuple(found)


def _association(name: str, row: Table, keys_there: bool, place: Place) -> DeclaredAssociation:
    only(row, _ASSOCIATION, place)
    context = member(ApplicationContext, need(row, "context", str, place), place.at("context"))
    mechanism = member(Mechanism, need(row, "mechanism", str, place), place.at("mechanism"))
    suite = one_of(maybe(row, "suite", int, 0, place), tuple(SUITES), place.at("suite"))
    if mechanism is Mechanism.HLS_ECDSA and SUITES[suite].curve is None:
        raise place.at("suite").error(f"suite {suite} has no key pairs to sign with")
    policy = flags(Protection, row, "policy", place)
    flag = {key: maybe(row, key, bool, default, place) for key, default in _FLAGS.items()}
    if not context.ciphered:
        for key in ("policy", "dedicated", "protected_release"):
            if row.get(key):
                raise place.at(key).error(f"needs a ciphered context, and {context.name} is none")
    if flag["protected_release"] and not flag["release"]:
        raise place.at("protected_release").error("there is no release to be protected")
    keys = maybe(row, "keys", str, "", place)
    if keys and not keys_there:
        raise place.at("keys").error(f"{keys!r} is looked for in the key_file, which is missing")
    users = each(row, "users", _user, place)
    if len(set(users)) < len(users):
        raise place.at("users").error("has a user twice")
    return DeclaredAssociation(
        name=name,
        client_sap=within(need(row, "client_sap", int, place), 1, _MAX_SAP, place.at("client_sap")),
        server_sap=number(row, "server_sap", 1, _MAX_SAP, place, MANAGEMENT_DEVICE),
        context=context,
        mechanism=mechanism,
        conformance=_conformance(row, place),
        max_pdu_size=number(row, "max_pdu_size", MIN_PDU_SIZE, 0xFFFF, place),
        suite=suite,
        policy=policy,
        keys=keys,
        own_title=title(row, "own_title", place),
        counter_from=logical_name(row, "counter_from", place),
        users=users,
        security_setup=logical_name(row, "security_setup", place),
        **flag,
    )


def _conformance(row: Table, place: Place) -> Conformance:
    need(row, "conformance", list, place)
    found: Conformance = flags(Conformance, row, "conformance", place)
    return found


def flags(kind: Any, row: Table, key: str, place: Place) -> Any:
    """Names of bits, in a list."""
    found = kind(0)
    for one in each(row, key, lambda one, where: member(kind, word(one, where), where), place):
        found |= one
    return found


def _user(one: object, place: Place) -> int:
    if isinstance(one, bool) or not isinstance(one, int):
        raise place.error(f"a user id is a whole number, not {one!r}")
    return within(one, 0, MAX_USER, place)


def logical_devices(table: Table, place: Place) -> tuple[LogicalDevice, ...]:
    """Names by server SAP."""
    return tuple(
        LogicalDevice(
            sap=within(checked(int, key, place.at(key)), 1, _MAX_SAP, place.at(key)),
            name=_name(written, place.at(key)),
        )
        for key, written in table.items()
    )


def _name(written: object, place: Place) -> bytes:
    if isinstance(written, str):
        if not written.isascii():
            raise place.error('a name as text is ASCII; any other is { hex = "..." }')
        found = written.encode("ascii")
    else:
        only(written, {"hex"}, place)
        assert isinstance(written, dict)  # only() has looked
        need(written, "hex", str, place)
        found = octets(written, "hex", place)
    if not found or len(found) > MAX_NAME:
        raise place.error(f"a logical device name has 1 to {MAX_NAME} octets, not {len(found)}")
    return found
