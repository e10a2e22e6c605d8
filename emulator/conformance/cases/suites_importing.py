"""X_SUITE1_IMPORT: certificates of the client are imported, those that verify and no others.

They are the client's, so that the first one can be imported again in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography import x509

from dlms.cosem.security_setup import ByEntity, BySerial, Entity
from dlms.security.asymmetric import CertificatePurpose, Curve
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.suites import SUITES
from emulator.conformance.cases.certificate_making import (
    UNKNOWN_EXTENSION,
    WRONG_USAGE,
    Wanted,
    authority_of,
    expired,
    issue,
    new_key,
    other_authority,
    root,
    scalar_of,
    wanted,
)
from emulator.conformance.cases.securing import by_suite, is_general
from emulator.conformance.cases.setup_asking import exported, imported, listed, removed
from emulator.conformance.cases.signing import signed_read
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_of, done, refused
from emulator.conformance.conversing.tree import Node, Sender, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import OWN_TITLE, Trial

_SIGNATURE = CertificatePurpose.SIGNATURE


def _rows(trial: Trial) -> list[DeclaredAssociation]:
    def imports(row: DeclaredAssociation) -> bool:
        return bool(row.security_setup) and trial.target.keys(row.keys).signing_key is not None

    return by_suite(trial, imports, "with a Security setup and the client's signature key")


def _title(row: DeclaredAssociation) -> bytes:
    return row.own_title or OWN_TITLE


def _named(row: DeclaredAssociation) -> ByEntity:
    return ByEntity(Entity.CLIENT, _SIGNATURE, _title(row))


async def _first(trial: Trial, row: DeclaredAssociation) -> bytes:
    """The client's certificate as the device has it. It has it again in the end, and the client its
    key. :class:`Unjudged` if there is none: there would be no way back.
    """
    found = await exported(trial, row, _named(row))
    if not found.octets:
        why = found.refusal or "nothing came back"
        raise Unjudged(f"the client's certificate is not exported by {row.name}: {why}")
    before, key = found.octets, trial.target.keys(row.keys).signing_key

    async def undo() -> None:
        now = await exported(trial, row, _named(row))
        if now.octets != before:
            await imported(trial, row, before)
        trial.target.replace_keys(row.keys, signing_key=key)

    trial.afterwards(undo)
    return before


# To be imported -----------------------------------------------------------------------------------


async def _import(trial: Trial) -> Seen:
    problems: list[str] = []
    for row in _rows(trial):
        authority = authority_of(trial, row.suite)
        await _first(trial, row)
        key = new_key(trial, _curve(row))
        der = issue(trial, authority, wanted(trial, _title(row), _SIGNATURE, key.public_key()))
        outcome = await imported(trial, row, der)
        if outcome.refusal:
            problems.append(f"{row.name}: {outcome.refusal}")
            continue
        problems += [f"{row.name}: {one}" for one in await _of_place(trial, row, der)]
        problems += [f"{row.name}: {one}" for one in await _of_use(trial, row, scalar_of(key))]
    return Seen.found(problems)


async def _of_place(trial: Trial, row: DeclaredAssociation, der: bytes) -> list[str]:
    """What is wrong with where it is."""
    problems = []
    if (await exported(trial, row, _named(row))).octets != der:
        problems.append("another certificate is exported than was imported")
    mine = [
        one
        for one in await listed(trial, row)
        if one.entity is Entity.CLIENT and one.purpose is _SIGNATURE
    ]
    if len(mine) != 1:
        problems.append(f"there are {len(mine)} certificates of the client for signatures")
    return problems


async def _of_use(trial: Trial, row: DeclaredAssociation, scalar: bytes) -> list[str]:
    """Whether signatures are judged by it at once, where requests are signed."""
    old = trial.target.keys(row.keys).signing_key
    trial.target.replace_keys(row.keys, signing_key=scalar)
    if not (trial.declaration.features.get("general.signing") and is_general(row)):
        return []
    problems = []
    probe = await trial.associated(row)
    seen = await signed_read(probe, row)
    if data_of(seen) is None:
        problems.append(f"what the new key has signed is not taken: {seen}")
    assert old is not None  # _rows()
    former = KeyRef(b"", "former", KeyKind.SIGNING_KEY)
    trial.target.held(row).ring.keep(former, old)
    seen = await signed_read(probe, row, signer=former)
    if refused().judge(trial, seen) is not None:
        problems.append("what the former key has signed is taken")
    return problems


def _curve(row: DeclaredAssociation) -> Curve:
    curve = SUITES[row.suite].curve
    assert curve is not None  # by_suite()
    return curve


@conversation("X_SUITE1_IMPORT_P")
def importing() -> Sequence[Node]:
    return (step("import", _import, done()),)


# Not to be imported -------------------------------------------------------------------------------


def _refusing(make: Callable[[Trial, DeclaredAssociation], list[bytes]]) -> Sender:
    """Certificates that have something wrong: each is refused, and the first one is there still."""

    async def send(trial: Trial) -> Seen:
        for row in _rows(trial):
            before = await _first(trial, row)
            for der in make(trial, row):
                outcome = await imported(trial, row, der)
                if not outcome.refusal:
                    await _out_with(trial, row, der)
                    return Seen.found((f"{row.name} has imported it",))
                if (await exported(trial, row, _named(row))).octets != before:
                    return Seen.found((f"{row.name} has refused it, and lost the one before",))
        return Seen.found()

    return send


async def _out_with(trial: Trial, row: DeclaredAssociation, der: bytes) -> None:
    """Remove what should not have come in, if it is in no other's place."""
    certificate = x509.load_der_x509_certificate(der)
    for entry in await listed(trial, row):
        names = entry.issuer, entry.subject
        is_it = names == (certificate.issuer.public_bytes(), certificate.subject.public_bytes())
        if is_it and entry.entity is not Entity.CLIENT:
            await removed(trial, row, BySerial(entry.serial, entry.issuer))


def _right(trial: Trial, row: DeclaredAssociation) -> Wanted:
    key = new_key(trial, _curve(row)).public_key()
    return wanted(trial, _title(row), _SIGNATURE, key)


def _chain(trial: Trial, row: DeclaredAssociation) -> list[bytes]:
    """Of an authority that is not trusted, and of one that only has the name of the trusted one."""
    trusted, one = authority_of(trial, row.suite), _right(trial, row)
    strangers = (
        other_authority(trial, row.suite),
        other_authority(trial, row.suite, trusted.name),
    )
    return [issue(trial, stranger, one) for stranger in strangers]


def _usage(trial: Trial, row: DeclaredAssociation) -> list[bytes]:
    one = _right(trial, row)._replace(usage=WRONG_USAGE)
    return [issue(trial, authority_of(trial, row.suite), one)]


def _other_curve(trial: Trial, row: DeclaredAssociation) -> list[bytes]:
    other = Curve.P384 if _curve(row) is Curve.P256 else Curve.P256
    one = _right(trial, row)._replace(key=new_key(trial, other).public_key())
    return [issue(trial, authority_of(trial, row.suite), one)]


def _expired(trial: Trial, row: DeclaredAssociation) -> list[bytes]:
    return [issue(trial, authority_of(trial, row.suite), expired(_right(trial, row)))]


def _extension(trial: Trial, row: DeclaredAssociation) -> list[bytes]:
    one = _right(trial, row)._replace(extension=UNKNOWN_EXTENSION)
    return [issue(trial, authority_of(trial, row.suite), one)]


def _anchor(trial: Trial, row: DeclaredAssociation) -> list[bytes]:
    return [root(trial, other_authority(trial, row.suite))]


@conversation("X_SUITE1_IMPORT_N")
def not_imported() -> Sequence[Node]:
    return (
        step("chain", _refusing(_chain), refused()),
        step("usage", _refusing(_usage), refused()),
        step("curve", _refusing(_other_curve), refused()),
        step("expired", _refusing(_expired), refused()),
        step("extension", _refusing(_extension), refused()),
        step("anchor", _refusing(_anchor), refused()),
    )
