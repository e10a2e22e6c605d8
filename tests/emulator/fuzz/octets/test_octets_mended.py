"""What the octet harnesses have found, and was mended, where its own code can be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.profile import ProfileError
from dlms.errors import LocalProtocolError
from dlms.framing.hdlc.parameters import Parameters, decode_parameters
from dlms.security.ops import CertificatePurpose
from emulator import toml_file
from emulator.anomaly.thresholds import ThresholdError, read_thresholds
from emulator.client import key_file
from emulator.fuzz.octets import corpus, two_parties
from emulator.fuzz.octets.corpus import CORPUS
from emulator.fuzz.scenario import reading
from emulator.fuzz.scenario.place import ScenarioError
from emulator.journal import StoreError
from emulator.keystore.importing import read_key_file
from emulator.ledger import LedgerError
from emulator.ledger.exported import ExportedLedger
from emulator.modules.authority import FleetAuthority

DEEP, LONG = "[" * 5000, "9" * 5000


def test_more_than_hdlc_has_use_for_is_encoded_as_it_was_offered() -> None:
    offered = Parameters(max_info_tx=0x2100_0000, max_info_rx=0x1_0000)
    assert decode_parameters(offered.encode()) == offered


@pytest.mark.parametrize("once", ["InvalidVersion", "UnsupportedAlgorithm"])
def test_a_request_for_a_certificate_that_cannot_be_read(once: str) -> None:
    entries = corpus.read(CORPUS, "papers.request")
    (octets,) = [one.octets for one in entries if one.once.startswith(once)]
    authority = FleetAuthority(two_parties.SECRET, two_parties.SUITE)
    with pytest.raises(ValueError, match="the request cannot be read"):
        authority.answer(octets, two_parties.SERVER, CertificatePurpose.SIGNATURE)


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
