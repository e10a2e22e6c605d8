"""X_SUITE1_HLS6 and HLS7: authentication with SHA-256 and with ECDSA, right and wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult
from dlms.acse.names import Mechanism
from dlms.cosem.tables.security import SECURITY_SETUP
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Curve, Digest, HashFunction, Sign, Step, Use
from dlms.security.suites import SUITES
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.conformance.cases.securing import lives
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_of, found, refused
from emulator.conformance.conversing.tree import Node, Pointless, Sender, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial
from emulator.modules import curves

WrongF: TypeAlias = Callable[[Trial, Probe, DeclaredAssociation], bytes]
"""A wrong f(StoC), of a client that has its AARE."""

_CLIENT_TITLE = 4
"""client_system_title of Security setup."""


def _rows(trial: Trial, mechanism: Mechanism) -> list[DeclaredAssociation]:
    """All associations with that mechanism whose keys are at hand, so each curve."""
    found = [
        row
        for row in trial.declaration.associations
        if row.mechanism is mechanism and trial.target.has_keys(row)
    ]
    if not found:
        raise Unjudged(f"no association with {mechanism.name} is declared whose keys are at hand")
    return found


# Right --------------------------------------------------------------------------------------------


def _authenticating(mechanism: Mechanism) -> Sender:
    async def send(trial: Trial) -> Seen:
        problems: list[str] = []
        for row in _rows(trial, mechanism):
            problem = await _authenticated(trial, row)
            if problem:
                problems.append(f"{row.name}: {problem}")
        return Seen.found(problems, answer="accepted")

    return send


async def _authenticated(trial: Trial, row: DeclaredAssociation) -> str:
    """Pass 3 as it must be; what is wrong with what comes back."""
    probe = await trial.probe_of(row)
    opening = await probe.associate()
    aare = opening.message
    if not isinstance(aare, Aare) or aare.result is not AssociationResult.ACCEPTED:
        return str(opening)
    if opening.problems:
        return "; ".join(opening.problems)
    seen = await probe.authenticate()
    if seen.problems:
        return "; ".join(seen.problems)
    if not probe.is_open:
        return str(seen)
    if row.mechanism is Mechanism.HLS_ECDSA:
        f = data_of(seen)
        length = 2 * _curve(row).value
        if f is None or not isinstance(f.value, bytes) or len(f.value) != length:
            return f"pass 4 is not R and S of {length} octets"
    return "" if await lives(probe) else "a read is refused after pass 4"


def _curve(row: DeclaredAssociation) -> Curve:
    curve = SUITES[row.suite].curve
    if curve is None:
        raise Unjudged(f"{row.name} has mechanism 7 and suite {row.suite}, which has no curve")
    return curve


@conversation("X_SUITE1_HLS7_P")
def signed() -> Sequence[Node]:
    return (step("signed", _authenticating(Mechanism.HLS_ECDSA), found("accepted")),)


@conversation("X_SUITE1_HLS6_P")
def hashed() -> Sequence[Node]:
    return (step("hashed", _authenticating(Mechanism.HLS_SHA256), found("accepted")),)


# Wrong --------------------------------------------------------------------------------------------


def _with(mechanism: Mechanism, wrong: WrongF) -> Sender:
    """Pass 3 with something wrong: it is refused, and there is no association."""

    async def send(trial: Trial) -> Seen:
        seen = Seen.found()
        for row in _rows(trial, mechanism):
            probe = await trial.probe_of(row)
            opening = await probe.associate()
            if not probe.accepted.challenge:
                raise Unjudged(f"no association of {row.name}: {opening}")
            seen = await probe.authenticate(wrong(trial, probe, row))
            if refused().judge(trial, seen) is not None:
                return seen
            if await lives(probe):
                return Seen.found((f"{row.name}: refused, and a read works all the same",))
            await probe.line.close()
        return seen

    return send


def _run(probe: Probe, op: Sign | Digest) -> bytes:
    def carried_out() -> Step[Any]:
        return (yield op)

    octets: bytes = probe.run(carried_out())
    return octets


def _parts(probe: Probe) -> tuple[bytes, bytes, bytes, bytes]:
    """T-C, T-S, StoC and CtoS: what f of a client is about, in its order."""
    own, title = probe.config.own_title, probe.accepted.title
    assert own is not None
    assert title is not None  # needs_title: both mechanisms have them
    return own, title, probe.accepted.challenge, probe.proposed.challenge


def _order_of_pass_4(probe: Probe) -> tuple[bytes, bytes, bytes, bytes]:
    client, server, stoc, ctos = _parts(probe)
    return server, client, ctos, stoc


def _der(trial: Trial, probe: Probe, row: DeclaredAssociation) -> bytes:
    """The right signature, as X.509 has them."""
    raw, half = probe.f_of_challenge(), _curve(row).value
    r, s = (int.from_bytes(part, "big") for part in (raw[:half], raw[half:]))
    return encode_dss_signature(r, s)


def _signed_in_other_order(trial: Trial, probe: Probe, row: DeclaredAssociation) -> bytes:
    key = probe.keys.signing_key
    assert key is not None  # or there were no AARQ
    return _run(probe, Sign(Use.ASSOCIATION, key, b"".join(_order_of_pass_4(probe))))


def _by_another(trial: Trial, probe: Probe, row: DeclaredAssociation) -> bytes:
    """Right, but for whose key it is."""
    other = other_signing_key(trial, row)
    return _run(probe, Sign(Use.ASSOCIATION, other, b"".join(_parts(probe))))


def other_signing_key(trial: Trial, row: DeclaredAssociation) -> KeyRef:
    """A signature key of nobody's, on the curve of the suite."""
    curve = _curve(row)
    scalar = trial.rng.randrange(1, curves.ORDERS[curve]).to_bytes(curve.value, "big")
    ref = KeyRef(b"", "nobody's", KeyKind.SIGNING_KEY, version=trial.rng.getrandbits(32))
    trial.target.held(row).ring.keep(ref, scalar)
    return ref


def _hashed_as_pass_4(trial: Trial, probe: Probe, row: DeclaredAssociation) -> bytes:
    secret = probe.keys.hls_secret
    assert secret is not None  # or there were no AARQ
    parts = (secret, *_order_of_pass_4(probe))
    return _run(probe, Digest(Use.ASSOCIATION, HashFunction.SHA256, parts))


def _untitled(mechanism: Mechanism) -> Sender:
    """An AARQ without calling-AP-title. Who knows the client's title beforehand may do without."""

    async def send(trial: Trial) -> Seen:
        row = _rows(trial, mechanism)[0]
        probe = await trial.probe_of(row)
        seen = await probe.associate(_without_title)
        if not probe.accepted.challenge:
            return seen
        if await _is_registered(trial, row):
            raise Pointless(f"the client's title is registered for {row.name}")
        probe = await trial.probe_of(row)
        await probe.associate(_without_title)
        # It goes on: then pass 3 must fail, for what is signed or hashed has the title in it.
        seen = await probe.authenticate()
        if refused().judge(trial, seen) is None and await lives(probe):
            return Seen.found(("refused, and a read works all the same",))
        return seen

    return send


def _without_title(aarq: Aarq) -> Aarq:
    return aarq._replace(calling_ap_title=None)


async def _is_registered(trial: Trial, row: DeclaredAssociation) -> bool:
    if not row.security_setup:
        return False
    probe = await trial.associated(row)
    where = AttributeDescriptor(SECURITY_SETUP.class_id, row.security_setup, _CLIENT_TITLE)
    title = data_of(await probe.get(where))
    await probe.line.close()
    return title is not None and bool(title.value)


@conversation("X_SUITE1_HLS7_N")
def signed_wrongly() -> Sequence[Node]:
    mechanism = Mechanism.HLS_ECDSA
    return (
        step("der", _with(mechanism, _der), refused()),
        step("order", _with(mechanism, _signed_in_other_order), refused()),
        step("certificate", _with(mechanism, _by_another), refused()),
        step("title", _untitled(mechanism), refused()),
    )


@conversation("X_SUITE1_HLS6_N")
def hashed_wrongly() -> Sequence[Node]:
    mechanism = Mechanism.HLS_SHA256
    return (
        step("order", _with(mechanism, _hashed_as_pass_4), refused()),
        step("title", _untitled(mechanism), refused()),
    )
