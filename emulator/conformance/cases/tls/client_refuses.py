"""TLS_A2: servers that a device must not go on with when it calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from tlslite.constants import ExtensionType
from tlslite.extensions import SrvSupportedVersionsExtension
from tlslite.messages import Certificate, ClientHello, Finished, ServerHello

from emulator.bent_tls.bend import Bend, Message
from emulator.bent_tls.connection import BentConnection
from emulator.conformance.cases.tls.server_certificates import with_another_signature
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.tree import Node, Pointless, Sender, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer import offer, papers
from emulator.conformance.tls_peer.expecting import alert, handshake
from emulator.conformance.tls_peer.papers import Papers
from emulator.conformance.tls_peer.server import Manner, answer, door
from emulator.conformance.trying.trial import Trial
from tls.identity import hardware_module_name

_TLS_1_3 = (3, 4)
_CBC = (0xC009, 0xC00A)
"""Suites with ECDSA that versions before 1.2 have: AES in CBC with SHA."""

_RSA_BITS = 3072
_CURVES = (ec.SECP384R1(), ec.SECP521R1())


def answering(manner: Callable[[Trial], Manner]) -> Sender:
    """One call that is answered in that manner."""

    async def send(trial: Trial) -> Seen:
        called = await answer(trial, manner(trial))
        await called.talk.close()
        return called.outcome.seen()

    return send


def showing(make: Callable[[Trial], Papers]) -> Sender:
    """One call that is answered with these papers."""
    return answering(lambda trial: Manner(papers=make))


def reading_otherwise(change: Callable[[Any], None]) -> Callable[[], Bend]:
    """The server takes the ClientHello for another, which ``change`` makes of it."""

    def heard(connection: BentConnection, message: Message) -> None:
        if isinstance(message, ClientHello):
            change(message)

    return lambda: Bend(heard=heard)


def having(suites: Sequence[int]) -> Callable[[Any], None]:
    """A ClientHello with these suites, and the signals that it has."""

    def change(hello: Any) -> None:
        signals = [one for one in hello.cipher_suites if one in offer.SIGNALS]
        hello.cipher_suites = [*suites, *signals]

    return change


# Suites, versions, parameters -------------------------------------------------------------------


@conversation("TLS_A2_GP_04")
def undeclared_suite() -> Sequence[Node]:
    """One that goes with the tester's certificate, so that a device that takes it could go on."""

    def manner(trial: Trial) -> Manner:
        declared = offer.suites(trial)
        names = ("ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
                 "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256")  # fmt: skip
        others = [offer.SUITES[f"TLS_{name}"] for name in names]
        other = next((one for one in others if one not in declared), None)
        if other is None:
            raise Pointless("all suites that we could answer with are declared")

        return Manner(bend=reading_otherwise(having([other])))

    return (step("suite", answering(manner), alert()),)


@conversation("TLS_A2_GP_05_T")
def undeclared_version() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        at = await door(trial)
        seen = Seen.found(("nothing was tried",))
        for version in offer.undeclared_versions(trial):
            called = await answer(trial, _in_version(version), at)
            await called.talk.close()
            seen = called.outcome.seen(tried=f"TLS {offer.name_of_version(version)}")
            if not called.outcome.is_refused:
                break
        return seen

    return (step("version", send, alert()),)


def _in_version(version: tuple[int, int]) -> Manner:
    """1.0 and 1.1 are spoken to the end; of 1.3 the ServerHello says that it is it."""
    if version >= _TLS_1_3:

        def outgoing(connection: BentConnection, message: Message) -> Iterable[Message]:
            if isinstance(message, ServerHello):
                chosen = SrvSupportedVersionsExtension().create(_TLS_1_3)
                message.extensions = [*(message.extensions or []), chosen]
            return (message,)

        return Manner(bend=lambda: Bend(outgoing=outgoing))

    def change(hello: Any) -> None:
        hello.cipher_suites = [*hello.cipher_suites, *_CBC]

    return Manner(version=version, bend=reading_otherwise(change))


@conversation("TLS_A2_GP_06_T")
def short_parameters() -> Sequence[Node]:
    """An elliptic curve with fewer bits than those that are declared."""

    def manner(trial: Trial) -> Manner:
        if not trial.declaration.features.get("tls.ecdhe"):
            raise Unjudged("the device has no suite with elliptic curves, and we have no others")
        declared = offer.curves(trial)
        short = next(
            (one for name, one in offer.CURVES.items() if name in _SHORT and one not in declared),
            None,
        )
        if short is None:
            raise Pointless("all short curves are declared")

        def change(hello: Any) -> None:
            groups = hello.getExtension(ExtensionType.supported_groups)
            if groups is not None:
                groups.groups = [short, *groups.groups]

        return Manner(bend=reading_otherwise(change))

    return (step("short", answering(manner), alert()),)


_SHORT = ("secp224r1", "secp192r1")


@conversation("TLS_A2_GP_07_T")
def large_group() -> Sequence[Node]:
    def manner(trial: Trial) -> Manner:
        names = offer.named(offer.SUITES, offer.suites(trial)).split(", ")
        suites = [offer.SUITES[name] for name in names if name.startswith("TLS_DHE_RSA_")]
        if not suites:
            raise Pointless("no suite TLS_DHE_RSA is declared")
        key = rsa.generate_private_key(65537, _RSA_BITS)

        def settings(taken: Any) -> None:
            taken.dhGroups = ["ffdhe3072", "ffdhe4096"]

        def with_rsa(trial: Trial) -> Papers:
            usage = ("digital_signature", "key_encipherment")
            return papers.issued(trial, server=True, key=key, usage=usage)

        return Manner(papers=with_rsa, settings=settings, bend=reading_otherwise(having(suites)))

    return (step("large", answering(manner), handshake()),)


# Certificates -----------------------------------------------------------------------------------


@conversation("TLS_A2_CH_01")
def wrong_signature() -> Sequence[Node]:
    def forged(trial: Trial) -> Papers:
        right = papers.own_server(trial)
        return right.having(chain=(with_another_signature(right.chain[0]), *right.chain[1:]))

    return (step("signature", showing(forged), alert()),)


@conversation("TLS_A2_CH_02")
def expired() -> Sequence[Node]:
    def old(trial: Trial) -> Papers:
        return papers.issued(trial, server=True, days=(-20, -1))

    return (step("expired", showing(old), alert()),)


def _another_title(trial: Trial) -> bytes:
    title = papers.server_title(trial)
    return title[:-1] + bytes((title[-1] ^ 0x55,))


@conversation("TLS_A2_CH_03")
def another_name() -> Sequence[Node]:
    """Parties are known by the system title in subjectAltName (GB Ed. 8, 9.2.6.4), and a device
    that goes by names of hosts does not find its own either.
    """

    def other(trial: Trial) -> Papers:
        names = [
            hardware_module_name(_another_title(trial)),
            x509.DNSName("someone-else.invalid"),
        ]
        return papers.issued(trial, server=True, names=names)

    return (step("san", showing(other), alert()),)


@conversation("TLS_A2_CH_07")
def another_common_name() -> Sequence[Node]:
    def other(trial: Trial) -> Papers:
        return papers.issued(trial, server=True, names=[], common_name="someone-else.invalid")

    return (step("common-name", showing(other), alert()),)


@conversation("TLS_A2_CH_04")
def corrupt() -> Sequence[Node]:
    """The right certificate with a hole of sixteen octets."""

    def manner(trial: Trial) -> Manner:
        def outgoing(connection: BentConnection, message: Message) -> Iterable[Message]:
            if isinstance(message, Certificate):
                leaf = message.cert_chain.x509List[0]
                leaf.bytes = leaf.bytes[:40] + leaf.bytes[56:]
            return (message,)

        return Manner(bend=lambda: Bend(outgoing=outgoing))

    return (step("corrupt", answering(manner), alert()),)


@conversation("TLS_A2_CH_05")
def stapled() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        raise Unjudged("tlslite-ng staples no OCSP responses")

    return (step("stapled", send, alert()),)


@conversation("TLS_A2_CH_06_T")
def other_domain_parameters() -> Sequence[Node]:
    """A good certificate on a curve that is not declared."""

    def manner(trial: Trial) -> Manner:
        declared = offer.curves(trial)
        others = (curve for curve in _CURVES if offer.CURVES[curve.name] not in declared)
        curve = next(others, None)
        if curve is None:
            raise Pointless("all curves that we could have a certificate on are declared")
        key = ec.generate_private_key(curve)

        def change(hello: Any) -> None:
            groups = hello.getExtension(ExtensionType.supported_groups)
            if groups is not None:
                groups.groups = [*groups.groups, offer.CURVES[curve.name]]

        return Manner(
            papers=lambda trial: papers.issued(trial, server=True, key=key),
            bend=reading_otherwise(change),
        )

    return (step("parameters", answering(manner), alert()),)


@conversation("TLS_A2_CH_08")
def weak_algorithm() -> Sequence[Node]:
    def weak(trial: Trial) -> Papers:
        return papers.issued(trial, server=True, weak=True)

    return (step("algorithm", showing(weak), alert()),)


@conversation("TLS_A2_CH_09")
def revoked() -> Sequence[Node]:
    def listed(trial: Trial) -> Papers:
        settings = trial.declaration.settings
        certificate = settings.get("tls.revoked-server", "")
        key = settings.get("tls.revoked-server-key", "")
        if not certificate or not key:
            raise Unjudged("the tester has no certificate that was revoked (tls.revoked-server)")
        shown = x509.load_pem_x509_certificates(Path(certificate).read_bytes())
        chain = tuple(one.public_bytes(Encoding.DER) for one in shown)
        return Papers(chain=chain, key_pem=Path(key).read_bytes())

    return (step("revoked", showing(listed), alert()),)


@conversation("X_TLS_CLI_CA")
def another_authority() -> Sequence[Node]:
    def foreign(trial: Trial) -> Papers:
        return papers.issued(trial, server=True, by=papers.stranger(trial))

    return (step("certificate", showing(foreign), alert()),)


@conversation("X_TLS_CLI_USAGE")
def another_use() -> Sequence[Node]:
    def other(trial: Trial) -> Papers:
        return papers.issued(trial, server=True, uses=[ExtendedKeyUsageOID.CODE_SIGNING])

    return (step("extended", showing(other), alert()),)


# Messages ---------------------------------------------------------------------------------------


@conversation("X_TLS_CLI_FINISHED")
def wrong_finished() -> Sequence[Node]:
    def manner(trial: Trial) -> Manner:
        def outgoing(connection: BentConnection, message: Message) -> Iterable[Message]:
            if isinstance(message, Finished):
                first = message.verify_data[0] ^ 1
                message.verify_data = bytearray((first,)) + message.verify_data[1:]
            return (message,)

        return Manner(bend=lambda: Bend(outgoing=outgoing))

    return (step("finished", answering(manner), alert()),)


@conversation("X_TLS_CLI_KEY_EXCHANGE")
def signed_by_another_key() -> Sequence[Node]:
    """The certificate is right, and the tester signs with a key of the same sort that is not its
    own.
    """

    def stolen(trial: Trial) -> Papers:
        right = papers.own_server(trial)
        public = x509.load_der_x509_certificate(right.chain[0]).public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise Unjudged("the tester's key is none of an elliptic curve")
        return right.having(key_pem=papers.pem_of(ec.generate_private_key(public.curve)))

    return (step("signature", showing(stolen), alert()),)
