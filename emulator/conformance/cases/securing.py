"""What the checks of ciphered associations share: which association they are tried on, requests in
any protection, and attempts all of which must come to nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from dlms.acse.names import Referencing
from dlms.security.ciphered import Family, Form, decode_ciphered, encode_ciphered
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.key_choice import KeyChoice
from dlms.security.keys import KeyRef
from dlms.security.ops import CryptoOp, Seal
from dlms.security.protect import SecurityContext, Shape
from dlms.xdlms.conformance import Conformance
from emulator.conformance.conversing.expect import data_of, refused
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import After, Alter, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

Which: TypeAlias = Callable[[DeclaredAssociation], bool]
Attempt: TypeAlias = Callable[[Probe], Awaitable[Seen]]

MANAGEMENT = 1
"""Client SAP of the client management process, which may do most (GB Ed. 8, 4.5.3.3)."""


def anyone(row: DeclaredAssociation) -> bool:
    return True


def rows(trial: Trial, which: Which = anyone, what: str = "") -> list[DeclaredAssociation]:
    """The declared associations by logical names with ciphering whose keys are at hand, and of that
    sort. :class:`Unjudged` if there are none.
    """
    found = [
        row
        for row in trial.declaration.associations
        if row.context.ciphered
        and row.context.referencing is Referencing.LOGICAL_NAME
        and trial.target.has_keys(row)
        and which(row)
    ]
    if not found:
        raise Unjudged(f"no association by logical names with ciphering {what}".rstrip())
    return found


def ciphered_row(trial: Trial, which: Which = anyone, what: str = "") -> DeclaredAssociation:
    """The one of them that asks for most."""
    return max(rows(trial, which, what), key=lambda row: int(row.conformance).bit_count())


def managing_row(trial: Trial, which: Which = anyone, what: str = "") -> DeclaredAssociation:
    """One that has a Security setup object and whose master key is at hand; that of the management
    client first.
    """

    def manages(row: DeclaredAssociation) -> bool:
        known = trial.target.keys(row.keys)
        return bool(row.security_setup) and known.kek is not None and which(row)

    found = rows(trial, manages, f"whose keys may be transferred {what}".rstrip())
    return min(found, key=lambda row: (row.suite, row.client_sap != MANAGEMENT))


def by_suite(trial: Trial, which: Which = anyone, what: str = "") -> list[DeclaredAssociation]:
    """One for each of the suites 1 and 2 that is declared."""
    found: dict[int, DeclaredAssociation] = {}
    for row in rows(trial, lambda row: row.suite > 0 and which(row), f"of suite 1 or 2 {what}"):
        found.setdefault(row.suite, row)
    return list(found.values())


def is_general(row: DeclaredAssociation) -> bool:
    return bool(row.conformance & Conformance.GENERAL_PROTECTION)


# Requests ---------------------------------------------------------------------------------------


def security_of(probe: Probe) -> SecurityContext:
    """What a probe in a ciphered context protects with."""
    assert probe.general is not None  # rows() are ciphered
    return probe.general.security


def guek_of(probe: Probe) -> KeyRef:
    guek = security_of(probe).guek
    assert guek is not None
    return guek


def shaped(
    protection: Protection,
    form: Form = Form.SERVICE,
    choice: KeyChoice = KeyChoice.UNICAST,
    family: Family = Family.GLOBAL,
) -> Shape:
    return Shape(family, form, protection, choice)


async def read(probe: Probe, row: DeclaredAssociation, shape: Shape) -> Seen:
    """A read in that shape, whose response must have the protection of the request and what the
    policy asks for.
    """
    seen = await probe.get(shape=shape)
    return seen.having(facts={**seen.facts, "asked": shape.protection | row.policy})


def with_counter(probe: Probe, apdu: bytes, counter: int) -> bytes:
    """``apdu`` as the association protects it, with another counter than the next. Whoever calls
    has burned it: a counter that is used twice would tell what was said under it.
    """
    security = security_of(probe)
    counters, other = security.counters, InvocationCounters()
    other.raise_to(guek_of(probe), counter)
    security.counters = other
    try:
        return probe.protected(apdu)
    finally:
        security.counters = counters


async def lives(probe: Probe) -> bool:
    """Whether the association is there: a read works."""
    return probe.line.is_open and data_of(await probe.get()) is not None


async def each_refused(
    trial: Trial,
    row: DeclaredAssociation,
    attempts: Mapping[str, Attempt],
    probe: Probe | None = None,
) -> Seen:
    """What came of the first attempt that was not refused, or else of the last. Each is made in an
    association that is there, so that none is refused for the sake of the one before; the first in
    that of ``probe``.
    """
    refusal = refused()
    if probe is None:
        probe = await trial.associated(row)
    seen = Seen.found()
    for name, attempt in attempts.items():
        if not await lives(probe):
            probe = await trial.associated(row)
        seen = await attempt(probe)
        if refusal.judge(trial, seen) is not None:
            return seen.having(notes=(*seen.notes, name))
    return seen


def controlled(control: int) -> tuple[Alter, After]:
    """Another security control octet: what seals with it, and what writes it into the header. It
    is all that is wrong with an APDU.
    """

    def alter(op: CryptoOp) -> CryptoOp:
        return op._replace(control=control) if isinstance(op, Seal) else op

    def after(octets: bytes) -> bytes:
        one = decode_ciphered(octets)
        plain = 0 if one.plain_tag is None else one.plain_tag
        title = b"" if one.title is None else one.title
        return encode_ciphered(plain, one.family, one.form, control, one.counter, one.body, title)

    return alter, after
