"""TLS at a meter of the sandbox: who is not let in leaves one line to read, and no damage.

The clients are blocking sockets without anything of ours, in another thread.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from emulator.head_end.party import TITLES
from emulator.policy import Actor
from tls.contexts import client_context
from tls.credentials import Credential
from tls.identity import system_title_of
from tls.pki import CLIENT, TestPki

PATIENCE = 120.0
TITLE = TITLES[Actor.S1SP]
_DAY = dt.timedelta(days=1)


class Cast(NamedTuple):
    """Who is there to make a bad client of."""

    pki: TestPki
    other_pki: TestPki
    good: Credential
    directory: Path


@pytest.fixture
def cast(pki: TestPki, other_pki: TestPki, credentials: Any, tmp_path: Path) -> Cast:
    return Cast(pki, other_pki, credentials[Actor.S1SP], tmp_path / "lax")


def lax(cast: Cast, credential: Credential | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if credential is not None:
        credential.save(cast.directory, "lax")
        context.load_cert_chain(cast.directory / "lax.pem", cast.directory / "lax.key")
    return context


def only(cast: Cast, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = lax(cast, cast.good)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is what we want here
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
        context.minimum_version = version
        context.maximum_version = version
    return context


def expired(cast: Cast) -> ssl.SSLContext:
    now = cast.pki.created
    credential = cast.pki.issue_client(
        TITLE, "late", not_before=now - 2 * _DAY, not_after=now - _DAY
    )
    return lax(cast, credential)


def untitled(cast: Cast) -> ssl.SSLContext:
    """A good certificate of the PKI, but it names no system title."""
    return lax(cast, cast.pki.issue_leaf("nobody", names=[], purposes=[CLIENT]))


BAD: dict[str, tuple[Callable[[Cast], ssl.SSLContext], str, str]] = {
    "TLS 1.1 only": (
        lambda cast: only(cast, ssl.TLSVersion.TLSv1_1),
        "protocol-version",
        "alert protocol_version sent",
    ),
    "TLS 1.3 only": (
        lambda cast: only(cast, ssl.TLSVersion.TLSv1_3),
        "protocol-version",
        "alert protocol_version sent",
    ),
    "no certificate": (
        lambda cast: lax(cast, None),
        "no-client-certificate",
        "alert handshake_failure sent",
    ),
    "expired": (expired, "certificate-expired", "alert certificate_expired sent"),
    "another CA": (
        lambda cast: lax(cast, cast.other_pki.issue_client(TITLE, "stranger")),
        "unknown-ca",
        "sent",
    ),
    "a meter as client": (
        lambda cast: lax(cast, cast.pki.issue_device(TITLE)),
        "unsupported-certificate",
        "sent",
    ),
    "no system title": (untitled, "wrong-identity", "no subjectAltName"),
}


def knock(port: int, context: ssl.SSLContext) -> None:
    """Shake hands and send; raises what ``ssl`` raises."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain) as tls,
    ):
        tls.sendall(b"\0\1\0\20\0\1\0\1\xc0")
        # A refused client learns of it by an alert or by the end, never by an answer.
        if tls.recv(1):
            raise AssertionError("the meter answered")
        raise ConnectionResetError


@pytest.mark.parametrize(("make", "reason", "words"), BAD.values(), ids=BAD.keys())
async def test_one_line_for_each_refusal(
    make: Any, reason: str, words: str, cast: Cast, place: Any, events: Any, unharmed: Any
) -> None:
    meter = place("landis_gyr")
    async with await unharmed("tls", "landis_gyr"):
        for attempt in (1, 2):
            with pytest.raises(OSError):  # noqa: PT011  # an SSLError or a reset, as it comes
                await asyncio.to_thread(knock, meter.address.tls_port, make(cast))
            await events.wait("handshake-failed", attempt)
            # The context is made anew, and so are the files.
            for file in cast.directory.glob("*"):
                file.unlink()
    found = events.of("handshake-failed")
    assert len(found) == 2
    for event in found:
        assert event.meter == "landis_gyr"
        assert event.text.startswith(f"{reason}: no TLS session with client 127.0.0.1:")
        assert words in event.text
        assert "\n" not in str(event)
        assert event.peer.startswith("127.0.0.1:")
        assert event.association == ""


async def test_plain_octets_on_the_tls_port(
    connect: Any, place: Any, events: Any, unharmed: Any
) -> None:
    meter = place("itron")
    async with await unharmed("tls", "itron"):
        peer = await connect("plain", "itron", port=meter.address.tls_port)
        peer.send(b"\xc0\x01\x41")
        (event,) = await events.wait("handshake-failed")
        assert event.text.startswith("not-tls: ")


async def test_a_good_handshake_is_no_news(connect: Any, place: Any, events: Any) -> None:
    peer = await connect("tls", "itron")
    assert await peer.exchange(b"\xc0\x01\x41") == bytes.fromhex("D80102")
    assert [event.kind for event in events.seen] == ["not-associated"]


async def test_each_meter_shows_its_own_title(place: Any, pki: TestPki, credentials: Any) -> None:
    def title_at(port: int) -> bytes:
        context = client_context(credentials[Actor.S1SP], pki.trust())
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
            context.wrap_socket(plain) as tls,
        ):
            assert tls.version() == "TLSv1.2"
            certificate = tls.getpeercert(binary_form=True)
            assert certificate is not None
            return system_title_of(certificate)

    titles = set()
    for name in ("aclara", "honeywell_elster", "itron", "landis_gyr", "secure"):
        meter = place(name)
        title = await asyncio.to_thread(title_at, meter.address.tls_port)
        assert title == meter.device.title == meter.address.title
        titles.add(title)
    assert len(titles) == 5
