"""The trial of :mod:`tls.key_method`: handshakes in memory, with a key of the moment.

It shows on this very platform that OpenSSL asks our function and no other for the signature, that
the peer takes it, at both ends of TLS 1.2, and that without a signature there is no session.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tls.certificates import make_authority, make_leaf
from tls.credentials import SIGNATURE_LENGTH, Sign, Validity
from tls.files import write_private
from tls.signing import ExternalKeyError, SigningError

if TYPE_CHECKING:
    from tls.key_method import KeyMethod

_MAX_FLIGHTS = 8
"""Times that each end of a full handshake may be asked to go on; TLS 1.2 takes two."""

_PURPOSES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


class _RefusedError(Exception):
    """What the key says in the trial in which it gives no signature."""


def raw_signature(key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    """Sign a digest of 32 octets with a key of P-256 as :data:`~tls.credentials.Sign` has it."""
    pair = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
    return b"".join(number.to_bytes(SIGNATURE_LENGTH // 2, "big") for number in pair)


def check(method: KeyMethod) -> None:
    """:class:`ExternalKeyError` unless keys of ``method`` do what they should."""
    moment = datetime.now(UTC)
    validity = Validity(not_before=moment - timedelta(hours=1), not_after=moment + timedelta(1))
    authority = make_authority("trial", validity, path_length=0)
    leaf, key = make_leaf("trial", validity, authority, names=(), purposes=_PURPOSES)
    digests: list[bytes] = []

    def sign(digest: bytes) -> bytes:
        digests.append(digest)
        return raw_signature(key, digest)

    def refuse(_: bytes) -> bytes:
        raise _RefusedError

    with TemporaryDirectory(prefix="tls-") as directory:
        chain = Path(directory, "chain.pem")
        write_private(chain, leaf.public_bytes(Encoding.PEM))

        def context(protocol: int, asked: Sign) -> ssl.SSLContext:
            made, address = method.new_context(protocol)
            method.load(address, chain, key.public_key(), asked)
            made.check_hostname = False
            made.verify_mode = ssl.CERT_REQUIRED
            made.maximum_version = ssl.TLSVersion.TLSv1_2
            made.load_verify_locations(cadata=authority.certificate_pem.decode("ascii"))
            return made

        server = context(ssl.PROTOCOL_TLS_SERVER, sign)
        try:
            _shake_hands(context(ssl.PROTOCOL_TLS_CLIENT, sign), server)
        except ssl.SSLError as error:
            raise ExternalKeyError(f"a handshake on trial failed: {error}") from error
        if len(digests) != 2 or len(set(digests)) != 2:
            raise ExternalKeyError(f"a handshake on trial asked for {len(digests)} signatures")
        try:
            _shake_hands(context(ssl.PROTOCOL_TLS_CLIENT, refuse), server)
        except SigningError as error:
            if isinstance(error.__cause__, _RefusedError):
                return
            raise ExternalKeyError(f"a refusal on trial was told as {error}") from error
        except ssl.SSLError as error:
            raise ExternalKeyError(f"a refusal on trial was told as {error}") from error
        raise ExternalKeyError("a handshake on trial came about without a signature")


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """A handshake in memory. ``ssl.SSLError`` if it fails."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, True)]
    for _ in range(_MAX_FLIGHTS):
        waiting = []
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                waiting.append(end)
        if not waiting:
            return
    raise ExternalKeyError("a handshake on trial came to no end")
