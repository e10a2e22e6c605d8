"""X_SUITE1_EXPORT and REMOVE: certificates that the device holds, given out and removed."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from dlms.cosem.security_setup import ByEntity, BySerial, CertificateEntry, Entity, Identification
from dlms.security.asymmetric import CertificatePurpose
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.security.key_choice import KeyChoice
from emulator.conformance.cases.certificate_making import authority_of, issue, wanted
from emulator.conformance.cases.securing import by_suite, is_general, shaped
from emulator.conformance.cases.setup_asking import (
    exported,
    generated,
    imported,
    listed,
    removed,
    requested,
)
from emulator.conformance.cases.suites_pairs import present_key, setup_rows
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_of, done, refused, value
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial
from emulator.modules import curves

_SIGNATURE, _AGREEMENT = CertificatePurpose.SIGNATURE, CertificatePurpose.KEY_AGREEMENT
_INTEGER = 0x02
_HEAD = 2
"""Tag and length of a serial number in DER, which some devices leave out."""


def _number(serial: bytes) -> int:
    """A serial number as an entry of the list has it."""
    is_der = len(serial) > _HEAD and serial[0] == _INTEGER and serial[1] == len(serial) - _HEAD
    return int.from_bytes(serial[_HEAD:] if is_der else serial, "big")


def _loaded(der: bytes) -> x509.Certificate | str:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        return f"what comes back is no certificate: {error}"


def _public(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    return curves.public_octets(key) if isinstance(key, ec.EllipticCurvePublicKey) else b""


def _entry_of(
    entries: Sequence[CertificateEntry], entity: Entity, purpose: CertificatePurpose | None = None
) -> CertificateEntry | None:
    return next(
        (
            one
            for one in entries
            if one.entity is entity and (purpose is None or one.purpose is purpose)
        ),
        None,
    )


# Given out ----------------------------------------------------------------------------------------


async def _by_entity(trial: Trial) -> Seen:
    """The device's own for signatures, which has its title and the key that it signs with."""
    problems = []
    for row in setup_rows(trial):
        title = trial.declaration.title
        if not title:
            raise Unjudged("the device's system title is not declared")
        named = ByEntity(Entity.SERVER, _SIGNATURE, title)
        outcome = await exported(trial, row, named)
        certificate = _loaded(outcome.octets)
        known = present_key(trial, row, _SIGNATURE)
        if outcome.refusal or isinstance(certificate, str):
            problems.append(f"{row.name}: {outcome.refusal or certificate}")
        elif known and _public(certificate) != known:
            problems.append(f"{row.name}: the certificate is for another key than it signs with")
        elif title not in outcome.octets and title.hex().upper() not in str(certificate.subject):
            problems.append(f"{row.name}: the certificate is for another system title")
    return Seen.found(problems)


async def _by_serial(trial: Trial) -> Seen:
    return await _listed_as(trial, Entity.SERVER)


async def _anchor(trial: Trial) -> Seen:
    return await _listed_as(trial, Entity.AUTHORITY)


async def _listed_as(trial: Trial, entity: Entity) -> Seen:
    """The first of the list that is of such an entity, by its serial number."""
    problems = []
    for row in setup_rows(trial):
        entry = _entry_of(await listed(trial, row), entity)
        if entry is None:
            raise Unjudged(f"{row.name} lists no certificate of {entity.name}")
        outcome = await exported(trial, row, BySerial(entry.serial, entry.issuer))
        certificate = _loaded(outcome.octets)
        if outcome.refusal or isinstance(certificate, str):
            problems.append(f"{row.name}: {outcome.refusal or certificate}")
        elif certificate.serial_number != _number(entry.serial):
            problems.append(f"{row.name}: the certificate has another serial number")
        elif certificate.subject.public_bytes() != entry.subject:
            problems.append(f"{row.name}: the certificate has another subject than is listed")
    return Seen.found(problems)


@conversation("X_SUITE1_EXPORT")
def exporting() -> Sequence[Node]:
    return (
        step("entity", _by_entity, value()),
        step("serial", _by_serial, value()),
        step("anchor", _anchor, value()),
    )


# Removed ------------------------------------------------------------------------------------------


async def _remove_anchor(trial: Trial) -> Seen:
    for row in setup_rows(trial):
        entry = _entry_of(await listed(trial, row), Entity.AUTHORITY)
        if entry is None:
            raise Unjudged(f"{row.name} lists no trust anchor")
        named = BySerial(entry.serial, entry.issuer)
        before = await exported(trial, row, named)
        outcome = await removed(trial, row, named)
        if not outcome.refusal:
            return Seen.found((f"{row.name} has removed a trust anchor",))
        if (await exported(trial, row, named)).octets != before.octets:
            return Seen.found((f"{row.name} has refused, and the trust anchor is gone",))
    return Seen.found()


async def _remove_own(trial: Trial) -> Seen:
    """That for key agreement: no key is agreed with it any more, and there is no request for a
    certificate for it.
    """
    row = by_suite(trial, lambda row: bool(row.security_setup), "with a Security setup")[0]
    title = trial.declaration.title
    authority_of(trial, row.suite)  # there must be a way back
    old = present_key(trial, row, _AGREEMENT)
    if not title or not old:
        raise Unjudged("the device's system title or its key for key agreement is not declared")
    own: Identification = ByEntity(Entity.SERVER, _AGREEMENT, title)

    async def undo() -> None:
        await _certify_anew(trial, row, own)

    trial.afterwards(undo)
    outcome = await removed(trial, row, own)
    if outcome.refusal:
        return Seen.found((outcome.refusal,))
    problems = []
    if (await exported(trial, row, own)).octets:
        problems.append("it is exported still")
    if is_general(row) and trial.target.keys(row.keys).signing_key is not None:
        probe = await trial.associated(row)
        shape = shaped(Protection.BOTH, Form.CIPHERING, KeyChoice.ONE_PASS)
        if data_of(await probe.get(shape=shape)) is not None:
            problems.append("a key is agreed with its private key still")
        await probe.line.close()
    request = (await requested(trial, row, _AGREEMENT)).octets
    if request and _requested_key(request) == old:
        problems.append("a certificate for its private key is requested still")
    return Seen.found(problems)


def _requested_key(request: bytes) -> bytes:
    try:
        key = x509.load_der_x509_csr(request).public_key()
    except ValueError:
        return b""
    return curves.public_octets(key) if isinstance(key, ec.EllipticCurvePublicKey) else b""


async def _certify_anew(trial: Trial, row: DeclaredAssociation, own: Identification) -> None:
    """A new pair in the place of the one that was removed, and its certificate."""
    if (await exported(trial, row, own)).octets:
        return
    await generated(trial, row, _AGREEMENT)
    request = (await requested(trial, row, _AGREEMENT)).octets
    if not request:
        raise Unjudged("the device makes no request for a new certificate")
    key = x509.load_der_x509_csr(request).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Unjudged("the device's new key is on no curve")
    one = wanted(trial, trial.declaration.title, _AGREEMENT, key)
    der = issue(trial, authority_of(trial, row.suite), one)
    outcome = await imported(trial, row, der)
    if outcome.refusal:
        raise Unjudged(f"the device does not import its new certificate: {outcome.refusal}")
    trial.target.replace_keys(row.keys, peer_agreement_public=curves.public_octets(key))


@conversation("X_SUITE1_REMOVE")
def removing() -> Sequence[Node]:
    return (step("anchor", _remove_anchor, refused()), step("own", _remove_own, done()))
