"""How our client opens a declared association."""

from __future__ import annotations

from dlms.acse.names import Referencing
from dlms.cosem import obis
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from emulator.client.keys import Keys
from emulator.client.options import Options
from emulator.conformance.declaration.model import Declaration, DeclaredAssociation


def options(
    declaration: Declaration,
    one: DeclaredAssociation,
    keys: Keys,
    counters: InvocationCounters | None = None,
) -> Options:
    """What :meth:`emulator.client.Client.associate` takes. Requests are protected as the policy
    asks, and by encryption and authentication where it asks for nothing. ``counters`` are those of
    the whole run, by default of this process.
    """
    found = Options(
        client_sap=one.client_sap,
        server_sap=one.server_sap,
        mechanism=one.mechanism,
        keys=keys,
        ciphered=one.context.ciphered,
        suite=one.suite,
        short_names=one.context.referencing is Referencing.SHORT_NAME,
        conformance=one.conformance,
        protection=one.policy or Protection.BOTH,
        dedicated=one.dedicated,
        timeout=declaration.timing.answer,
    )
    if counters is not None:
        found["counters"] = counters
    if one.own_title:
        found["own_title"] = one.own_title
    if one.counter_from:
        found["counter_from"] = obis.text(one.counter_from)
    if one.users:
        found["user"] = one.users[0]
    return found
