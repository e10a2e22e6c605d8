"""TLS taken off a connection, with the secrets of its sessions: by scapy, record by record.

TLS 1.2 with a cipher of the AEAD kind is what scapy decrypts from outside, after a full handshake;
after an abbreviated one with what is told it here. Of anything else it is said that it stays
closed; ``tshark`` reads more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from emulator.decoding.captures import Secrets, scapy
from emulator.decoding.chunks import Chunk, Line
from emulator.decoding.quiet import quiet

_HEAD = 5
_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _DATA = 20, 21, 22, 23
_TLS_1_2 = 0x0303
TSHARK = "tshark -r FILE -q -z follow,tls,raw,N | cosemlab decode -"
"""What else can be done; it takes the secrets of the file, or ``-o tls.keylog_file:LOG``."""


class Taken(NamedTuple):
    """What was inside, and what could not be read; ``sessions`` says how it went."""

    line: Line
    closed: tuple[str, ...]


def is_tls(line: Line) -> bool:
    first = next((one.octets for one in line.chunks if one.octets), b"")
    return len(first) >= 3 and first[0] in (_HANDSHAKE, _ALERT, _DATA) and first[1] == 3


def without_tls(line: Line, secrets: Secrets) -> Taken:
    """The line beneath TLS. Without the secret of its session nothing is, and that is said."""
    if not secrets.get("CLIENT_RANDOM"):
        return _closed(line, "no secrets of its session: --keylog FILE, or a pcapng that has them")
    return _Session(secrets).all(line)


def _closed(line: Line, why: str, chunks: tuple[Chunk, ...] = ()) -> Taken:
    octets = sum(len(one.octets) for one in line.chunks)
    said = f"TLS stays closed ({octets} octets): {why}. Another way: {TSHARK}"
    return Taken(line._replace(chunks=chunks), (said,))


class _Session:
    def __init__(self, secrets: Secrets) -> None:
        self._scapy = scapy()
        self._session: Any = self._scapy.session.tlsSession(connection_end="server")
        self._session.nss_keys = secrets
        self._forward: bool | None = True
        self._left = {True: b"", False: b""}
        self._failed = ""

    def all(self, line: Line) -> Taken:
        chunks: list[Chunk] = []
        conf = self._scapy.conf
        before, conf.tls_session_enable = conf.tls_session_enable, False
        try:
            with quiet():
                for one in line.chunks:
                    chunks += self._chunk(one)
                    if self._failed:
                        return _closed(line, self._failed, tuple(chunks))
        finally:
            conf.tls_session_enable = before
        return Taken(line._replace(chunks=tuple(chunks)), ())

    def _chunk(self, chunk: Chunk) -> list[Chunk]:
        forward = bool(chunk.forward)
        if chunk.lost:
            self._failed = f"{chunk.lost} octets were lost at packet {chunk.packet}"
            return []
        octets = self._left[forward] + chunk.octets
        found = []
        while len(octets) >= _HEAD and not self._failed:
            size = _HEAD + int.from_bytes(octets[3:_HEAD], "big")
            if len(octets) < size:
                break
            plain = self._record(octets[:size], forward)
            octets = octets[size:]
            if plain:
                found.append(chunk._replace(octets=plain))
        self._left[forward] = octets
        return found

    def _record(self, octets: bytes, forward: bool) -> bytes:
        """The application data of one record."""
        if forward is not self._forward:
            self._session = self._session.mirror()
            self._forward = forward
        if octets[0] == _CHANGE_CIPHER_SPEC:
            self._resume()
        try:
            record = self._scapy.record.TLS(octets, tls_session=self._session)
        except Exception as error:  # scapy fails in many ways where octets are not as it expects
            self._failed = f"scapy cannot read a record of {len(octets)} octets: {error!r}"
            return b""
        self._session = record.tls_session
        if octets[0] != _DATA:
            return b""
        kinds = [type(one).__name__ for one in record.msg]
        if kinds != ["TLSApplicationData"]:
            version = self._session.tls_version
            unknown = "" if self._session.master_secret else ", without the secret of this session"
            self._failed = f"scapy does not decrypt it (version {version or 0:04x}{unknown})"
            return b""
        return bytes(record.msg[0].data)

    def _resume(self) -> None:
        """Keys of a session that was resumed, by its id or by a ticket (RFC 5246, 7.3; RFC 5077).

        There is no ClientKeyExchange in the abbreviated handshake, at which scapy would look for
        the secret: then the server's ChangeCipherSpec is the first, and nothing is known yet. A key
        log has the same master secret once more, under the random of the new ClientHello.
        """
        session = self._session
        if session.master_secret or session.tls_version != _TLS_1_2:
            return
        if session.prcs is None or session.pwcs is None:
            return
        if session.use_nss_master_secret_if_present():
            session.compute_ms_and_derive_keys()
