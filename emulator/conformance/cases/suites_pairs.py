"""X_SUITE1_GENKEY and CSR: key pairs that are made in the device, and requests for their
certificates.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from dlms.security.asymmetric import CertificatePurpose
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.security.key_choice import KeyChoice
from dlms.security.suites import SUITES
from emulator.conformance.cases.securing import by_suite, is_general, shaped
from emulator.conformance.cases.setup_asking import generated, requested
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_of, found
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial
from emulator.modules import curves

_PURPOSES = (
    CertificatePurpose.SIGNATURE,
    CertificatePurpose.KEY_AGREEMENT,
    CertificatePurpose.TLS,
)


def setup_rows(trial: Trial) -> list[DeclaredAssociation]:
    """One for each suite that has a Security setup."""
    return by_suite(trial, lambda row: bool(row.security_setup), "with a Security setup")


def present_key(trial: Trial, row: DeclaredAssociation, purpose: CertificatePurpose) -> bytes:
    """The device's public key for a purpose, as it is known; empty if it is not."""
    known = trial.target.keys(row.keys)
    keys = {
        CertificatePurpose.SIGNATURE: known.peer_public,
        CertificatePurpose.KEY_AGREEMENT: known.peer_agreement_public,
    }
    return keys.get(purpose) or b""


async def _generate(trial: Trial) -> Seen:
    problems = []
    for row in setup_rows(trial):
        for purpose in _PURPOSES:
            outcome = await generated(trial, row, purpose)
            if outcome.refusal:
                problems.append(f"{row.name}, {purpose.name}: {outcome.refusal}")
    return Seen.found(problems)


async def _previous(trial: Trial) -> Seen:
    """A request under a key that is agreed with both pairs of before: the one for key agreement to
    open it, the one for signatures in the response.
    """

    def one_pass(row: DeclaredAssociation) -> bool:
        known = trial.target.keys(row.keys)
        has = known.signing_key, known.peer_public, known.peer_agreement_public
        return bool(row.security_setup) and is_general(row) and None not in has

    problems = []
    rows = by_suite(trial, one_pass, "with general protection and both parties' keys")
    shape = shaped(Protection.BOTH, Form.CIPHERING, KeyChoice.ONE_PASS)
    for row in rows:
        probe = await trial.associated(row)
        seen = await probe.get(shape=shape)
        if data_of(seen) is None:
            problems.append(f"{row.name}: {seen}")
    return Seen.found(problems)


@conversation("X_SUITE1_GENKEY")
def generating() -> Sequence[Node]:
    return (step("generate", _generate, found("done")), step("previous", _previous, found("done")))


# Requests for certificates ------------------------------------------------------------------------


async def _request(trial: Trial) -> Seen:
    problems = []
    for row in setup_rows(trial):
        for purpose in _PURPOSES:
            made = await generated(trial, row, purpose)
            if made.refusal:
                raise Unjudged(f"{row.name} makes no pair for {purpose.name}: {made.refusal}")
            outcome = await requested(trial, row, purpose)
            problem = outcome.refusal or _problem(trial, row, purpose, outcome.octets)
            if problem:
                problems.append(f"{row.name}, {purpose.name}: {problem}")
    return Seen.found(problems)


def _problem(
    trial: Trial, row: DeclaredAssociation, purpose: CertificatePurpose, der: bytes
) -> str:
    """What is wrong with a request; empty if nothing is."""
    try:
        request = x509.load_der_x509_csr(der)
        key = request.public_key()
        if not request.is_signature_valid:
            return "it is not signed by the key that it is about"
    except ValueError as error:
        return f"it is no PKCS #10 request: {error}"
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return "its key is on no curve"
    if curves.curve_of(key) is not SUITES[row.suite].curve:
        return f"its key is on {key.curve.name}, which is not the curve of suite {row.suite}"
    if curves.public_octets(key) == present_key(trial, row, purpose):
        return "it is for the pair of before, not for the new one"
    title = trial.declaration.title
    names = [str(attribute.value).upper() for attribute in request.subject]
    if title and title.hex().upper() not in names and title not in request.tbs_certrequest_bytes:
        return f"it is for {', '.join(names) or 'nobody'}, not for the system title"
    return ""


@conversation("X_SUITE1_CSR")
def requesting() -> Sequence[Node]:
    return (step("request", _request, found("agrees")),)
