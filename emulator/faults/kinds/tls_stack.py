"""The meter's TLS is set up wrongly, or is not the one of OpenSSL but a careless one."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from emulator.control.arguments import Argument
from emulator.control.arguments import Kind as ArgumentKind
from emulator.control.errors import refused
from emulator.faults.bent import certifying
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind, Parameter
from emulator.faults.kinds.parameters import choice
from tls.contexts import CIPHERS

_CBC = (
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256"
    ":ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA"
)
# Of OpenSSL's ssl.h and x509_vfy.h, which Python has no names for.
_NO_EXTENDED_MASTER_SECRET = 1 << 0
_ALLOW_CLIENT_RENEGOTIATION = 1 << 8
_NO_CHECK_TIME = 0x200000


def _more_suites(context: ssl.SSLContext) -> None:
    context.set_ciphers(f"{':'.join(CIPHERS)}:{_CBC}")


def _one_suite(context: ssl.SSLContext) -> None:
    context.set_ciphers(CIPHERS[-1])


def _old_versions(context: ssl.SSLContext) -> None:
    context.set_ciphers(f"{':'.join(CIPHERS)}:{_CBC}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is what is wrong with it
        context.minimum_version = ssl.TLSVersion.TLSv1


def _weak_signatures(context: ssl.SSLContext) -> None:
    context.set_ciphers(f"{':'.join(CIPHERS)}:@SECLEVEL=0")


def _order_of_the_client(context: ssl.SSLContext) -> None:
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE


def _no_ems(context: ssl.SSLContext) -> None:
    context.options |= _NO_EXTENDED_MASTER_SECRET


def _renegotiates(context: ssl.SSLContext) -> None:
    context.options &= ~ssl.OP_NO_RENEGOTIATION
    context.options |= _ALLOW_CLIENT_RENEGOTIATION


def _any_time(context: ssl.SSLContext) -> None:
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)


def _any_certificate(context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_NONE


def _optional_certificate(context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_OPTIONAL


def _as_it_is(context: ssl.SSLContext) -> None:
    """What is wrong is something else."""


_SETUPS: dict[str, Callable[[ssl.SSLContext], None]] = {
    "more-suites": _more_suites,
    "one-suite": _one_suite,
    "old-versions": _old_versions,
    "weak-signatures": _weak_signatures,
    "any-curve": _as_it_is,
    "order-of-the-client": _order_of_the_client,
    "no-ems": _no_ems,
    "renegotiates": _renegotiates,
    "any-time": _any_time,
    "any-certificate": _any_certificate,
    "optional-certificate": _optional_certificate,
    "any-peer": _as_it_is,
    "forgets-sessions": _as_it_is,
    "resumes-whoever": _as_it_is,
    "as-it-is": _as_it_is,
}

_ANYBODY = ("any-certificate", "optional-certificate", "any-peer")


def set_up(fault: Fault) -> None:
    what, presented = fault["what"], fault.reach.presented
    options = {"curve": None} if what == "any-curve" else {}
    if fault["side"] == "client":
        fault.at_end(presented.calling.change(_SETUPS[what], options))
        if what in _ANYBODY:
            fault.at_end(presented.calling.call_anybody())
        return
    fault.at_end(presented.change(_SETUPS[what], options))
    if what in _ANYBODY:
        fault.at_end(presented.let_anybody_in())
    if what == "forgets-sessions":
        fault.at_end(presented.forget_sessions())
    if what == "resumes-whoever":
        certifying.resumed(fault)


# The last of them are no flaws, but what our meters do not have.
FLAWS = {
    "any-signature": "certificates are not verified",
    "any-authority": "whoever has signed a chain will do",
    "any-time": "certificates do not end",
    "any-usage": "certificates are taken for any use",
    "any-curve": "certificates may be on P-384",
    "any-chain": "chains may be of any length",
    "any-title": "a listener may be anybody",
    "any-list": "what was revoked is taken",
    "any-proof": "CertificateVerify or ServerKeyExchange may be signed by another key",
    "any-finished": "Finished is not looked at",
    "any-mac": "records that do not verify are passed over",
    "any-group": "it agrees on secp384r1, and does not see which curves its certificate needs",
    "hangs": "what it does not go on with it leaves as it is, without a word",
    "no-alerts": "nothing is said before it hangs up",
    "long-records": "records may be longer than 2^14 octets",
    "empty-records": "an empty record of the handshake stops everything",
    "early-change-cipher-spec": "ChangeCipherSpec is passed over before its time",
    "early-data": "application data is passed over before its time",
    "heartbeat": "heartbeats are offered, or selected, and answered",
    "compression": "compression is offered, or selected",
    "truncated-hmac": "truncated HMAC is offered, or selected",
    "signs-otherwise": "it signs with SHA-512 whatever the client takes",
    "resumes-without-ems": "a session with extended master secret is resumed without",
    "no-sessions": "there are no sessions to resume",
    "record-is-apdu": "a record that is no whole WPDU is lost",
    "end-completes": "what is missing when the connection ends is taken for zeros",
    "plain": "what is no TLS is served as well",
    "cbc": "suites with CBC, and without etm no encrypt-then-MAC",
    "etm": "encrypt-then-MAC",
    "short-prime": "TLS_DHE_RSA with a prime of 1024 bits that has no name",
    "long-prime": "TLS_DHE_RSA with a group that has a name",
    "tls-1.3": "TLS 1.3 as well",
    "signed-with-sha-384": "its certificate is signed with SHA-384",
    "algorithms-of-certificates": "signature_algorithms_cert is offered",
    "tickets": "tickets are given, or taken",
    "resumes": "where it calls it resumes its last session",
    "short-sessions": "sessions end after 0.15 seconds",
    "lists": "there is a revocation list, which has whoever has the common name 'revoked'",
    "psk": "the laboratory's pre-shared key is known",
    "no-psk": "TLS 1.3, no pre-shared key, and no certificate is asked for",
    "time-of-day": "gmt_unix_time is the time",
    "short-curve": "secp224r1 as well",
    "keeps-sessions": "sessions last for ever",
}


def stand_in(fault: Fault) -> None:
    flaws = frozenset(fault["flaws"].replace(",", " ").split())
    if unknown := flaws - set(FLAWS):
        raise refused(f"flaws are of {', '.join(FLAWS)}, not {', '.join(sorted(unknown))}")
    try:
        from emulator.faults.careless.standing_in import as_client, as_server
    except ImportError as error:
        raise refused(f"a careless TLS needs tlslite-ng: {error}") from error
    presented = fault.reach.presented
    if fault["side"] == "client":
        fault.at_end(presented.calling.dial_by(as_client(presented, flaws)))
    else:
        fault.at_end(presented.serve_instead(as_server(presented, flaws)))


def _secure(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return ("tls",)


_SIDE = choice("side", ("server", "client"), "server", "at its port, or where it calls")

KINDS = (
    Kind(
        name="tls-setup",
        place="TLS",
        help="the meter's TLS is set up otherwise than it should be, for connections from now on",
        seen="what should be refused is not, or what is declared is not there",
        begin=set_up,
        parameters=(
            choice("what", tuple(_SETUPS), "any-certificate", "what is otherwise"),
            _SIDE,
        ),
        counts=False,
        ways=_secure,
    ),
    Kind(
        name="careless-tls",
        place="TLS",
        help="another TLS stack stands in, which has flaws (needs tlslite-ng)",
        seen="what should be refused is not",
        begin=stand_in,
        parameters=(
            Parameter(
                Argument(
                    name="flaws",
                    kind=ArgumentKind.TEXT,
                    help=f"by their names: {', '.join(FLAWS)}",
                ),
                "",
            ),
            _SIDE,
        ),
        counts=False,
        ways=_secure,
    ),
)
