"""TLS_B2_GP: versions, suites, curves and signature algorithms of a TLS server."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from tlslite.constants import ExtensionType, GroupName, HandshakeType
from tlslite.extensions import SignatureAlgorithmsCertExtension
from tlslite.mathtls import RFC7919_GROUPS

from emulator.conformance.cases.tls.calling import calling, each, has_session, is_refused
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.tree import Node, Pointless, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer import hello, offer
from emulator.conformance.tls_peer.client import call
from emulator.conformance.tls_peer.expecting import alert, handshake, nothing_of_it
from emulator.conformance.tls_peer.outcome import Outcome
from emulator.conformance.trying.trial import Trial

_LEAST_PRIME = 3000
"""Bits of a finite field prime (BSI TR-02102-2), unless the setting tls.prime says otherwise."""


@conversation("TLS_B2_GP_01_T")
def each_suite_and_curve() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        ways = []
        for one in offer.suites(trial):
            for two in offer.curves(trial):
                name = f"{offer.named(offer.SUITES, [one])} on {offer.named(offer.CURVES, [two])}"
                change = hello.changes(hello.suites([one]), hello.curves([two]))
                ways.append((name, {"hello": change}))
        return await each(trial, ways, has_session)

    return (step("each", send, handshake(_as_tried)),)


def _as_tried(seen: Seen) -> str:
    suite, curve = seen.facts["tried"].split(" on ")
    got = seen.facts.get("suite"), seen.facts.get("curve", curve)
    return "" if got == (suite, curve) else f"{got[0]} on {got[1]}, and {suite} was offered"


@conversation("TLS_B2_GP_02")
def undeclared_suites() -> Sequence[Node]:
    def change(trial: Trial) -> hello.Change:
        curves = hello.curves(tuple(offer.CURVES.values()))
        return hello.changes(hello.suites(offer.undeclared_suites(trial)), curves)

    return (step("suites", calling(change), alert()),)


@conversation("TLS_B2_GP_03_T")
def one_signature_algorithm() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        ways = [
            (offer.named(offer.SCHEMES, [one]), {"hello": hello.signatures([one])})
            for one in offer.signatures(trial)
        ]
        names = iter([name for name, _ in ways])
        return await each(
            trial, ways, lambda outcome: outcome.facts().get("signature") == next(names)
        )

    def as_offered(seen: Seen) -> str:
        got = seen.facts.get("signature", "no signature")
        return "" if got == seen.facts["tried"] else f"signed with {got}"

    return (step("signatures", send, handshake(as_offered)),)


@conversation("TLS_B2_GP_04")
def undeclared_curves() -> Sequence[Node]:
    def change(trial: Trial) -> hello.Change:
        return hello.curves(offer.undeclared_curves(trial))

    return (step("curves", calling(change), alert()),)


@conversation("TLS_B2_GP_05_T")
def undeclared_version() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        every = hello.changes(
            hello.suites(tuple(offer.SUITES.values())),
            hello.signatures(tuple(offer.SCHEMES.values())),
        )
        ways = [
            (f"TLS {offer.name_of_version(one)}", {"version": one, "hello": every})
            for one in offer.undeclared_versions(trial)
        ]
        return await each(trial, ways, is_refused)

    return (step("version", send, alert()),)


def _prime(outcome: Outcome) -> int:
    exchange = outcome.connection.message(HandshakeType.server_key_exchange)
    return 0 if exchange is None else int(exchange.dh_p or 0)


def _ffdhe(trial: Trial) -> tuple[int, ...]:
    names = offer.named(offer.SUITES, offer.suites(trial)).split(", ")
    found = tuple(offer.SUITES[name] for name in names if name.startswith("TLS_DHE_"))
    if not found:
        raise Pointless("no suite with a finite field group is declared for TLS 1.2")
    return found


@conversation("TLS_B2_GP_06")
def length_of_the_prime() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        least = int(trial.declaration.settings.get("tls.prime", _LEAST_PRIME))
        change = hello.suites(_ffdhe(trial))
        talk, outcome = await call(trial, hello=change)
        await talk.close()
        prime = _prime(outcome)
        if not prime:
            return outcome.seen(("no ServerKeyExchange with a prime came",))
        bits = prime.bit_length()
        short = (f"the prime has {bits} bits, and {least} are the least",) if bits < least else ()
        return outcome.seen(short, bits=bits)

    return (step("prime", send, nothing_of_it("declared")),)


@conversation("TLS_B2_GP_07_T")
def named_groups() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        change = hello.changes(hello.suites(_ffdhe(trial)), hello.curves(GroupName.allFF))
        talk, outcome = await call(trial, hello=change)
        await talk.close()
        known = {prime for _, prime in RFC7919_GROUPS}
        return outcome.seen(named=_prime(outcome) in known)

    def named(seen: Seen) -> str:
        return "" if seen.facts["named"] else "a group that has no name (RFC 7919)"

    return (step("groups", send, handshake(named)),)


@conversation("TLS_B2_GP_08")
def weak_signature_algorithms() -> Sequence[Node]:
    return (step("weak", calling(lambda trial: hello.signatures(offer.WEAK)), alert()),)


@conversation("TLS_B2_GP_09_T")
def signature_algorithms_of_certificates() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        schemes = offer.signatures(trial, "tls.signatures-cert")
        content = SignatureAlgorithmsCertExtension().create(list(schemes)).extData
        change = hello.extension(ExtensionType.signature_algorithms_cert, bytes(content))
        talk, outcome = await call(trial, version=(3, 4), hello=change)
        await talk.close()
        shown = [_signed_with(der) for der in outcome.connection.certificates]
        names = offer.named(offer.SCHEMES, schemes).split(", ")
        return outcome.seen(others=[one for one in shown if one not in names])

    def complaint(seen: Seen) -> str:
        others = ", ".join(seen.facts["others"])
        return f"certificates signed with {others}" if others else ""

    return (step("signatures", send, handshake(complaint)),)


def _signed_with(der: bytes) -> str:
    """The name that a signature algorithm of a certificate has in TLS."""
    certificate = x509.load_der_x509_certificate(der)
    digest = certificate.signature_hash_algorithm
    name = "intrinsic" if digest is None else digest.name
    key = certificate.signature_algorithm_oid._name
    if key.startswith("ecdsa"):
        return {"sha256": "ecdsa_secp256r1_sha256", "sha384": "ecdsa_secp384r1_sha384",
                "sha512": "ecdsa_secp521r1_sha512"}.get(name, f"ecdsa_{name}")  # fmt: skip
    return f"rsa_pkcs1_{name}" if "RSA" in key and "PSS" not in key.upper() else key


@conversation("TLS_B2_GP_10")
def stronger_suite() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        strongest, *weaker = offer.suites(trial)
        if not weaker:
            raise Pointless("one suite only is declared")
        change = hello.suites((*reversed(weaker), strongest))
        talk, outcome = await call(trial, hello=change)
        await talk.close()
        return outcome.seen(strongest=offer.named(offer.SUITES, [strongest]))

    def is_strongest(seen: Seen) -> str:
        got, wanted = seen.facts["suite"], seen.facts["strongest"]
        return "" if got == wanted else f"{got}, although {wanted} was offered and is declared"

    return (step("stronger", send, handshake(is_strongest)),)
