"""SYMSEC_0_BasicCap_1: a ciphered association, and reads under each protection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlms.security.control import Protection
from dlms.xdlms.errors import ExceptionResponse
from emulator.conformance.cases.opening import OPENED, opened, passes_3_and_4
from emulator.conformance.cases.securing import ciphered_row, read, shaped
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import accepted, pending, protected, refused
from emulator.conformance.conversing.tree import Expect, Mismatch, Node, Sender, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial


async def _associate(trial: Trial) -> Seen:
    probe = await trial.probe_of(ciphered_row(trial))
    trial.notes.keep(OPENED, probe)
    return await probe.associate()


def _reading(protection: Protection) -> Sender:
    async def send(trial: Trial) -> Seen:
        return await read(opened(trial), ciphered_row(trial), shaped(protection))

    return send


def _served(protection: Protection) -> Expect:
    """Where the policy asks for no more."""
    expect = protected()

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        lacks = _lacks(trial, protection)
        if lacks:
            return Mismatch(f"to be refused, for the policy asks for {lacks!r} as well", str(seen))
        return expect.judge(trial, seen)

    return Expect("protected", judge)


def _refused(protection: Protection) -> Expect:
    """Where the policy asks for more; access rights are refused as data-access-result (9.5), so
    that an exception where the policy is met is no answer.
    """
    expect = refused()

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if not _lacks(trial, protection) and not (
            seen.message is not None and not isinstance(seen.message, ExceptionResponse)
        ):
            return Mismatch("to be served, for the policy asks for no more", str(seen), 0)
        return expect.judge(trial, seen)

    return Expect("refused", judge)


def _lacks(trial: Trial, protection: Protection) -> Protection:
    return Protection(int(ciphered_row(trial).policy) & ~int(protection))


@conversation("SYMSEC_0_BasicCap_1")
def basic_capability() -> Sequence[Node]:
    authenticated, encrypted = Protection.AUTHENTICATED, Protection.ENCRYPTED
    return (
        step("associate", _associate, accepted(), pending(passes_3_and_4())),
        step(
            "authenticated",
            _reading(authenticated),
            _served(authenticated),
            _refused(authenticated),
        ),
        step("encrypted", _reading(encrypted), _served(encrypted), _refused(encrypted)),
        step("both", _reading(Protection.BOTH), protected()),
    )
