"""Associations of a profile: what a table says, as the configuration of the protocol core."""

from __future__ import annotations

from dataclasses import replace

from devices.profile.knobs import parse_knobs
from devices.profile.model import AssociationRow
from devices.profile.place import Place
from devices.profile.table import (
    Table,
    checked,
    maybe,
    member,
    need,
    one_of,
    only,
    provenance_of,
    within,
)
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import MAX_USER, ServerConfig
from dlms.association.knobs import KeyInForce
from dlms.errors import LocalProtocolError
from dlms.security.control import POLICY_V0, Protection
from dlms.security.suites import SUITES
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.general_block import MAX_WINDOW
from dlms.xdlms.initiate import MIN_PDU_SIZE

_MAX_CLIENT_SAP = 0x7F
"""It is an integer in associated_partners_id (Blue Book 4.4.4)."""

_KEYED = (Mechanism.HLS_GMAC, Mechanism.HLS_ECDSA)
_KEY_LIFETIMES = ("long-lived", "single-association")
KEYS = {
    "authentication_key", "block_window", "broadcast", "client_sap", "conformance", "context",
    "dedicated", "knobs", "max_pdu_size", "mechanism", "policy", "pre_established",
    "protected_release", "protection",
    "response_policy", "rights_as", "security_setup", "suite", "unconfirmed", "users",
    "source", "assumed",
}  # fmt: skip


def association(name: str, row: Table, server_sap: int, place: Place) -> AssociationRow:
    """One row. :class:`ProfileError` if its entries contradict each other."""
    only(row, KEYS, place)
    context = member(ApplicationContext, need(row, "context", str, place), place.at("context"))
    mechanism = member(Mechanism, need(row, "mechanism", str, place), place.at("mechanism"))
    policy = _policy(row, "policy", 0, place)
    setup = maybe(row, "security_setup", int, None, place)
    if setup is not None:
        within(setup, 0, 0xFF, place.at("security_setup"))
    dedicated = maybe(row, "dedicated", bool, False, place)
    if (context.ciphered or mechanism in _KEYED) and setup is None:
        raise place.error("ciphering and HLS need keys: security_setup is missing")
    if dedicated and not context.ciphered:
        raise place.at("dedicated").error("a dedicated key needs a ciphered context")
    response_policy = None
    if "response_policy" in row:
        response_policy = _policy(row, "response_policy", 0, place)
    for key, value in (("policy", policy), ("response_policy", response_policy)):
        if value and not context.ciphered:
            raise place.at(key).error("a security policy needs a ciphered context")
    protection = member(Protection, row.get("protection", "BOTH"), place.at("protection"))
    if policy & ~protection:
        raise place.at("protection").error("is less than the policy demands")
    single_key = _single_key(row, context, place)
    knobs = parse_knobs(row.get("knobs", {}), place.at("knobs"))
    if single_key:
        # Or the key would not be that of one association.
        knobs = replace(knobs, key_in_force=KeyInForce.NEXT_ASSOCIATION)
    users = _users(row, place.at("users"))
    conformance = _conformance(row, place)
    config = ServerConfig(
        client_sap=_number(row, "client_sap", 1, _MAX_CLIENT_SAP, place),
        server_sap=server_sap,
        context=context,
        mechanism=mechanism,
        conformance=conformance,
        suite=_suite(row, mechanism, place),
        block_window=_block_window(row, conformance, place),
        max_pdu_size=_number(row, "max_pdu_size", MIN_PDU_SIZE, 0xFFFF, place),
        policy=policy,
        response_policy=response_policy,
        protected_release=maybe(row, "protected_release", bool, False, place),
        pre_established=maybe(row, "pre_established", bool, False, place),
        broadcast=maybe(row, "broadcast", bool, False, place),
        unconfirmed=maybe(row, "unconfirmed", bool, False, place),
        users=None if users is None else frozenset(users),
        knobs=knobs,
    )
    try:
        config.check()
    except LocalProtocolError as error:
        raise place.error(str(error)) from None
    return AssociationRow(
        name,
        config,
        setup,
        dedicated,
        protection,
        provenance_of(row, place),
        users or {},
        single_key,
    )


def _single_key(row: Table, context: ApplicationContext, place: Place) -> bool:
    """Whether authentication keys live for one association."""
    where = place.at("authentication_key")
    lifetime = maybe(row, "authentication_key", str, _KEY_LIFETIMES[0], place)
    single = one_of(lifetime, _KEY_LIFETIMES, where) == _KEY_LIFETIMES[1]
    if single and not context.ciphered:
        raise where.error("a key for a single association needs a ciphered context")
    return single


def _number(row: Table, key: str, low: int, high: int, place: Place) -> int:
    return within(need(row, key, int, place), low, high, place.at(key))


def _policy(row: Table, key: str, default: int, place: Place) -> Protection:
    """In the numbers of Security setup version 0; the profile says least protections, not bits."""
    number = maybe(row, key, int, default, place)
    return POLICY_V0[one_of(number, tuple(POLICY_V0), place.at(key))]


def _suite(row: Table, mechanism: Mechanism, place: Place) -> int:
    suite = one_of(maybe(row, "suite", int, 0, place), tuple(SUITES), place.at("suite"))
    if mechanism is Mechanism.HLS:
        raise place.at("mechanism").error("HLS is what a manufacturer computes, and is no data")
    if mechanism is Mechanism.HLS_ECDSA and SUITES[suite].curve is None:
        raise place.at("suite").error(f"suite {suite} has no key pairs to sign with")
    return suite


def _conformance(row: Table, place: Place) -> Conformance:
    conformance = Conformance(0)
    for word in need(row, "conformance", list, place):
        conformance |= member(Conformance, word, place.at("conformance"))
    return conformance


def _block_window(row: Table, conformance: Conformance, place: Place) -> int:
    """How many general blocks the meter takes in one stream."""
    where = place.at("block_window")
    if "block_window" in row and not conformance & Conformance.GENERAL_BLOCK_TRANSFER:
        raise where.error("a window goes with GENERAL_BLOCK_TRANSFER")
    return within(maybe(row, "block_window", int, 1, place), 1, MAX_WINDOW, where)


def _users(row: Table, place: Place) -> dict[int, str] | None:
    """Names by user id (Blue Book 4.4.4, user_list); ``None`` if users are not identified."""
    if "users" not in row:
        return None
    only(row["users"], set(row["users"]), place)
    found = {}
    for key in row["users"]:
        where = place.at(key)
        number = within(checked(int, key, where), 0, MAX_USER, where)
        name = need(row["users"], key, str, place)
        if not name.isascii():
            raise where.error("a visible-string is ASCII")
        found[number] = name
    return found


def rights_as(table: Table, place: Place) -> dict[str, str]:
    """Which associations have the rights of which others, where an object gives them none.

    ``rights_as`` names an association that has rights of its own, so there are no chains.
    """
    found = {}
    for name, row in table.items():
        if isinstance(row, dict) and "rights_as" in row:
            where = place.at(name).at("rights_as")
            model = one_of(need(row, "rights_as", str, place.at(name)), tuple(table), where)
            if "rights_as" in table[model]:
                raise where.error(f"{model} has its rights from another itself")
            found[name] = model
    return found
