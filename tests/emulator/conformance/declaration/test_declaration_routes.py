"""From a declaration to a route: what goes wrong names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.profile import ProfileError
from dlms.framing.hdlc.parameters import Parameters
from emulator.conformance.declaration.model import DeclaredHdlc, DeclaredWay, Timing, WayKind
from emulator.conformance.declaration.of_profile import TlsFiles
from emulator.conformance.declaration.routes import link, route

HDLC = DeclaredHdlc(
    address=2, physical=17, transmit=64, receive=200, window_transmit=2, window_receive=3
)


def tls(files: TlsFiles) -> DeclaredWay:
    return DeclaredWay(kind=WayKind.TLS, host="127.0.0.1", port=4060, **files._asdict())


def refused(files: TlsFiles) -> str:
    with pytest.raises(ProfileError) as caught:
        route(tls(files), DeclaredHdlc(), Timing())
    return str(caught.value)


def test_a_link_is_seen_from_the_other_side() -> None:
    found = link(WayKind.SERIAL, HDLC, Timing(answer=3.0))
    assert found.limits == Parameters(200, 64, 3, 2)
    assert (found.physical, found.octets) == (17, 2)
    assert (found.response_timeout, found.inter_octet_timeout) == (3.0, 0.025)
    assert link(WayKind.HDLC, HDLC, Timing()).inter_octet_timeout == 1.0


@pytest.mark.parametrize(
    ("way", "port", "hdlc", "udp", "optical"),
    [
        (DeclaredWay(kind=WayKind.TCP, host="h", port=1), 1, False, False, False),
        (DeclaredWay(kind=WayKind.UDP, host="h", port=1), 1, False, True, False),
        (DeclaredWay(kind=WayKind.HDLC, host="h", port=1), 1, True, False, False),
        (DeclaredWay(kind=WayKind.SERIAL, host="/dev/x", baud=300), None, True, False, False),
        (DeclaredWay(kind=WayKind.OPTICAL, host="/dev/x"), None, True, False, True),
    ],
)
def test_ways(way: DeclaredWay, port: int | None, hdlc: bool, udp: bool, optical: bool) -> None:
    found = route(way, HDLC, Timing())
    assert (found.host, found.port) == (way.host, port)
    assert (found.hdlc is not None, found.udp, found.optical) == (hdlc, udp, optical)
    assert found.tls is None
    assert found.baud == way.baud


def test_any_title_is_accepted(tester_files: TlsFiles) -> None:
    found = route(tls(tester_files), DeclaredHdlc(), Timing())
    assert found.tls is not None
    assert found.accept(None)
    assert found.accept(b"12345678")


def test_keylog(tester_files: TlsFiles, tmp_path: Path) -> None:
    log = tmp_path / "keys.log"
    route(tls(tester_files), DeclaredHdlc(), Timing(), keylog=log)
    assert log.exists()


@pytest.mark.parametrize("name", TlsFiles._fields)
def test_a_file_that_is_not_there(tester_files: TlsFiles, name: str) -> None:
    text = refused(tester_files._replace(**{name: "/nowhere/x.pem"}))
    assert text == f"/nowhere/x.pem: cannot be read, {name} of TLS: No such file or directory"


@pytest.mark.parametrize("name", TlsFiles._fields)
def test_a_file_that_is_no_pem(tester_files: TlsFiles, tmp_path: Path, name: str) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")
    wrong.chmod(0o600)
    text = refused(tester_files._replace(**{name: str(wrong)}))
    assert str(wrong) in text
    assert "is not fit for TLS" in text


def test_an_authority_that_is_not_text(tester_files: TlsFiles, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.der"
    wrong.write_bytes(b"\xff\xfe")
    assert str(wrong) in refused(tester_files._replace(ca=str(wrong)))


def test_a_key_that_others_can_read(tester_files: TlsFiles) -> None:
    Path(tester_files.key).chmod(0o644)
    with pytest.raises(PermissionError, match=r"tester.key has mode 0644"):
        route(tls(tester_files), DeclaredHdlc(), Timing())


def test_a_key_of_somebody_else(tester_files: TlsFiles, other_pki: object, tmp_path: Path) -> None:
    other = other_pki.issue_client(b"OTH\0\0\0\0\1", "other")  # type: ignore[attr-defined]
    other.save(tmp_path / "other", "other")
    text = refused(tester_files._replace(key=str(tmp_path / "other" / "other.key")))
    assert text.startswith(f"{tester_files.certificate} with {tmp_path}/other/other.key: ")
    assert "mismatch" in text
