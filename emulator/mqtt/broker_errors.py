"""What keeps us from the broker, in one line."""

from __future__ import annotations

import ssl

_HOSTNAME_MISMATCH = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH

BAD_USER_NAME_OR_PASSWORD = 0x86
NOT_AUTHORIZED = 0x87
SESSION_TAKEN_OVER = 0x8E
PACKET_TOO_LARGE = 0x95
"""Reason codes (MQTT 5, 2.4)."""

_UNSPECIFIED = 0x80  # which paho says where the broker has said nothing


class BrokerError(Exception):
    """There is no connection to the broker, or no message could be handed to it."""


def explain(
    place: str, error: BaseException, *, tls: bool, user: str | None, seconds: float
) -> BrokerError:
    """``error`` is what ended an attempt to connect to ``place``; it is a consequence of what went
    wrong, if anything is known about that. ``seconds`` is how long the answer was waited for.
    """
    if isinstance(error, BrokerError):
        return error
    code = reason_code(error)
    cause = error.__context__
    if code in (BAD_USER_NAME_OR_PASSWORD, NOT_AUTHORIZED):
        who = "without a user name" if user is None else f"as {user!r}"
        return BrokerError(f"MQTT broker {place} does not let us in {who}: {_text(error)}")
    if isinstance(cause, ssl.SSLCertVerificationError):
        if cause.verify_code in _HOSTNAME_MISMATCH:
            return BrokerError(f"MQTT broker {place} is another by its certificate: {_text(cause)}")
        return BrokerError(f"MQTT broker {place} is not to be trusted: {_text(cause)}")
    if isinstance(cause, ssl.SSLError):
        return BrokerError(f"MQTT broker {place}: no TLS: {_text(cause)}")
    if isinstance(cause, TimeoutError):
        hint = "it refuses our certificate, or is no broker" if tls else "is it its TLS port?"
        return BrokerError(f"MQTT broker {place} did not answer in {seconds:.0f} s: {hint}")
    return BrokerError(f"MQTT broker {place}: {_text(error)}")


def reason_code(error: BaseException | None) -> int | None:
    """The reason code that the broker gave, in an error of aiomqtt or in what caused it."""
    while error is not None:
        value = getattr(getattr(error, "rc", None), "value", None)
        if isinstance(value, int):
            return None if value == _UNSPECIFIED else value
        error = error.__cause__
    return None


def _text(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    return " ".join(str(error).split()) or type(error).__name__
