"""TLS_B1_FR_10_T, _14 and TLS_B2_FR_14: pre-shared keys, in TLS 1.3 (RFC 8446, 4.2.11).

The settings ``tls.psk-identity`` and ``tls.psk-file``, the path of a file with the key in
hexadecimal, say which.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tlslite.constants import ExtensionType

from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.tree import Node, Sender, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer import papers
from emulator.conformance.tls_peer.client import call
from emulator.conformance.tls_peer.expecting import alert, handshake
from emulator.conformance.trying.trial import Trial


def shared_key(trial: Trial) -> tuple[bytes, bytearray]:
    """Identity and key. :class:`Unjudged` without them, or without TLS 1.3."""
    settings = trial.declaration.settings
    if not trial.declaration.features.get("tls.1.3"):
        raise Unjudged("the TLS libraries at hand have no suites with pre-shared keys for TLS 1.2")
    identity, path = settings.get("tls.psk-identity", ""), settings.get("tls.psk-file", "")
    if not identity or not path:
        raise Unjudged("the pre-shared key is not at hand (tls.psk-identity, tls.psk-file)")
    try:
        return identity.encode(), bytearray.fromhex(Path(path).read_text().strip())
    except (OSError, ValueError):
        raise Unjudged("tls.psk-file is no file with a key in hexadecimal") from None


def _with_key(*, wrong: bool) -> Sender:
    async def send(trial: Trial) -> Seen:
        identity, key = shared_key(trial)
        if wrong:
            key = bytearray(octet ^ 0xFF for octet in key)

        def settings(taken: Any) -> None:
            taken.pskConfigs = [(identity, key, "sha256")]

        certificate = papers.none if wrong or not trial.declaration.way.certificate else papers.own
        talk, outcome = await call(trial, version=(3, 4), settings=settings, papers=certificate)
        await talk.close()
        return outcome.seen(used=outcome.extension(ExtensionType.pre_shared_key) is not None)

    return send


@conversation("TLS_B1_FR_10_T")
def right_key() -> Sequence[Node]:
    return (step("psk", _with_key(wrong=False), handshake(_used)),)


def _used(seen: Seen) -> str:
    return "" if seen.facts["used"] else "a session without the pre-shared key"


@conversation("TLS_B1_FR_14")
def wrong_key() -> Sequence[Node]:
    return (step("psk", _with_key(wrong=True), alert()),)


@conversation("TLS_B2_FR_14")
def wrong_key_with_certificates() -> Sequence[Node]:
    return (step("psk", _with_key(wrong=True), alert()),)
