"""Certificates as the ``openssl`` program judges them, and keys on disk."""

from __future__ import annotations

import stat
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tls.certificates import load_authority, make_authority
from tls.credentials import Credential, Validity
from tls.pki import NO_EXPIRY, TestPki

DEVICE_TITLE = b"LAB\x00\x00\x00\x00\x01"
OPENSSL = "/usr/bin/openssl"


def _openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([OPENSSL, *arguments], capture_output=True, text=True, check=False)


def _verify(
    pki: TestPki, credential: Credential, directory: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    directory.joinpath("root.pem").write_bytes(pki.root.certificate_pem)
    directory.joinpath("chain.pem").write_bytes(credential.chain_pem)
    files = ("-CAfile", str(directory / "root.pem"), "-untrusted", str(directory / "chain.pem"))
    return _openssl("verify", "-x509_strict", *files, *options, str(directory / "chain.pem"))


def test_device_certificate_holds_up_strictly(
    pki: TestPki, device: Credential, tmp_path: Path
) -> None:
    result = _verify(pki, device, tmp_path, "-purpose", "sslserver")
    assert result.returncode == 0, result.stderr
    assert _verify(pki, device, tmp_path, "-purpose", "sslclient").returncode != 0


def test_client_certificate_holds_up_strictly(
    pki: TestPki, client: Credential, tmp_path: Path
) -> None:
    result = _verify(pki, client, tmp_path, "-purpose", "sslclient")
    assert result.returncode == 0, result.stderr
    assert _verify(pki, client, tmp_path, "-purpose", "sslserver").returncode != 0


def test_revocation_list_is_the_issuers(
    pki: TestPki, device: Credential, client: Credential, tmp_path: Path
) -> None:
    crl = tmp_path / "crl.pem"
    crl.write_bytes(pki.issue_crl([client], number=7))
    check = ("-crl_check", "-CRLfile", str(crl))
    assert _verify(pki, device, tmp_path, *check).returncode == 0
    assert "certificate revoked" in _verify(pki, client, tmp_path, *check).stderr
    number = x509.load_pem_x509_crl(crl.read_bytes()).extensions.get_extension_for_class(
        x509.CRLNumber
    )
    assert number.value.crl_number == 7


def test_no_authority_below_the_issuing_one(pki: TestPki, tmp_path: Path, now: datetime) -> None:
    validity = Validity(not_before=now, not_after=now + timedelta(days=1))
    third = make_authority("third", validity, path_length=0, issuer=pki.issuing)
    leaf = replace(pki, issuing=third).issue_device(DEVICE_TITLE)
    long = Credential(
        chain_pem=leaf.chain_pem + pki.issuing.certificate_pem,
        private_key_pem=leaf.private_key_pem,
    )
    assert "path length constraint" in _verify(pki, long, tmp_path).stderr


def test_fields_of_a_device_certificate(device: Credential) -> None:
    leaf = device.leaf
    assert device.system_title == DEVICE_TITLE
    assert leaf.subject.rfc4514_string() == "CN=4C41420000000001"
    assert leaf.not_valid_after_utc == NO_EXPIRY
    assert leaf.signature_algorithm_oid.dotted_string == "1.2.840.10045.4.3.2"
    key = leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.key_agreement
    assert not usage.value.key_cert_sign
    assert not usage.value.key_encipherment
    constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    assert not constraints.value.ca


def test_no_expiry_is_written_as_the_standard_says(device: Credential) -> None:
    # RFC 5280, 4.1.2.5: GeneralizedTime, tag 18.
    assert b"\x18\x0f99991231235959Z" in device.leaf.tbs_certificate_bytes


def test_validity_must_make_sense() -> None:
    aware = datetime(2024, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="before it begins"):
        Validity(not_before=aware, not_after=aware - timedelta(seconds=1))
    with pytest.raises(ValueError, match="time zone"):
        Validity(not_before=aware.replace(tzinfo=None), not_after=aware)


def test_repr_shows_no_key(pki: TestPki, device: Credential) -> None:
    for shown in (repr(device), repr(pki), repr(pki.issuing)):
        assert "PRIVATE" not in shown
        assert "private" not in shown
        assert "key" not in shown


def test_pki_saved_and_loaded(pki: TestPki, tmp_path: Path, now: datetime) -> None:
    directory = tmp_path / "deep" / "pki"
    pki.save(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes["root.key"] == modes["issuing.key"] == 0o600
    assert sorted(modes) == ["issuing.key", "issuing.pem", "root.key", "root.pem"]
    loaded = TestPki.load(directory)
    assert loaded.created == now.replace(microsecond=0)
    later = loaded.issue_device(DEVICE_TITLE)
    assert _verify(pki, later, tmp_path).returncode == 0
    with pytest.raises(FileExistsError):
        pki.save(directory)


def test_credential_saved_and_loaded(device: Credential, tmp_path: Path) -> None:
    directory = tmp_path / "device"
    device.save(directory, "meter")
    assert stat.S_IMODE((directory / "meter.key").stat().st_mode) == 0o600
    assert Credential.load(directory, "meter") == device
    (directory / "meter.key").chmod(0o640)
    with pytest.raises(PermissionError, match="0640"):
        Credential.load(directory, "meter")


def test_keys_go_to_no_directory_that_others_see(device: Credential, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(PermissionError, match="0755"):
        device.save(tmp_path, "meter")
    assert list(tmp_path.iterdir()) == []


def test_authority_with_the_wrong_key_is_refused(pki: TestPki, device: Credential) -> None:
    with pytest.raises(ValueError, match="does not belong"):
        load_authority(pki.root.certificate_pem, pki.issuing.key_pem)


def test_authority_with_a_key_of_another_kind_is_refused(pki: TestPki) -> None:
    pem = _openssl("genpkey", "-algorithm", "ed25519").stdout.encode()
    assert load_pem_private_key(pem, password=None)
    with pytest.raises(ValueError, match="not an elliptic curve key"):
        load_authority(pki.root.certificate_pem, pem)
