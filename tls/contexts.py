"""The one TLS policy: TLS 1.2, ECDHE-ECDSA with AES-GCM on P-256, both sides with certificates.

Names are not checked by OpenSSL: a party is known by its system title, which is looked at after the
handshake (:mod:`tls.identity`, :mod:`tls.transport`).
"""

from __future__ import annotations

import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

from tls import external_key
from tls.credentials import Credential, ExternalCredential, Trust
from tls.files import touch_private, write_private

CIPHERS = ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256")
"""TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 (C0,2C) and ..._128_GCM_SHA256 (C0,2B), RFC 5289.

The stronger first: a server picks it, in whatever order a client offers them (BSI TR-03116-TS,
TLS_B2_GP_10).
"""

CURVE = "prime256v1"

SESSION_TIMEOUT = 7200
"""Seconds for which OpenSSL lets a session be resumed; ``ssl`` has no setting for it."""


def server_context(
    credential: Credential | ExternalCredential,
    trust: Trust,
    *,
    keylog: Path | None = None,
    session_tickets: bool = False,
    curve: str | None = CURVE,
) -> ssl.SSLContext:
    """Return the context of a TLS server that demands a client certificate.

    ``keylog`` is a file (created with mode 0600) to which the secrets of every session are
    appended, for analysis of recorded traffic. Without ``session_tickets`` a client can still
    resume a session by its id (RFC 5246, F.1.4) from the cache of this context, for
    ``SESSION_TIMEOUT``. A resumed session does not check the certificate again, so after a
    revocation make a new context: its cache is empty.

    With an :class:`~tls.credentials.ExternalCredential` the private key stays where it is.
    :class:`~tls.signing.ExternalKeyError` if this platform cannot do that
    (:mod:`tls.external_key`), ``ValueError`` if the certificate is none of P-256.

    Without a ``curve`` all that OpenSSL has are taken, which only a laboratory wants.
    """
    context = _new_context(ssl.PROTOCOL_TLS_SERVER, credential, trust)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    return _apply_policy(context, keylog, session_tickets, curve)


def client_context(
    credential: Credential | ExternalCredential,
    trust: Trust,
    *,
    keylog: Path | None = None,
    session_tickets: bool = False,
    curve: str | None = CURVE,
) -> ssl.SSLContext:
    """Return the context of a TLS client; the arguments are those of :func:`server_context`."""
    context = _new_context(ssl.PROTOCOL_TLS_CLIENT, credential, trust)
    context.check_hostname = False
    return _apply_policy(context, keylog, session_tickets, curve)


def _apply_policy(
    context: ssl.SSLContext,
    keylog: Path | None,
    session_tickets: bool,
    curve: str | None,
) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(CIPHERS))
    if curve is not None:
        context.set_ecdh_curve(curve)
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if not session_tickets:
        context.options |= ssl.OP_NO_TICKET
    if keylog is not None:
        touch_private(keylog)
        context.keylog_filename = str(keylog)
    return context


def _new_context(
    protocol: ssl._SSLMethod, credential: Credential | ExternalCredential, trust: Trust
) -> ssl.SSLContext:
    """Hand certificates, key and revocation list to OpenSSL, which takes them from files only."""
    with TemporaryDirectory(prefix="tls-") as directory:  # mode 0700, gone when we leave
        chain = Path(directory, "chain.pem")
        write_private(chain, credential.chain_pem)
        if isinstance(credential, ExternalCredential):
            context = external_key.new_context(protocol, credential, chain)
        else:
            context = ssl.SSLContext(protocol)
            key = Path(directory, "key.pem")
            write_private(key, credential.private_key_pem)
            context.load_cert_chain(chain, key)
        context.load_verify_locations(cadata=trust.roots_pem.decode("ascii"))
        if trust.crl_pem is not None:
            crl = Path(directory, "crl.pem")
            write_private(crl, trust.crl_pem)
            context.load_verify_locations(crl)
            # Only now: with the flag and no list OpenSSL refuses every peer.
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    return context
