"""From an exception of ``ssl`` or a socket to a reason that stays the same.

OpenSSL's own reason strings are stable in the 1.1.1 and 3.x series, but many mean the same to us.
"""

from __future__ import annotations

import ssl
from typing import NamedTuple

from tls.alerts import Alert, received_alert
from tls.events import HandshakeFailed, Reason, Side
from tls.identity import IdentityError
from tls.signing import SigningError

# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_VERIFY_CODES = {
    2: Reason.UNKNOWN_CA,  # unable to get issuer certificate
    18: Reason.UNKNOWN_CA,  # self-signed leaf
    19: Reason.UNKNOWN_CA,  # self-signed certificate in chain
    20: Reason.UNKNOWN_CA,  # unable to get local issuer certificate
    21: Reason.UNKNOWN_CA,  # unable to verify the first certificate
    7: Reason.BAD_CERTIFICATE,  # signature failure
    9: Reason.CERTIFICATE_NOT_YET_VALID,
    10: Reason.CERTIFICATE_EXPIRED,
    23: Reason.CERTIFICATE_REVOKED,
    26: Reason.UNSUPPORTED_CERTIFICATE,  # unsuitable purpose
}

_OPENSSL_REASONS = {
    "UNSUPPORTED_PROTOCOL": Reason.PROTOCOL_VERSION,
    "WRONG_SSL_VERSION": Reason.PROTOCOL_VERSION,
    "VERSION_TOO_LOW": Reason.PROTOCOL_VERSION,
    "NO_PROTOCOLS_AVAILABLE": Reason.PROTOCOL_VERSION,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": Reason.NO_CLIENT_CERTIFICATE,
    "NO_SHARED_CIPHER": Reason.NO_SHARED_CIPHER,
    "NO_CIPHERS_AVAILABLE": Reason.NO_SHARED_CIPHER,
    "WRONG_VERSION_NUMBER": Reason.NOT_TLS,
    "HTTP_REQUEST": Reason.NOT_TLS,
    "HTTPS_PROXY_REQUEST": Reason.NOT_TLS,
    "UNKNOWN_PROTOCOL": Reason.NOT_TLS,
    "UNEXPECTED_EOF_WHILE_READING": Reason.PEER_CLOSED,
}

# What an alert of the peer lets us conclude. handshake_failure says too little: it is its answer to
# a missing certificate and to a cipher it does not share.
_ALERTS = {
    Alert.PROTOCOL_VERSION: Reason.PROTOCOL_VERSION,
    Alert.CERTIFICATE_REQUIRED: Reason.NO_CLIENT_CERTIFICATE,
    Alert.CERTIFICATE_EXPIRED: Reason.CERTIFICATE_EXPIRED,
    Alert.UNKNOWN_CA: Reason.UNKNOWN_CA,
    Alert.CERTIFICATE_REVOKED: Reason.CERTIFICATE_REVOKED,
    Alert.UNSUPPORTED_CERTIFICATE: Reason.UNSUPPORTED_CERTIFICATE,
    Alert.BAD_CERTIFICATE: Reason.BAD_CERTIFICATE,
    Alert.INSUFFICIENT_SECURITY: Reason.NO_SHARED_CIPHER,
}

_SENTENCES = {
    Reason.PROTOCOL_VERSION: "the two sides share no TLS version",
    Reason.NO_CLIENT_CERTIFICATE: "the client sent no certificate",
    Reason.CERTIFICATE_EXPIRED: "the certificate has expired",
    Reason.CERTIFICATE_NOT_YET_VALID: "the certificate is not valid yet",
    Reason.UNKNOWN_CA: "the certificate does not lead to a trusted root",
    Reason.CERTIFICATE_REVOKED: "the certificate is revoked",
    Reason.UNSUPPORTED_CERTIFICATE: "the certificate is not for this purpose",
    Reason.BAD_CERTIFICATE: "the certificate is not acceptable",
    Reason.NO_SHARED_CIPHER: "the two sides share no cipher suite or curve",
    Reason.NOT_TLS: "the peer does not speak TLS",
    Reason.PEER_CLOSED: "the peer closed the connection",
    Reason.TIMEOUT: "the handshake took too long",
    Reason.WRONG_IDENTITY: "the peer is not who it should be",
    Reason.OWN_KEY: "this side's private key gave no good signature",
    Reason.TOO_MANY_CONNECTIONS: "all connections are taken",
    Reason.TOO_MANY_HANDSHAKES: "too many handshakes are going on",
    Reason.CLOSING: "this side is closing",
    Reason.PAUSED: "this side takes no connections for now",
    Reason.OTHER: "the handshake failed",
}


class Diagnosis(NamedTuple):
    """What an exception means: ``detail`` is the library's own word for it, or empty. ``cause`` is
    what whoever has our private key raised.
    """

    reason: Reason
    alert: Alert | None = None
    detail: str = ""
    cause: BaseException | None = None


def diagnose(error: BaseException) -> Diagnosis:
    """Say what ended a handshake. ``alert`` is set if the peer's alert did."""
    match error:
        case ssl.SSLCertVerificationError():
            reason = _VERIFY_CODES.get(error.verify_code, Reason.OTHER)
            return Diagnosis(reason, detail=f"{error.verify_message} ({error.verify_code})")
        case SigningError():
            return Diagnosis(Reason.OWN_KEY, detail=str(error.strerror), cause=error.__cause__)
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return Diagnosis(Reason.PEER_CLOSED)
        case ssl.SSLError():
            # No reason, or None, for an error that this Python does not know by name.
            name: str = getattr(error, "reason", None) or ""
            alert = received_alert(name)
            if alert is not None:
                return Diagnosis(_ALERTS.get(alert, Reason.OTHER), alert, name)
            return Diagnosis(_OPENSSL_REASONS.get(name, Reason.OTHER), detail=name)
        case TimeoutError():
            return Diagnosis(Reason.TIMEOUT)
        case IdentityError():
            return Diagnosis(Reason.WRONG_IDENTITY, detail=str(error))
        case ConnectionError():
            return Diagnosis(Reason.PEER_CLOSED)
        case _:
            return Diagnosis(Reason.OTHER, detail=f"{type(error).__name__}: {error}")


def failed(
    side: Side,
    peer: str,
    diagnosis: Diagnosis,
    *,
    sent: Alert | None = None,
    key_used: bool | None = None,
) -> HandshakeFailed:
    """Make the event of a failure; ``sent`` is the alert that we sent."""
    other = Side.CLIENT if side is Side.SERVER else Side.SERVER
    message = f"no TLS session with {other} {peer}: {_SENTENCES[diagnosis.reason]}"
    if diagnosis.detail:
        message += f" [{diagnosis.detail}]"
    if sent is not None:
        message += f"; alert {sent} sent"
    elif diagnosis.alert is not None:
        message += f"; alert {diagnosis.alert} received"
    return HandshakeFailed(
        side=side,
        peer=peer,
        reason=diagnosis.reason,
        alert=diagnosis.alert if sent is None else sent,
        alert_sent=sent is not None,
        message=" ".join(message.split()),
        key_used=key_used,
        cause=diagnosis.cause,
    )
