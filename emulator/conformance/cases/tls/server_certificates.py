"""X_TLS_CCERT_*, TLS_B2_FR_11 and _18: client certificates that a TLS server must not take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from tlslite.messages import CertificateVerify

from emulator.bent_tls.bend import Bend, Message
from emulator.bent_tls.connection import BentConnection
from emulator.conformance.cases.tls.calling import calling
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import closed, rejected, silence
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer import papers
from emulator.conformance.tls_peer.client import call
from emulator.conformance.tls_peer.expecting import alert
from emulator.conformance.tls_peer.papers import Papers
from emulator.conformance.tls_peer.under import line_in
from emulator.conformance.trying.trial import OWN_TITLE, Trial
from tls.identity import system_title_of

HANDSHAKE_FAILURE = 40


def _showing(name: str, make: Callable[[Trial], Papers]) -> Node:
    return step(name, calling(papers=make), alert())


@conversation("TLS_B2_FR_18")
def no_certificate() -> Sequence[Node]:
    return (_showing("none", papers.none),)


@conversation("X_TLS_CCERT_EMPTY")
def empty_certificate() -> Sequence[Node]:
    """A Certificate message without certificates is what a client without one sends."""
    return (step("empty", calling(papers=papers.none), alert(HANDSHAKE_FAILURE)),)


@conversation("TLS_B2_FR_11")
def wrong_signature() -> Sequence[Node]:
    def forged(trial: Trial) -> Papers:
        """The right name and the key of the tester, and a bit of the signature is another."""
        own = papers.own(trial)
        return own.having(chain=(with_another_signature(own.chain[0]), *own.chain[1:]))

    return (_showing("signature", forged),)


def with_another_signature(der: bytes) -> bytes:
    """A certificate whose last octet, which is one of the signature, has a bit flipped."""
    return der[:-1] + bytes((der[-1] ^ 1,))


@conversation("X_TLS_CCERT_EXPIRED")
def expired() -> Sequence[Node]:
    return (_showing("certificate", lambda trial: papers.issued(trial, days=(-20, -1))),)


@conversation("X_TLS_CCERT_EARLY")
def early() -> Sequence[Node]:
    return (_showing("certificate", lambda trial: papers.issued(trial, days=(1, 20))),)


@conversation("X_TLS_CCERT_CA")
def another_authority() -> Sequence[Node]:
    return (_showing("certificate", lambda trial: papers.issued(trial, by=papers.stranger(trial))),)


@conversation("X_TLS_CCERT_USAGE")
def another_use() -> Sequence[Node]:
    def key_usage(trial: Trial) -> Papers:
        return papers.issued(trial, usage=("key_cert_sign", "crl_sign"))

    def extended(trial: Trial) -> Papers:
        return papers.issued(trial, uses=[ExtendedKeyUsageOID.CODE_SIGNING])

    return (_showing("key-usage", key_usage), _showing("extended", extended))


@conversation("X_TLS_CCERT_CURVE")
def another_curve() -> Sequence[Node]:
    def other(trial: Trial) -> Papers:
        return papers.issued(trial, key=ec.generate_private_key(ec.SECP384R1()))

    return (_showing("certificate", other),)


@conversation("X_TLS_CCERT_CHAIN")
def long_chain() -> Sequence[Node]:
    """One authority more than the path length of the issuer allows, or than ``tls.chain`` does
    (certificates in a chain, without the root).
    """

    def long(trial: Trial) -> Papers:
        most = trial.declaration.settings.get("tls.chain", "")
        by = papers.issuer(trial)
        constraints = by[0].certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        if not most and constraints.value.path_length != 0:
            raise Unjudged("it is not declared how long a chain may be (tls.chain)")
        length = max(int(most or 0) + 1, len(by[1]) + 2)
        while len(by[1]) + 1 < length:
            by = papers.below(trial, by)
        return papers.issued(trial, by=by)

    return (_showing("chain", long),)


@conversation("X_TLS_CCERT_REVOKED")
def revoked() -> Sequence[Node]:
    def listed(trial: Trial) -> Papers:
        settings = trial.declaration.settings
        certificate, key = settings.get("tls.revoked", ""), settings.get("tls.revoked-key", "")
        if not certificate or not key:
            raise Unjudged("the tester has no certificate that was revoked (tls.revoked)")
        shown = x509.load_pem_x509_certificates(Path(certificate).read_bytes())
        chain = tuple(one.public_bytes(Encoding.DER) for one in shown)
        return Papers(chain=chain, key_pem=Path(key).read_bytes())

    return (_showing("revoked", listed),)


@conversation("X_TLS_CCERT_VERIFY")
def signed_by_another_key() -> Sequence[Node]:
    """The certificate is right, and the tester signs with a key of the same sort that is not its
    own.
    """

    def stolen(trial: Trial) -> Papers:
        own = papers.own(trial)
        public = x509.load_der_x509_certificate(own.chain[0]).public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise Unjudged("the tester's key is none of an elliptic curve")
        key = ec.generate_private_key(public.curve)
        return own.having(key_pem=papers.pem_of(key))

    async def send(trial: Trial) -> Seen:
        sent = False

        def outgoing(connection: BentConnection, message: Message) -> Iterable[Message]:
            nonlocal sent
            sent = sent or isinstance(message, CertificateVerify)
            return (message,)

        talk, outcome = await call(trial, papers=stolen, bend=Bend(outgoing=outgoing))
        await talk.close()
        if not sent and not outcome.has_session:
            raise Unjudged(f"it did not come to a CertificateVerify: {outcome.seen()}")
        return outcome.seen()

    return (step("verify", send, alert()),)


@conversation("X_TLS_CCERT_TITLE")
def another_title() -> Sequence[Node]:
    """Of the associations in ``tls.bound``, where the setting names some."""

    async def send(trial: Trial) -> Seen:
        bound = trial.declaration.settings.get("tls.bound", "").split()
        row = trial.row(
            lambda row: row.context.ciphered and (not bound or row.name in bound),
            "with ciphering, whose AARQ has a title",
        )
        talk, outcome = await call(trial, papers=_of_another(trial, row.own_title or OWN_TITLE))
        if not outcome.has_session:
            raise Unjudged(f"no session: {outcome.seen()}")
        probe = await trial.probe_of(row, line_in(trial, talk))
        return await probe.associate()

    return (step("title", send, rejected(), closed(), silence()),)


def _of_another(trial: Trial, title: bytes) -> Papers:
    """A good certificate with another system title than that."""
    own = papers.own(trial)
    if system_title_of(own.chain[0]) != title:
        return own
    return papers.issued(trial, title_in_it=title[:-1] + bytes((title[-1] ^ 1,)))
