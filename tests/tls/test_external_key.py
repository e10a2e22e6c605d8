"""Handshakes with a private key that a function has: good ones, and every way to spoil them."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tls.alerts import Alert
from tls.certificates import new_key
from tls.contexts import CIPHERS, client_context, server_context
from tls.credentials import Credential, ExternalCredential, Sign
from tls.events import HandshakeDone, HandshakeError, HandshakeEvent, HandshakeFailed, Reason, Side
from tls.external_key import keys_in_use, public_key, why_not
from tls.identity import exactly
from tls.key_check import raw_signature
from tls.pki import TestPki
from tls.signing import SigningError
from tls.transport import open_tls_connection

StartLab = Callable[..., Awaitable[Any]]

DEVICE_TITLE = b"LAB\x00\x00\x00\x00\x01"
CLIENT_TITLE = b"HES\x00\x00\x00\x00\x02"
PATIENCE = 120.0
TOGETHER = 24


class Holder:
    """Has a private key and remembers what it was asked to sign."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self.digests: list[bytes] = []
        self._key = key

    def __call__(self, digest: bytes) -> bytes:
        self.digests.append(digest)
        return raw_signature(self._key, digest)


def holder_of(credential: Credential) -> Holder:
    key = load_pem_private_key(credential.private_key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Holder(key)


def elsewhere(credential: Credential, sign: Sign) -> ExternalCredential:
    return ExternalCredential(chain_pem=credential.chain_pem, sign=sign)


class Quiet(asyncio.Protocol):
    pass


async def connect(port: int, context: ssl.SSLContext) -> HandshakeEvent:
    """One handshake as a client; its event, good or bad."""
    events: list[HandshakeEvent] = []
    async with asyncio.timeout(PATIENCE):
        transport, _ = await open_tls_connection(
            Quiet, "127.0.0.1", port, context, accept=exactly(DEVICE_TITLE), on_event=events.append
        )
    transport.abort()
    (event,) = events
    return event


async def refused(port: int, context: ssl.SSLContext) -> HandshakeError:
    with pytest.raises(HandshakeError) as caught:
        await connect(port, context)
    return caught.value


def talk(port: int, context: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain) as tls,
    ):
        tls.sendall(b"ping")
        return tls.recv(16)


@pytest.fixture
def holder(client: Credential) -> Holder:
    return holder_of(client)


@pytest.fixture
def context(pki: TestPki, client: Credential, holder: Holder) -> ssl.SSLContext:
    return client_context(elsewhere(client, holder), pki.trust())


@pytest.fixture
def context_with(pki: TestPki, client: Credential) -> Callable[[Sign], ssl.SSLContext]:
    return lambda sign: client_context(elsewhere(client, sign), pki.trust())


# Good handshakes ----------------------------------------------------------------------------------


def test_this_platform_can() -> None:
    assert why_not() is None


@pytest.mark.parametrize("cipher", CIPHERS)
async def test_a_client_whose_key_is_elsewhere(
    lab: Any, context: ssl.SSLContext, holder: Holder, cipher: str
) -> None:
    context.set_ciphers(cipher)
    ours, theirs = await connect(lab.listener.port, context), await lab.event()
    assert isinstance(ours, HandshakeDone)
    assert isinstance(theirs, HandshakeDone)
    assert (theirs.version, theirs.cipher) == ("TLSv1.2", cipher)
    assert theirs.system_title == CLIENT_TITLE
    assert [len(digest) for digest in holder.digests] == [32]
    assert ours.key_used is True
    assert ours.took_key
    assert theirs.key_used is None  # that one's key is in OpenSSL
    assert theirs.took_key


async def test_a_server_whose_key_is_elsewhere(
    start_lab: StartLab, pki: TestPki, device: Credential, good_client: ssl.SSLContext
) -> None:
    holder = holder_of(device)
    lab = await start_lab(server_context(elsewhere(device, holder), pki.trust()))
    ours, theirs = await connect(lab.listener.port, good_client), await lab.event()
    assert isinstance(ours, HandshakeDone)
    assert ours.system_title == DEVICE_TITLE
    assert len(holder.digests) == 1
    assert theirs.key_used is True


async def test_both_ends(
    start_lab: StartLab, pki: TestPki, device: Credential, context: ssl.SSLContext, holder: Holder
) -> None:
    other = holder_of(device)
    lab = await start_lab(server_context(elsewhere(device, other), pki.trust()))
    assert await asyncio.to_thread(talk, lab.listener.port, context) == b"ping"
    assert (len(holder.digests), len(other.digests)) == (1, 1)


async def test_a_resumed_session_uses_no_key(
    start_lab: StartLab, pki: TestPki, device: Credential, context: ssl.SSLContext, holder: Holder
) -> None:
    other = holder_of(device)
    lab = await start_lab(server_context(elsewhere(device, other), pki.trust()))
    used = await asyncio.to_thread(_talk_twice, lab.listener.port, context)
    assert used == [True, False]
    first, second = await lab.event(), await lab.event()
    assert (first.resumed, first.key_used, first.took_key) == (False, True, True)
    assert (second.resumed, second.key_used, second.took_key) == (True, False, False)
    assert (len(holder.digests), len(other.digests)) == (1, 1)


def _talk_twice(port: int, context: ssl.SSLContext) -> list[bool]:
    session: ssl.SSLSession | None = None
    used = []
    for _ in range(2):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, session=session) as tls,
        ):
            tls.sendall(b"ping")
            assert tls.recv(16) == b"ping"
            session = tls.session
            used.append(tls.key_used)  # type: ignore[attr-defined]  # an ExternalKeySocket
            tls.unwrap()
    return used


def test_a_resumed_session_of_openssls_key_takes_none() -> None:
    event = HandshakeDone(
        side=Side.SERVER, peer="", version="", cipher="", system_title=None, resumed=True
    )
    assert not event.took_key


async def test_the_policy_holds(lab: Any, context: ssl.SSLContext) -> None:
    assert context.minimum_version is context.maximum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.options & ssl.OP_NO_TICKET
    assert context.options & ssl.OP_NO_RENEGOTIATION


# Many at once -------------------------------------------------------------------------------------


async def test_concurrent_handshakes_each_have_their_own_error(
    lab: Any, context: ssl.SSLContext, holder: Holder, context_with: Any
) -> None:
    """Good ones and bad ones in between, in one loop: nobody gets the error of another."""

    def refusing(number: int) -> ssl.SSLContext:
        def refuse(_: bytes) -> bytes:
            raise LookupError(f"no key {number}")

        made: ssl.SSLContext = context_with(refuse)
        return made

    good = [connect(lab.listener.port, context) for _ in range(TOGETHER)]
    bad = [refused(lab.listener.port, refusing(number)) for number in range(TOGETHER)]
    both = [one for pair in zip(good, bad, strict=True) for one in pair]
    results = await asyncio.gather(*both)
    assert all(isinstance(one, HandshakeDone) and one.key_used for one in results[::2])
    assert [str(one.__cause__) for one in results[1::2]] == [
        f"no key {number}" for number in range(TOGETHER)
    ]
    assert len(set(holder.digests)) == TOGETHER


async def test_handshakes_in_threads(lab: Any, context: ssl.SSLContext, holder: Holder) -> None:
    with ThreadPoolExecutor(8) as pool:
        loop = asyncio.get_running_loop()
        jobs = [
            loop.run_in_executor(pool, talk, lab.listener.port, context) for _ in range(TOGETHER)
        ]
        assert await asyncio.gather(*jobs) == [b"ping"] * TOGETHER
    assert len(holder.digests) == TOGETHER


async def test_the_holder_may_have_a_thread_of_its_own(
    lab: Any, holder: Holder, context_with: Any
) -> None:
    """As a token library must: the thread of the handshake waits for it."""
    threads = set()

    def sign(digest: bytes) -> bytes:
        threads.add(threading.current_thread())
        return holder(digest)

    with ThreadPoolExecutor(1) as pool:
        context = context_with(lambda digest: pool.submit(sign, digest).result(PATIENCE))
        events = await asyncio.gather(*(connect(lab.listener.port, context) for _ in range(4)))
    assert all(isinstance(event, HandshakeDone) and event.key_used for event in events)
    assert len(threads) == 1
    assert threading.current_thread() not in threads


async def test_the_holder_may_shake_hands_itself(
    lab: Any, pki: TestPki, device: Credential, holder: Holder, context_with: Any
) -> None:
    """A module behind TLS, in the same thread: its errors stay its own."""

    def refuse(_: bytes) -> bytes:
        raise LookupError("inner")

    inner_server = server_context(elsewhere(device, refuse), pki.trust())
    inner_client = context_with(refuse)

    def sign(digest: bytes) -> bytes:
        with pytest.raises(SigningError, match="inner"):
            _in_memory(inner_client, inner_server)
        return holder(digest)

    event = await connect(lab.listener.port, context_with(sign))
    assert event.key_used is True


def _in_memory(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    down, up = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True)
    for _ in range(6):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue


# Spoilt signatures --------------------------------------------------------------------------------


async def test_an_error_of_the_holder_ends_the_handshake_and_is_told(
    lab: Any, context_with: Any
) -> None:
    error = LookupError("the token was drawn")

    def refuse(_: bytes) -> bytes:
        raise error

    caught = await refused(lab.listener.port, context_with(refuse))
    assert caught.__cause__ is error
    assert caught.reason is Reason.OWN_KEY
    assert caught.event.key_used is False
    assert (caught.event.alert, caught.event.alert_sent) == (Alert.INTERNAL_ERROR, True)
    assert "LookupError: the token was drawn" in str(caught)
    theirs = await lab.event()
    assert isinstance(theirs, HandshakeFailed)
    assert (theirs.alert, theirs.alert_sent) == (Alert.INTERNAL_ERROR, False)
    await lab.assert_serves()


async def test_a_server_tells_too_and_goes_on(
    start_lab: StartLab, pki: TestPki, device: Credential, good_client: ssl.SSLContext
) -> None:
    holder = holder_of(device)
    errors = [TimeoutError("token is busy")]

    def sign(digest: bytes) -> bytes:
        if errors:
            raise errors.pop()
        return holder(digest)

    lab = await start_lab(server_context(elsewhere(device, sign), pki.trust()))
    theirs = await refused(lab.listener.port, good_client)
    assert (theirs.event.alert, theirs.event.alert_sent) == (Alert.INTERNAL_ERROR, False)
    ours = await lab.event()
    assert isinstance(ours, HandshakeFailed)
    assert ours.reason is Reason.OWN_KEY
    assert isinstance(ours.cause, TimeoutError)
    assert ours.alert_sent
    await lab.assert_serves()


async def test_another_key_than_the_certificates(lab: Any, context_with: Any) -> None:
    context = context_with(Holder(new_key()))
    caught = await refused(lab.listener.port, context)
    assert caught.reason is Reason.OWN_KEY
    assert caught.event.key_used is True
    assert "does not verify under the certificate" in str(caught)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda good: good[:-1] + bytes((good[-1] ^ 1,)), "does not verify"),
        (lambda good: good[32:] + good[:32], "does not verify"),
        (lambda good: bytes(64), "does not verify"),
        (lambda good: b"\xff" * 64, "does not verify"),
        (lambda good: good[1:], "63 octets, not 64"),
        (lambda good: good + b"\0", "65 octets, not 64"),
        (lambda good: b"", "0 octets, not 64"),
        (lambda good: bytearray(good), "bytearray, not bytes"),
        (lambda good: None, "NoneType, not bytes"),
        (lambda good: good.hex(), "str, not bytes"),
    ],
)
async def test_a_signature_that_is_none(
    lab: Any, holder: Holder, context_with: Any, spoil: Callable[[bytes], Any], why: str
) -> None:
    context = context_with(lambda digest: spoil(holder(digest)))
    caught = await refused(lab.listener.port, context)
    assert caught.reason is Reason.OWN_KEY
    assert why in str(caught)
    await lab.assert_serves()


async def test_on_a_socket_too(lab: Any, context_with: Any) -> None:
    error = LookupError("no such key")

    def refuse(_: bytes) -> bytes:
        raise error

    with pytest.raises(SigningError, match="no such key") as caught:
        await asyncio.to_thread(talk, lab.listener.port, context_with(refuse))
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
async def test_an_interruption_is_no_error_of_tls(
    pki: TestPki, device: Credential, context_with: Any, interruption: type[BaseException]
) -> None:
    def interrupt(_: bytes) -> bytes:
        raise interruption

    server = server_context(device, pki.trust())
    with pytest.raises(interruption):
        _in_memory(context_with(interrupt), server)


async def test_an_error_before_the_signature_is_openssls(
    pki: TestPki, other_pki: TestPki, client: Credential, holder: Holder, lab: Any
) -> None:
    context = client_context(elsewhere(client, holder), other_pki.trust())
    caught = await refused(lab.listener.port, context)
    assert caught.reason is Reason.UNKNOWN_CA
    assert caught.event.key_used is False
    assert caught.__cause__ is None
    assert holder.digests == []


async def test_a_failure_does_not_stay(lab: Any, holder: Holder, context_with: Any) -> None:
    """In the same context, the next handshake is a new one."""
    errors = [LookupError("once")]

    def sign(digest: bytes) -> bytes:
        if errors:
            raise errors.pop()
        return holder(digest)

    context = context_with(sign)
    await refused(lab.listener.port, context)
    assert isinstance(await connect(lab.listener.port, context), HandshakeDone)


# Certificates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-384", "RSA"],
)
def test_only_keys_of_p256(make: Callable[[], Any]) -> None:
    class Leaf:
        def public_key(self) -> Any:
            return make().public_key()

    with pytest.raises(ValueError, match="none of P-256"):
        public_key(Leaf())  # type: ignore[arg-type]  # all that is asked of it


def test_a_chain_that_is_none(pki: TestPki, client: Credential, holder: Holder) -> None:
    before = keys_in_use()
    chain = client.chain_pem[: len(client.chain_pem) - 100]
    with pytest.raises(ValueError):  # noqa: PT011  # the library's words
        client_context(ExternalCredential(chain_pem=chain, sign=holder), pki.trust())
    assert keys_in_use() == before


def test_nothing_of_the_holder_is_shown(client: Credential) -> None:
    secret = "octets of the key"
    credential = elsewhere(client, lambda digest: secret.encode())
    assert "sign" not in repr(credential)


# Lifetime -----------------------------------------------------------------------------------------


def test_a_key_lives_as_long_as_its_context(context_with: Any, holder: Holder) -> None:
    gc.disable()  # nothing may need it
    try:
        before = keys_in_use()
        contexts = [context_with(holder) for _ in range(50)]
        assert keys_in_use() == before + 50
        connection = contexts[0].wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())
        contexts.clear()
        assert keys_in_use() == before + 1
        del connection
        assert keys_in_use() == before
    finally:
        gc.enable()


def test_failed_handshakes_hold_nothing(
    pki: TestPki, device: Credential, context_with: Any
) -> None:
    def refuse(_: bytes) -> bytes:
        raise LookupError("no")

    server = server_context(device, pki.trust())
    gc.collect()
    gc.disable()
    try:
        before = keys_in_use()
        for _ in range(20):
            context = context_with(refuse)
            with pytest.raises(SigningError):
                _in_memory(context, server)
            del context
        gc.collect()  # pytest's own hold on the error goes in a cycle
        assert keys_in_use() == before
    finally:
        gc.enable()


_ENDING = """
import atexit, ssl, sys
from datetime import UTC, datetime
from tls.contexts import client_context, server_context
from tls.credentials import ExternalCredential
from tls.external_key import keys_in_use
from tls.pki import TestPki

def late():
    # Registered before the key method, so it runs after that has retired.
    down, up = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = context.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True)
    try:
        for _ in range(6):
            for end in ends:
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    pass
    except ssl.SSLError as error:
        print(type(error).__name__, asked)
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

atexit.register(late)
asked = []
pki = TestPki.create(now=datetime.now(UTC))
client = pki.issue_client(bytes(8), "client")
external = ExternalCredential(chain_pem=client.chain_pem, sign=asked.append)
context = client_context(external, pki.trust())
server = server_context(pki.issue_device(bytes(8)), pki.trust())
print(keys_in_use())
"""


def test_the_end_of_the_process() -> None:
    """OpenSSL calls nothing of Python any more, and a key that is left does not sign."""
    ended = subprocess.run(
        [sys.executable, "-c", _ENDING], capture_output=True, text=True, check=False, timeout=120
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "1\nSSLError []\n"
