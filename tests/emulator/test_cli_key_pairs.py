"""``cosemlab keys`` of suites 1 and 2: what it prints is all that a client of one's own needs."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from dlms.xdlms.conformance import Conformance
from emulator.cli.main import main
from emulator.client import Keys, by_entity, connect, connect_blocking
from tls.identity import system_title_of

PATIENCE = 120.0
PAIRS = {
    f"{party}_{purpose}_{what}"
    for party in ("client", "meter")
    for purpose in ("signing", "agreement")
    for what in ("public", "certificate")
} | {"authority_certificate", "signing_key", "agreement_key"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox with the laboratory meter, as a process of its own."""
    path = tmp_path_factory.mktemp("pairs") / "workspace"
    command = [sys.executable, "-m", "emulator.cli.main", "up", "laboratory", "--json"]
    with subprocess.Popen(
        [*command, "--workspace", str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "}\n":
                break
        yield path
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


@pytest.fixture
def shown(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def show(association: str) -> Any:
        at = ["--workspace", str(workspace), "--json"]
        assert main(["keys", "laboratory", association, *at]) == 0
        return json.loads(capsys.readouterr().out)

    return show


async def agree(workspace: Path, shown: dict[str, Any], suite: int) -> bytes:
    """Agree a key and read, with what was printed and nothing else."""
    (row,) = json.loads((workspace / "sandbox.json").read_text())["meters"]

    def octets(name: str) -> bytes:
        return bytes.fromhex(shown[name])

    keys = Keys(
        guek=octets("guek"),
        gak=octets("gak"),
        kek=octets("kek"),
        signing_key=octets("signing_key"),
        peer_public=octets("meter_signing_public"),
        agreement_key=octets("agreement_key"),
        peer_agreement_public=octets("meter_agreement_public"),
    )
    title = octets("server_system_title")
    async with (
        connect(row["host"], row["plain_port"], timeout=PATIENCE) as client,
        client.associate(
            client_sap=shown["client_sap"],
            mechanism=shown["mechanism"],
            suite=suite,
            keys=keys,
            own_title=octets("client_system_title"),
            server_title=title,
            counter_from=shown["invocation_counter_object"],
        ) as a,
    ):
        number = shown["invocation_counter_object"].split(".")[2]
        setup = a.security_setup(f"0-0:43.0.{number}.255")
        await setup.agree_keys("gbek")
        certificate: bytes = await setup.export_certificate(by_entity("server", "signature", title))
        return certificate


@pytest.mark.parametrize(("association", "suite"), [("suite1", 1), ("ecdsa2", 2)])
def test_what_is_printed_is_enough(
    association: str, suite: int, workspace: Path, shown: Any
) -> None:
    printed = shown(association)
    exported = asyncio.run(agree(workspace, printed, suite))
    theirs = x509.load_der_x509_certificate(exported)
    ours = x509.load_der_x509_certificate(bytes.fromhex(printed["meter_signing_certificate"]))
    assert theirs.public_key() == ours.public_key()
    assert (theirs.serial_number, theirs.issuer) == (ours.serial_number, ours.issuer)
    root = x509.load_der_x509_certificate(bytes.fromhex(printed["authority_certificate"]))
    theirs.verify_directly_issued_by(root)


def test_the_parts_belong_together(shown: Any) -> None:
    printed = shown("suite1")
    assert printed.keys() > PAIRS
    for party, title in (("client", "client_system_title"), ("meter", "server_system_title")):
        for purpose in ("signing", "agreement"):
            der = bytes.fromhex(printed[f"{party}_{purpose}_certificate"])
            key = x509.load_der_x509_certificate(der).public_key()
            assert isinstance(key, ec.EllipticCurvePublicKey)
            numbers = key.public_numbers()
            public = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
            assert public.hex().upper() == printed[f"{party}_{purpose}_public"]
            assert system_title_of(der).hex().upper() == printed[title]
    for purpose in ("signing", "agreement"):
        scalar = int(printed[f"{purpose}_key"], 16)
        numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
        assert printed[f"client_{purpose}_public"].startswith(f"{numbers.x:064X}")


@pytest.mark.parametrize("association", ["sha256", "dco", "reader"])
def test_there_are_none_in_suite_0(association: str, shown: Any) -> None:
    assert PAIRS.isdisjoint(shown(association))


def test_for_people(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "laboratory", "suite1", "--workspace", str(workspace)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = (line for line in lines if line.startswith("signing key"))
    assert re.fullmatch(r"signing key +[0-9A-F]{64}", line)


def test_a_broadcast_by_what_is_printed(workspace: Path, shown: Any) -> None:
    """The meter knows who says so: its title is registered, for no AARQ tells it."""
    printed = shown("broadcast")
    assert "guek" not in printed
    entry = json.loads((workspace / "sandbox.json").read_text())["meters"][0]
    reader = shown("reader")
    with connect_blocking(entry["host"], entry["plain_port"], timeout=PATIENCE) as client:
        with client.associate(
            client_sap=printed["client_sap"],
            keys=Keys(gbek=bytes.fromhex(printed["gbek"]), gak=bytes.fromhex(printed["gak"])),
            own_title=bytes.fromhex(printed["client_system_title"]),
            pre_established=True,
            broadcast=True,
            conformance=Conformance.SET,
            counter_from=printed["invocation_counter_object"],
        ) as to_all:
            there = dt.datetime(2001, 2, 3, tzinfo=dt.UTC)
            to_all.set("clock", 2, there, confirmed=False)
        with client.associate(
            client_sap=reader["client_sap"],
            mechanism="lls",
            keys=Keys(password=reader["password"].encode()),
        ) as a:
            shown_there = a.get("clock")
    assert (shown_there.year, shown_there.month, shown_there.day) == (2001, 2, 3)
