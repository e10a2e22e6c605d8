"""From what a declaration says of the way to a device to how our client goes it."""

from __future__ import annotations

import ssl
from pathlib import Path

from devices.profile.place import Place
from dlms.framing.hdlc.parameters import Parameters
from emulator.client.route import Hdlc, Route
from emulator.conformance.declaration.model import DeclaredHdlc, DeclaredWay, Timing, WayKind
from emulator.conformance.declaration.ways import HDLC_KINDS
from tls.contexts import client_context
from tls.credentials import Credential, Trust
from tls.files import read_private

TCP_INTER_OCTET_TIMEOUT = 1.0
"""Seconds. TCP delivers a frame in as many pieces as it likes, whatever the device's own is."""


def route(
    way: DeclaredWay, hdlc: DeclaredHdlc, timing: Timing, *, keylog: Path | None = None
) -> Route:
    """:class:`~devices.profile.ProfileError` names the file that cannot be used,
    ``PermissionError`` a private key that others can read. ``keylog`` is for TLS secrets.
    """
    if way.kind in HDLC_KINDS:
        return Route(
            host=way.host,
            port=way.port if way.kind is WayKind.HDLC else None,
            hdlc=link(way.kind, hdlc, timing),
            optical=way.kind is WayKind.OPTICAL,
            baud=way.baud,
        )
    if way.kind is WayKind.TLS:
        # Any certificate of theirs will do: what it has to say is for checks to judge.
        return Route(
            host=way.host, port=way.port, tls=tls_context(way, keylog), accept=lambda title: True
        )
    return Route(host=way.host, port=way.port, udp=way.kind is WayKind.UDP)


def link(kind: WayKind, hdlc: DeclaredHdlc, timing: Timing) -> Hdlc:
    """The tester's end of an HDLC link: its limits are the device's, seen from the other side."""
    limits = Parameters(hdlc.transmit, hdlc.receive, hdlc.window_transmit, hdlc.window_receive)
    between = hdlc.inter_octet
    if kind is WayKind.HDLC:
        between = max(between, TCP_INTER_OCTET_TIMEOUT)
    return Hdlc(
        physical=hdlc.physical,
        octets=hdlc.address if hdlc.address > 1 else 4,
        limits=limits.turned(),
        response_timeout=timing.answer,
        inter_octet_timeout=between,
    )


def tls_context(way: DeclaredWay, keylog: Path | None = None) -> ssl.SSLContext:
    """Of our TLS client: whom it believes, and who it is."""
    trust = Trust(roots_pem=_read(way.ca, "ca"))
    credential = Credential(
        chain_pem=_read(way.certificate, "certificate"),
        private_key_pem=_read(way.key, "key", private=True),
    )
    try:
        return client_context(credential, trust, keylog=keylog)
    except (ssl.SSLError, ValueError) as error:
        raise Place(_blamed(way)).error(f"is not fit for TLS: {_why(error)}") from None


def _blamed(way: DeclaredWay) -> str:
    """Which of the files OpenSSL does not like: it does not say."""
    try:
        ssl.create_default_context(cafile=way.ca)
    except (OSError, ValueError):
        return way.ca
    return f"{way.certificate} with {way.key}"


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error).replace("_", " ").lower()


def _read(path: str, what: str, *, private: bool = False) -> bytes:
    try:
        return read_private(Path(path)) if private else Path(path).read_bytes()
    except PermissionError as error:
        if error.errno is None:
            raise  # of check_private, which says all there is to say
        raise Place(path).error(f"cannot be read, {what} of TLS: {error.strerror}") from None
    except OSError as error:
        raise Place(path).error(f"cannot be read, {what} of TLS: {error.strerror}") from None
