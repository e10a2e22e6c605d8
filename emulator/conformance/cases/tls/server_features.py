"""TLS_B2_FR: extensions, compression, renegotiation and the server's certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from tlslite.constants import ContentType, ExtensionType
from tlslite.extensions import (
    RenegotiationInfoExtension,
    SignatureAlgorithmsExtension,
    SupportedGroupsExtension,
    TLSExtension,
)
from tlslite.messages import ClientHello

from emulator.conformance.cases.tls.server_records import session_of, spoken_to
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.tree import Node, Pointless, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer import hello, offer
from emulator.conformance.tls_peer.client import Talk, call
from emulator.conformance.tls_peer.expecting import alert, handshake, not_selected, nothing_of_it
from emulator.conformance.tls_peer.outcome import Ended
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial
from tls.identity import IdentityError, system_title_of

_ANSWER = Note[tuple[int, int, int]]("type and first octets of the record that came")

NO_RENEGOTIATION = 100
_FATAL = 2
_DEFLATE = 1


def _extended(number: int, change: Callable[[Trial], hello.Change]) -> Any:
    """A handshake; whether the ServerHello has that extension is in ``facts``."""

    async def send(trial: Trial) -> Seen:
        talk, outcome = await call(trial, hello=change(trial))
        await talk.close()
        return outcome.seen(extension=outcome.extension(number) is not None)

    return send


def _must_have(what: str) -> Callable[[Seen], str]:
    return lambda seen: "" if seen.facts["extension"] else f"{what} was not selected"


@conversation("TLS_B2_FR_01_T")
def encrypt_then_mac() -> Sequence[Node]:
    def change(trial: Trial) -> hello.Change:
        names = offer.named(offer.SUITES, offer.suites(trial)).split(", ")
        with_cbc = [offer.SUITES[name] for name in names if "_CBC_" in name]
        if not with_cbc:
            raise Pointless("no suite with CBC is declared")
        return hello.suites(with_cbc)

    number = ExtensionType.encrypt_then_mac
    return (step("etm", _extended(number, change), handshake(_must_have("encrypt-then-MAC"))),)


@conversation("TLS_B2_FR_10")
def extended_master_secret() -> Sequence[Node]:
    send = _extended(ExtensionType.extended_master_secret, lambda trial: hello.changes())
    return (step("ems", send, handshake(_must_have("extended master secret"))),)


@conversation("TLS_B2_FR_02_T")
def truncated_hmac() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        change = hello.extension(hello.TRUNCATED_HMAC)
        talk, outcome = await call(trial, hello=change)
        await talk.close()
        selected = outcome.extension(hello.TRUNCATED_HMAC) is not None
        return outcome.seen(("truncated HMAC was selected",) if selected else ())

    return (step("hmac", send, not_selected()),)


@conversation("TLS_B2_FR_12")
def compression() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        talk, outcome = await call(trial, hello=hello.compression((_DEFLATE, 0)))
        await talk.close()
        chosen = getattr(outcome.hello, "compression_method", 0)
        return outcome.seen((f"compression method {chosen} was selected",) if chosen else ())

    return (step("compression", send, not_selected()),)


@conversation("TLS_B2_FR_03")
def server_certificate() -> Sequence[Node]:
    """The device's system title is in it, where that is declared, and the declared authority has
    signed it, or those that came with it.
    """

    async def send(trial: Trial) -> Seen:
        if not trial.declaration.way.ca:
            raise Unjudged("nobody says whose certificates the device shows (way.ca)")
        talk, outcome = await call(trial)
        await talk.close()
        shown = outcome.connection.certificates
        if not shown:
            return outcome.seen(("no certificate came",))
        roots = _roots(trial)
        problems = list(_wrong_names(shown[0], trial.declaration.title))
        problems += _wrong_signatures(shown, roots)
        return outcome.seen(problems)

    return (step("certificate", send, nothing_of_it("declared")),)


def _roots(trial: Trial) -> list[x509.Certificate]:
    try:
        pem = Path(trial.declaration.way.ca).read_bytes()
        return x509.load_pem_x509_certificates(pem)
    except (OSError, ValueError) as error:
        raise Unjudged(f"way.ca cannot be read: {error}") from None


def _wrong_names(der: bytes, title: bytes) -> Iterator[str]:
    try:
        found = system_title_of(der)
    except IdentityError as error:
        yield f"its name: {error}"
        return
    if title and found != title:
        yield f"its system title is {found.hex()}, and the device is {title.hex()}"


def _wrong_signatures(shown: Sequence[bytes], roots: Sequence[x509.Certificate]) -> Iterator[str]:
    try:
        chain = [x509.load_der_x509_certificate(der) for der in shown]
    except ValueError as error:
        yield f"a certificate cannot be read: {error}"
        return
    for number, certificate in enumerate(chain):
        above = [*chain[number + 1 : number + 2], *roots]
        if not any(_is_issuer(one, certificate) for one in above):
            yield f"certificate {number} of the chain is signed by nobody who is known"
            return
        if any(_is_issuer(root, certificate) for root in roots):
            return


def _is_issuer(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


@conversation("TLS_B2_FR_09")
def renegotiation() -> Sequence[Node]:
    """A ClientHello inside the session. What is kept is used: an AARQ is answered."""

    async def send(trial: Trial) -> Seen:
        talk = await session_of(trial)
        await talk.say(talk.connection._sendMsg(_another_hello(trial, talk)))
        outcome = await talk.conclude(_refusal(talk), trial.timing.answer)
        if outcome.ended is not Ended.SESSION:
            return outcome.seen()
        kind, level, code = trial.notes.kept(_ANSWER)
        if kind == ContentType.alert and level == _FATAL:
            return outcome.having(ended=Ended.ALERT, alert=code).seen()
        if kind != ContentType.alert or code != NO_RENEGOTIATION:
            return outcome.seen((f"a record of type {kind} came: it renegotiates",))
        after = await spoken_to(trial, talk)
        return outcome.seen(after.problems, warning=code, answer="kept")

    return (step("renegotiate", send, alert(), nothing_of_it("kept")),)


def _another_hello(trial: Trial, talk: Talk) -> Any:
    message = ClientHello().create(
        (3, 3), bytearray(trial.rng.randbytes(32)), bytearray(), [0xC02B], extensions=[]
    )
    # What the server knows of the first Finished has to be in it, or it would be refused for that.
    known = RenegotiationInfoExtension().create(bytearray(talk.connection.verify_data))
    message.extensions = [
        SignatureAlgorithmsExtension().create(list(offer.SCHEMES.values())),
        SupportedGroupsExtension().create(list(offer.CURVES.values())),
        TLSExtension(extType=ExtensionType.extended_master_secret).create(bytearray()),
        known,
    ]
    message.cipher_suites = [talk.connection.session.cipherSuite]
    return message


def _refusal(talk: Talk) -> Iterator[Any]:
    """The next record, whatever it is."""
    for result in talk.connection.next_record():
        if isinstance(result, int):
            yield result
            continue
        kind, octets = result
        level, code = (octets[0], octets[1]) if len(octets) > 1 else (0, 0)
        talk.trial.notes.keep(_ANSWER, (kind, level, code))
