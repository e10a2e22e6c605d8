"""TLS alerts (RFC 5246, 7.2), as far as they can be observed from outside OpenSSL."""

from __future__ import annotations

from enum import IntEnum

_PREFIXES = ("SSLV3_ALERT_", "TLSV1_ALERT_", "TLSV13_ALERT_", "TLSV1_")


class Alert(IntEnum):
    """AlertDescription: RFC 5246, 7.2, with those of RFC 6066, 4279, 7507, 7301 and 8446."""

    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    DECRYPTION_FAILED = 21
    RECORD_OVERFLOW = 22
    DECOMPRESSION_FAILURE = 30
    HANDSHAKE_FAILURE = 40
    NO_CERTIFICATE = 41
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_REVOKED = 44
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    INAPPROPRIATE_FALLBACK = 86
    USER_CANCELLED = 90
    NO_RENEGOTIATION = 100
    MISSING_EXTENSION = 109
    UNSUPPORTED_EXTENSION = 110
    CERTIFICATE_UNOBTAINABLE = 111
    UNRECOGNIZED_NAME = 112
    BAD_CERTIFICATE_STATUS_RESPONSE = 113
    BAD_CERTIFICATE_HASH_VALUE = 114
    UNKNOWN_PSK_IDENTITY = 115
    CERTIFICATE_REQUIRED = 116
    NO_APPLICATION_PROTOCOL = 120

    def __str__(self) -> str:
        return self.name.lower()


def received_alert(openssl_reason: str) -> Alert | None:
    """Return the alert that the peer sent, if that is what OpenSSL's reason says.

    OpenSSL reports an alert as its name behind the protocol version that introduced it, such as
    ``TLSV1_ALERT_UNKNOWN_CA``.
    """
    for prefix in _PREFIXES:
        if openssl_reason.startswith(prefix):
            return Alert.__members__.get(openssl_reason.removeprefix(prefix))
    return None


def sent_alert(octets: bytes) -> Alert | None:
    """Return the alert that ends these outgoing octets, if it is in the clear.

    An alert is in the clear until ChangeCipherSpec: record type 21, version, length 2, level and
    description (RFC 5246, 6.2.1 and 7.2).
    """
    record = octets[-7:]
    if len(record) == 7 and record[:2] == b"\x15\x03" and record[3:5] == b"\x00\x02":
        try:
            return Alert(record[6])
        except ValueError:
            return None
    return None
