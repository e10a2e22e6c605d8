"""X_SUITE1_GENSIGN: signed requests, as they are and altered; signed first, and then ciphered."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.security.ciphered import Form
from dlms.security.general_signing import decode_general_signing
from emulator.conformance.cases.securing import Attempt, each_refused
from emulator.conformance.cases.signing import signed_read, with_header
from emulator.conformance.cases.suites_general import alterations, general_rows
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import done, refused
from emulator.conformance.conversing.tree import Node, Sender, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import After, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

_FIELDS = ("transaction-id", "date-time", "other-information")
"""Titles are left out: those of others are refused whatever the signature is about."""


def _rows(trial: Trial) -> list[DeclaredAssociation]:
    def signs(row: DeclaredAssociation) -> bool:
        known = trial.target.keys(row.keys)
        return known.signing_key is not None

    return general_rows(trial, signs, "and the client's signature key")


def _signing(*forms: Form) -> Sender:
    """A signed read in each suite, in each of these forms: the first that has not succeeded, or the
    last.
    """

    async def send(trial: Trial) -> Seen:
        seen = Seen.found()
        for row in _rows(trial):
            probe = await trial.associated(row)
            for form in forms:
                seen = await signed_read(probe, row, form)
                if done().judge(trial, seen) is not None:
                    return seen.having(notes=(*seen.notes, f"{row.name}: {form.value}"))
        return seen

    return send


async def _altered(trial: Trial) -> Seen:
    seen = Seen.found()
    changes = alterations(trial)
    for row in _rows(trial):

        def attempt(name: str, row: DeclaredAssociation = row) -> Attempt:
            def after(octets: bytes) -> bytes:
                header = decode_general_signing(octets).header
                return with_header(changes[name](header), octets)

            return _reading(row, after)

        attempts = {f"{name} altered": attempt(name) for name in _FIELDS}
        seen = await each_refused(trial, row, attempts)
        if refused().judge(trial, seen) is not None:
            return seen
    return seen


def _reading(row: DeclaredAssociation, after: After) -> Attempt:
    async def attempt(probe: Probe) -> Seen:
        return await signed_read(probe, row, after=after)

    return attempt


@conversation("X_SUITE1_GENSIGN_ALTERED")
def not_altered() -> Sequence[Node]:
    return (step("signed", _signing(Form.GENERAL), done()), step("altered", _altered, refused()))


@conversation("X_SUITE1_GENSIGN_ORDER")
def signed_first() -> Sequence[Node]:
    return (step("order", _signing(Form.GENERAL, Form.CIPHERING), done()),)
