"""Which broker, who we are there, and where in its topics."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

PORT = 1883
TLS_PORT = 8883
BASE = "cosemlab"
NAME = "lab"
PERIOD = 60.0
"""Seconds of virtual time between two telemetry messages of a meter."""

PASSWORD_VARIABLE = "COSEMLAB_MQTT_PASSWORD"

MAX_NAME = 64
"""Octets of a base topic or a name: topics stay readable, and every client identifier is legal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttOptions:
    """``trust`` is a file with the certificates of the authorities that may vouch for the broker;
    without it there is no TLS. ``credential`` are the files of our certificate and its key.
    ``name`` is the sandbox's: two on one broker need two.
    """

    host: str
    port: int
    trust: Path | None = None
    credential: tuple[Path, Path] | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    base: str = BASE
    name: str = NAME
    period: float = PERIOD

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    def tls(self) -> ssl.SSLContext | None:
        """TLS 1.2 or newer; the broker's certificate must be for the host's name.
        ``ValueError`` names a file that is not what it should be.
        """
        if self.trust is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.sslsocket_class = _ClosedOnFailure
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(self.trust)
        except OSError as error:
            raise ValueError(f"{self.trust}: no certificates of authorities: {error}") from None
        if self.credential is not None:
            certificate, key = self.credential
            try:
                context.load_cert_chain(certificate, key, password=_no_passphrase)
            except (OSError, ValueError) as error:
                raise ValueError(f"{certificate}, {key}: {error}") from None
        return context


class _ClosedOnFailure(ssl.SSLSocket):
    """paho leaves a socket open whose handshake fails."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _no_passphrase() -> str:
    raise ValueError("the key is encrypted, and there is nobody to ask for the passphrase")


def host_and_port(text: str, *, tls: bool) -> tuple[str, int]:
    """``HOST``, ``HOST:PORT`` or ``[HOST]:PORT``. ``ValueError`` if it is none of them."""
    host, colon, port = text, "", ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is no HOST or HOST:PORT")
        colon, port = rest[:1], rest[1:]
    elif text.count(":") == 1:
        host, colon, port = text.partition(":")
    if not host or any(character.isspace() for character in host):
        raise ValueError(f"{text!r} is no HOST or HOST:PORT")
    if not colon:
        return host, TLS_PORT if tls else PORT
    if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError(f"{text!r}: a port is a number from 1 to 65535")
    return host, int(port)


def level(text: str, *, several: bool = False) -> str:
    """A part of a topic, or with ``several`` a path of them. ``ValueError`` if it cannot be one."""
    parts = text.split("/") if several else [text]
    fits = len(text.encode()) <= MAX_NAME and all(parts)
    if not fits or any(c in "+#$/" or not c.isprintable() for part in parts for c in part):
        what = "a topic" if several else "a level of a topic"
        raise ValueError(f"{text!r} is not {what} of at most {MAX_NAME} octets without + # $")
    return text


def read_password(file: Path | None) -> str | None:
    """From the file (its first line) or the environment: a command line can be read by anybody.
    ``ValueError`` if the file cannot be read or is empty.
    """
    if file is None:
        return os.environ.get(PASSWORD_VARIABLE)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: no password: {error}") from None
    if not lines or not lines[0]:
        raise ValueError(f"{file}: no password: the first line is empty")
    return lines[0]
