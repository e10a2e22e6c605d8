"""SYMSEC_0_DedKey_N1: dedicated keys where there is none, or not as they must be."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.acse.aarq import Aarq
from dlms.association.proposal import initiate_request
from dlms.security.ciphered import Family
from dlms.security.control import Protection
from dlms.security.keys import KeyRef
from dlms.security.layers import protect_layers
from dlms.security.ops import Use
from dlms.security.suites import SUITES
from emulator.conformance.cases.securing import ciphered_row, security_of, shaped
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import refused, rejected
from emulator.conformance.conversing.tree import Node, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

_WRONG_BY = (-1, 1, -8)
"""Octets by which a dedicated key is too long."""


def _row(trial: Trial) -> DeclaredAssociation:
    """One that is declared to have dedicated keys. Where none is, the device has them anywhere."""
    anywhere = not any(row.dedicated for row in trial.declaration.associations)
    return ciphered_row(trial, lambda row: row.dedicated or anywhere, "and dedicated keys")


def _with_key(probe: Probe, key: bytes) -> bytes:
    return initiate_request(probe.config)._replace(dedicated_key=key).encode()


async def _first_not_rejected(trial: Trial, aarqs: Sequence[tuple[str, Protection, int]]) -> Seen:
    """AARQs whose InitiateRequest has that protection and a dedicated key that is so much longer
    than it must be, each on a connection of its own.
    """
    row = _row(trial)
    seen = Seen.found()
    for name, protection, longer in aarqs:
        probe = await trial.probe_of(row)
        key = trial.rng.randbytes(SUITES[row.suite].key_length + longer)
        information = _with_key(probe, key)
        if protection:
            assert probe.general is not None
            step = protect_layers(probe.general, information, shaped(protection), Use.ASSOCIATION)
            information = probe.run(step)

        def informed(aarq: Aarq, information: bytes = information) -> Aarq:
            return aarq._replace(user_information=information)

        seen = await probe.associate(informed)
        if rejected().judge(trial, seen) is not None:
            return seen.having(notes=(*seen.notes, name))
        await probe.line.close()
    return seen


async def _length(trial: Trial) -> Seen:
    return await _first_not_rejected(
        trial,
        [(f"{by:+} octets", Protection.BOTH, by) for by in _WRONG_BY],
    )


async def _unprotected(trial: Trial) -> Seen:
    return await _first_not_rejected(
        trial,
        [
            ("plain", Protection.NONE, 0),
            ("authenticated", Protection.AUTHENTICATED, 0),
            ("encrypted", Protection.ENCRYPTED, 0),
        ],
    )


async def _none(trial: Trial) -> Seen:
    """Under a key that nobody has told the device."""
    row = _row(trial)
    probe = await trial.associated(row)
    key: KeyRef = trial.dedicated()
    trial.target.held(row).ring.keep(key, trial.rng.randbytes(SUITES[row.suite].key_length))
    return await _under(probe, key)


async def _previous(trial: Trial) -> Seen:
    row = _row(trial)
    key: KeyRef = trial.dedicated()
    before = await trial.associated(row, dedicated=key)
    seen = await _under(before, key)
    if seen.message is None or refused().judge(trial, seen) is None:
        return Seen.found((f"the dedicated key was of no use while it lived: {seen}",))
    if row.release:
        await before.release()
    await before.line.close()
    return await _under(await trial.associated(row), key)


async def _under(probe: Probe, key: KeyRef) -> Seen:
    security_of(probe).dedicated = key
    return await probe.get(shape=shaped(Protection.BOTH, family=Family.DEDICATED))


@conversation("SYMSEC_0_DedKey_N1")
def dedicated_keys() -> Sequence[Node]:
    return (
        step("length", _length, rejected()),
        step("unprotected", _unprotected, rejected()),
        step("none", _none, refused()),
        step("previous", _previous, refused()),
    )
