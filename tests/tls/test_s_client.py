"""The server as the ``openssl`` program sees it."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Any

from tls.alerts import Alert
from tls.events import HandshakeDone, Reason

OPENSSL = "/usr/bin/openssl"
PATIENCE = 120.0


async def _s_client(port: int, files: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        OPENSSL,
        "s_client",
        "-connect",
        f"127.0.0.1:{port}",
        *("-CAfile", str(files / "root.pem"), "-verify_return_error"),
        *("-cert", str(files / "client.pem"), "-cert_chain", str(files / "client.pem")),
        *("-key", str(files / "client.key")),
        *options,
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
    )


async def test_what_is_negotiated(lab: Any, credential_files: Path) -> None:
    program = await _s_client(lab.listener.port, credential_files, "-tls1_2")
    async with asyncio.timeout(PATIENCE):
        output, _ = await program.communicate(b"Q\n")
    text = output.decode()
    assert "Protocol  : TLSv1.2" in text
    assert "Cipher    : ECDHE-ECDSA-AES256-GCM-SHA384" in text
    assert "Compression: NONE" in text
    assert "Server Temp Key: ECDH, prime256v1, 256 bits" in text
    assert "Secure Renegotiation IS supported" in text  # RFC 5746: said, then refused
    assert "Extended master secret: yes" in text  # RFC 7627
    assert "TLS session ticket" not in text
    assert "Verify return code: 0 (ok)" in text
    assert program.returncode == 0
    assert isinstance(await lab.event(), HandshakeDone)


async def test_renegotiation_is_refused(lab: Any, credential_files: Path) -> None:
    program = await _s_client(lab.listener.port, credential_files, "-tls1_2")
    assert program.stdin is not None
    async with asyncio.timeout(PATIENCE):
        program.stdin.write(b"R\n")
        # The program gives up by itself: its input stays open until then.
        assert program.stdout is not None
        text = (await program.stdout.read()).decode()
        program.stdin.close()
        await program.wait()
    assert "RENEGOTIATING" in text
    assert "no renegotiation" in text
    assert isinstance(await lab.event(), HandshakeDone)
    await lab.assert_serves()


async def test_tls_1_3_is_refused(lab: Any, credential_files: Path) -> None:
    program = await _s_client(lab.listener.port, credential_files, "-tls1_3")
    async with asyncio.timeout(PATIENCE):
        output, _ = await program.communicate()
    assert "alert protocol version" in output.decode()
    assert program.returncode == 1
    event = await lab.event()
    assert (event.reason, event.alert) == (Reason.PROTOCOL_VERSION, Alert.PROTOCOL_VERSION)
    await lab.assert_serves()


async def test_newer_client_steps_down(lab: Any, credential_files: Path) -> None:
    program = await _s_client(lab.listener.port, credential_files)
    async with asyncio.timeout(PATIENCE):
        output, _ = await program.communicate(b"Q\n")
    assert "New, TLSv1.2, Cipher is ECDHE-ECDSA-AES256-GCM-SHA384" in output.decode()
    assert (await lab.event()).version == "TLSv1.2"
