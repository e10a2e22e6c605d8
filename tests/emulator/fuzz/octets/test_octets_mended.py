"""What the octet harnesses have found, and was mended, where its own code can be asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devices.profile import ProfileError
from dlms.errors import LocalProtocolError
from dlms.framing.hdlc.parameters import Parameters, decode_parameters
from dlms.security.ops import CertificatePurpose, VerificationFailed
from emulator import toml_file
from emulator.anomaly.thresholds import ThresholdError, read_thresholds
from emulator.client import key_file
from emulator.enrolment.key_file import KeyFile, KeyFileRefused
from emulator.fuzz.octets import corpus, two_parties
from emulator.fuzz.octets.corpus import CORPUS
from emulator.fuzz.scenario import reading
from emulator.fuzz.scenario.place import ScenarioError
from emulator.journal import StoreError
from emulator.keystore.importing import read_key_file
from emulator.ledger import LedgerError
from emulator.ledger.exported import ExportedLedger
from emulator.modules.authority import FleetAuthority
from emulator.modules.certificate_fields import load
from tls.identity import IdentityError, system_title_of

DEEP, LONG = "[" * 5000, "9" * 5000


def test_more_than_hdlc_has_use_for_is_encoded_as_it_was_offered() -> None:
    offered = Parameters(max_info_tx=0x2100_0000, max_info_rx=0x1_0000)
    assert decode_parameters(offered.encode()) == offered


@pytest.mark.parametrize("once", ["InvalidVersion", "UnsupportedAlgorithm"])
def test_a_request_for_a_certificate_that_cannot_be_read(once: str) -> None:
    octets = _once("papers.request", once)
    authority = FleetAuthority(two_parties.SECRET, two_parties.SUITE)
    with pytest.raises(ValueError, match="the request cannot be read"):
        authority.answer(octets, two_parties.SERVER, CertificatePurpose.SIGNATURE)


def _once(harness: str, kind: str) -> bytes:
    entries = corpus.read(CORPUS, harness)
    (octets,) = [one.octets for one in entries if one.once.startswith(kind)]
    return octets


@pytest.mark.parametrize("kind", ["UnsupportedGeneralNameType", "TypeError"])
def test_a_certificate_with_names_of_a_type_that_nobody_supports(kind: str) -> None:
    octets = _once("papers.certificate", kind)
    with pytest.raises(VerificationFailed, match="cannot be read"):
        load(octets)


@pytest.mark.parametrize("kind", ["UnsupportedGeneralNameType", "InvalidVersion"])
def test_whose_a_certificate_is_that_cannot_be_read(kind: str) -> None:
    with pytest.raises(IdentityError, match="cannot be read"):
        system_title_of(_once("papers.title", kind))


def test_a_strangers_certificate_says_nothing_on_our_terminal() -> None:
    # Warnings are errors in tests.
    octets = _once("papers.title", "CryptographyDeprecationWarning")
    assert system_title_of(octets) in (two_parties.CLIENT, two_parties.SERVER)


def test_nothing_is_nothing_to_protect() -> None:
    line = two_parties.line()
    with pytest.raises(LocalProtocolError, match="nothing to protect"):
        two_parties.said(line, two_parties.SHAPES[0], b"")
    guek = line.client.security.guek
    assert guek is not None
    assert line.client.security.counters.next_to_send(guek) == 0


@pytest.mark.parametrize("value", [DEEP, LONG])
def test_toml_that_is_too_deep_or_too_long(tmp_path: Path, value: str) -> None:
    with pytest.raises(ProfileError, match=r"f\.toml"):
        toml_file.parse(f"a = {value}", "f.toml")
    with pytest.raises(ThresholdError, match="no TOML"):
        read_thresholds(f"a = {value}")
    path = tmp_path / "keys.toml"
    path.write_text(f"a = {value}")
    path.chmod(0o600)
    with pytest.raises(ProfileError, match="cannot be read as TOML") as caught:
        key_file.load(path)
    assert value[:20] not in str(caught.value)


def test_json_that_is_too_deep(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text(DEEP)
    with pytest.raises(ScenarioError, match="no JSON"):
        reading.read(path)
    with pytest.raises(LedgerError, match="no JSON"):
        ExportedLedger(path)
    with pytest.raises(StoreError, match="no JSON"):
        read_key_file(path, ("dco",))


def test_a_key_of_a_supplier_that_is_of_no_kind_at_all() -> None:
    row = {"holder": "00" * 8, "scope": "dco", "kind": [], "version": 1, "wrapped": "00" * 24}
    with pytest.raises(KeyFileRefused, match="no such kind of key"):
        KeyFile.from_text(json.dumps({"kek": "transport", "keys": [row]}))


@pytest.mark.parametrize(
    "plain",
    [
        {"get": [84467, "1.8.0", 2]}, {"get": [3, "1.8.0", 294]}, {"get": [-1, "1.8.0", 2]},
        {"set": [[3, "1.8.0", 2]]}, {"act": []}, {"act": [[3, "1.8.0", 1], {"unsigned": 1}, 2]},
    ],
)  # fmt: skip
def test_a_plain_apdu_that_cannot_be(plain: object) -> None:
    step = {"do": "send", "client": "dco", "plain": plain}
    one = {"name": "X", "title": "x", "steps": [step]}
    whole = {"format": reading.FORMAT, "version": reading.VERSION, "scenarios": [one]}
    with pytest.raises(ScenarioError, match="plain"):
        reading.parse(whole)
