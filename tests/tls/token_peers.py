"""A process of its own in which keys of a SoftHSM token establish TLS; prints what came of it.

Of its own, because a token library is loaded and set up once in a process. Its arguments are a
folder for the token and the library. One thread and no other uses the token.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tls.contexts import client_context, server_context
from tls.credentials import ExternalCredential
from tls.events import HandshakeDone, HandshakeError, HandshakeEvent
from tls.pki import TestPki
from tls.transport import open_tls_connection, start_tls_server

DEVICE, CLIENT = b"LAB\0\0\0\0\1", b"HES\0\0\0\0\2"
PIN, SO_PIN = "1234", "12345678"
PATIENCE = 60.0
TOGETHER = 8


class Token:
    """Key pairs in a token: they are made in it, and do not leave it."""

    def __init__(self, folder: Path, library: str) -> None:
        (folder / "tokens").mkdir()
        config = folder / "softhsm2.conf"
        config.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(config)
        import pkcs11

        self._pkcs11 = pkcs11
        words = f"--init-token --free --label tls --so-pin {SO_PIN} --pin {PIN}"
        subprocess.run(["softhsm2-util", *words.split()], check=True, stdout=subprocess.DEVNULL)
        token = pkcs11.lib(library).get_token(token_label="tls")
        self._session = token.open(rw=True, user_pin=PIN)

    def make(self) -> tuple[ec.EllipticCurvePublicKey, Any]:
        from pkcs11.util.ec import encode_named_curve_parameters

        kinds, attributes = self._pkcs11.KeyType, self._pkcs11.Attribute
        domain = self._session.create_domain_parameters(
            kinds.EC, {attributes.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
        )
        public, private = domain.generate_keypair(store=False)
        point = public[attributes.EC_POINT][2:]  # a DER OCTET STRING around it
        assert private[attributes.SENSITIVE]
        assert not private[attributes.EXTRACTABLE]
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point), private

    def sign(self, private: Any, digest: bytes) -> bytes:
        signature: bytes = private.sign(digest, mechanism=self._pkcs11.Mechanism.ECDSA)
        return signature


async def handshake(port: int, context: ssl.SSLContext) -> HandshakeEvent:
    events: list[HandshakeEvent] = []
    transport, _ = await open_tls_connection(
        asyncio.Protocol, "127.0.0.1", port, context, on_event=events.append
    )
    transport.abort()
    return events[0]


async def main(folder: Path, library: str) -> dict[str, Any]:
    pki = TestPki.create(now=datetime.now(UTC))
    with ThreadPoolExecutor(1) as thread:
        token = thread.submit(Token, folder, library).result()
        pairs = [thread.submit(token.make).result() for _ in range(3)]
        asked: list[int] = []

        def credential(chain: Any, private: Any) -> ExternalCredential:
            def sign(digest: bytes) -> bytes:
                asked.append(len(digest))
                return thread.submit(token.sign, private, digest).result()

            return ExternalCredential(chain_pem=chain.chain_pem, sign=sign)

        client_chain = pki.certify_client(CLIENT, "born in a token", pairs[0][0])
        server_chain = pki.certify_listener(DEVICE, "born in a token", pairs[1][0])
        right = client_context(credential(client_chain, pairs[0][1]), pki.trust())
        wrong = client_context(credential(client_chain, pairs[2][1]), pki.trust())
        server = server_context(credential(server_chain, pairs[1][1]), pki.trust())
        theirs: asyncio.Queue[HandshakeEvent] = asyncio.Queue()
        async with (
            asyncio.timeout(PATIENCE),
            await start_tls_server(
                asyncio.Protocol, "127.0.0.1", 0, server, on_event=theirs.put_nowait
            ) as listener,
        ):
            done = await asyncio.gather(*(handshake(listener.port, right) for _ in range(TOGETHER)))
            seen = [await theirs.get() for _ in range(TOGETHER)]
            try:
                await handshake(listener.port, wrong)
                refusal = ""
            except HandshakeError as error:
                refusal = f"{error.reason}: {error.__cause__}"
    return {
        "ours": [isinstance(one, HandshakeDone) and one.key_used for one in done],
        "theirs": [
            [one.system_title.hex(), one.cipher, one.key_used]
            for one in seen
            if isinstance(one, HandshakeDone) and one.system_title is not None
        ],
        "digests": asked,
        "refusal": refusal,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))))
