"""TLS and passwords at a real Mosquitto: who is let in, and the one line for who is not."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from emulator.mqtt.broker_errors import BrokerError
from emulator.mqtt.link import Backoff, Link
from emulator.mqtt.options import MqttOptions
from emulator.mqtt.outgoing import Message, Outgoing, Rank
from emulator.mqtt.presence import present
from tls.pki import TestPki

PASSWORD = "a-word-that-passes"
HERE = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


class Guarded:
    """Files of a PKI, and brokers that are guarded by it."""

    def __init__(self, directory: Path, make_mosquitto: Any) -> None:
        self._directory = directory
        self._make = make_mosquitto
        self._pki = TestPki.create(now=dt.datetime.now(dt.UTC))
        self.authority = self._write("ca.pem", self._pki.root.certificate_pem)
        self.other = self._write(
            "other.pem", TestPki.create(now=dt.datetime.now(dt.UTC)).root.certificate_pem
        )

    def _write(self, name: str, octets: bytes) -> Path:
        path = self._directory / name
        path.write_bytes(octets)
        return path

    def credential(self, name: str, purpose: Any, names: Any) -> tuple[Path, Path]:
        made = self._pki.issue_leaf(name, names=names, purposes=[purpose])
        return (
            self._write(f"{name}.pem", made.chain_pem),
            self._write(f"{name}.key", made.private_key_pem),
        )

    def broker(self, *names: Any, more: str = "allow_anonymous true") -> Any:
        """With TLS, and a certificate for these names."""
        certificate, key = self.credential("broker", ExtendedKeyUsageOID.SERVER_AUTH, names or HERE)
        return self._make(f"{more}\ncafile {self.authority}\ncertfile {certificate}\nkeyfile {key}")

    def with_password(self) -> Any:
        self._directory.joinpath("passwords").write_text(MADE)
        return self._make(f"allow_anonymous false\npassword_file {self._directory / 'passwords'}")


@pytest.fixture
def guarded(tmp_path: Path, make_mosquitto: Any) -> Guarded:
    return Guarded(tmp_path, make_mosquitto)


def hashed(password: str) -> str:
    """A line of a password file of Mosquitto: PBKDF2 with SHA-512 (mosquitto_passwd(1))."""
    import base64
    import hashlib

    salt, rounds = b"0123456789ab", 101
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, 64)
    parts = base64.b64encode(salt).decode(), base64.b64encode(digest).decode()
    return f"lab:$7${rounds}${parts[0]}${parts[1]}\n"


MADE = hashed(PASSWORD)


@asynccontextmanager
async def on(options: MqttOptions, answer: float = 10.0) -> AsyncIterator[Outgoing]:
    outgoing = Outgoing()
    link = Link(
        options, outgoing, client="cosemlab-lab", backoff=Backoff(0.01, 0.05), answer=answer
    )
    async with present(link, outgoing, note=pytest.fail):
        yield outgoing


async def lets_in(options: MqttOptions) -> None:
    """A message is taken."""
    async with on(options) as outgoing:
        outgoing.put(Message("numbers", b"1", "", Rank.EVENT))
        await outgoing.settled()
    assert len(outgoing) == 0


async def why_not(options: MqttOptions, answer: float = 10.0) -> str:
    with pytest.raises(BrokerError) as caught:
        async with on(options, answer):
            pass
    text = str(caught.value)
    assert "\n" not in text
    assert PASSWORD not in text
    place = f"MQTT broker {options.place} "
    assert text.startswith(place.rstrip())
    return text.removeprefix(place)


async def test_tls_by_address_and_by_name(guarded: Guarded) -> None:
    broker = guarded.broker()
    await lets_in(broker.options(trust=guarded.authority))
    await lets_in(broker.options(trust=guarded.authority, host="localhost"))


async def test_a_broker_of_another_authority(guarded: Guarded) -> None:
    text = await why_not(guarded.broker().options(trust=guarded.other))
    assert text.startswith("is not to be trusted: ")


async def test_a_broker_of_another_name(guarded: Guarded) -> None:
    broker = guarded.broker(x509.DNSName("elsewhere.example"))
    for host, name in (("127.0.0.1", "127.0.0.1"), ("localhost", "localhost")):
        text = await why_not(broker.options(trust=guarded.authority, host=host))
        assert text.startswith("is another by its certificate: ")
        assert name in text


async def test_no_tls_on_the_tls_port(guarded: Guarded) -> None:
    text = await why_not(guarded.broker().options(), answer=0.5)
    assert text == "did not answer in 0 s: is it its TLS port?"


async def test_tls_on_the_plain_port(guarded: Guarded, make_mosquitto: Any) -> None:
    text = await why_not(make_mosquitto().options(trust=guarded.authority))
    assert "TLS" in text or "reset" in text, text


async def test_a_certificate_of_ours(guarded: Guarded) -> None:
    broker = guarded.broker(more="require_certificate true\nuse_identity_as_username true")
    ours = guarded.credential("lab", ExtendedKeyUsageOID.CLIENT_AUTH, [x509.DNSName("lab")])
    await lets_in(broker.options(trust=guarded.authority, credential=ours))
    text = await why_not(broker.options(trust=guarded.authority), answer=1.0)
    assert text == "did not answer in 1 s: it refuses our certificate, or is no broker"


async def test_a_password(guarded: Guarded) -> None:
    broker = guarded.with_password()
    await lets_in(broker.options(user="lab", password=PASSWORD))
    text = await why_not(broker.options(user="lab", password="another"))
    assert text == "does not let us in as 'lab': [code:135] Not authorized"
    text = await why_not(broker.options())
    assert text == "does not let us in without a user name: [code:135] Not authorized"


@pytest.mark.parametrize("content", [None, b"no certificate", b""])
def test_no_file_of_authorities(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    options = MqttOptions(host="127.0.0.1", port=1, trust=file)
    with pytest.raises(ValueError, match=f"^{file}: no certificates of authorities: "):
        options.tls()


def test_a_key_that_is_not_that_of_the_certificate(guarded: Guarded) -> None:
    purpose = ExtendedKeyUsageOID.CLIENT_AUTH
    first, _ = guarded.credential("first", purpose, [x509.DNSName("first")])
    _, second = guarded.credential("second", purpose, [x509.DNSName("second")])
    options = MqttOptions(
        host="127.0.0.1", port=1, trust=guarded.authority, credential=(first, second)
    )
    with pytest.raises(ValueError, match=f"^{first}, {second}: "):
        options.tls()


def test_old_tls_is_not_spoken(guarded: Guarded) -> None:
    context = MqttOptions(host="127.0.0.1", port=1, trust=guarded.authority).tls()
    assert context is not None
    assert context.minimum_version.name == "TLSv1_2"
    assert context.check_hostname


def test_the_password_is_in_no_repr() -> None:
    options = MqttOptions(host="127.0.0.1", port=1, user="lab", password=PASSWORD)
    assert PASSWORD not in repr(options)
