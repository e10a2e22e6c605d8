"""What scapy itself does with the layers: streams, ports, keys, lists of layers."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.wrapper import Wpdu as CoreWpdu
from emulator import scapy_layers
from emulator.client.keys import Keys
from emulator.decoding.quiet import quiet
from emulator.scapy_layers import (
    AARQ,
    Apdu,
    CosemData,
    GetRequestNormal,
    GetResponseNormal,
    HdlcFrame,
    HdlcOverTcp,
    HdlcSegment,
    InformationControl,
    ServiceCiphered,
    SupervisoryControl,
    TypeDescription,
    UnnumberedControl,
    Wpdu,
    bind_hdlc,
    use_keys,
)

with quiet():
    from scapy.config import conf
    from scapy.error import Scapy_Exception
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.packet import Packet, Raw, explore, ls
    from scapy.sessions import TCPSession
    from scapy.supersocket import StreamSocket

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"
GET = bytes(GetRequestNormal())
TITLE = bytes.fromhex("4D4D4D0000BC614E")
KEYS = {"the": Keys(guek=bytes(range(16)), gak=bytes(range(16, 32)))}


def _tcp(octets: bytes, sequence: int, port: int = 4059) -> Packet:
    segment = IP(src="192.0.2.1", dst="192.0.2.2") / TCP(sport=50000, dport=port, seq=sequence)
    return IP(bytes(segment / Raw(octets)))


def _wpdus(packets: list[Packet]) -> list[bytes]:
    session = TCPSession()
    found = []
    for packet in packets:
        done = session.process(packet)
        while done is not None and (done := done.getlayer(Wpdu)) is not None:
            found.append(bytes(done)[: 8 + done.length])
            done = done.payload.getlayer(Wpdu) and done.payload
    return found


def test_reassembly_over_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "debug_dissector", False)  # a segment by itself is no whole WPDU
    stream = CoreWpdu(16, 1, GET).encode() * 3
    for size in (1, 5, 20, 30, 100):
        parts = [_tcp(stream[at : at + size], 1 + at) for at in range(0, len(stream), size)]
        assert _wpdus(parts) == [CoreWpdu(16, 1, GET).encode()] * 3


def test_ports_of_tcp_and_udp() -> None:
    wpdu = CoreWpdu(16, 1, GET).encode()
    assert _tcp(wpdu, 1).haslayer(GetRequestNormal)
    datagram = IP(bytes(IP(src="192.0.2.1", dst="192.0.2.2") / UDP(dport=4059) / Raw(wpdu)))
    assert datagram[GetRequestNormal].attribute.class_id == 8
    assert not _tcp(wpdu, 1, 4060).haslayer(Wpdu)


def test_hdlc_on_a_port_of_ones_own() -> None:
    frame = bytes(HdlcFrame())
    assert not _tcp(frame, 1, 4061).haslayer(HdlcOverTcp)
    bind_hdlc(4061)
    assert _tcp(frame, 1, 4061)[HdlcOverTcp].control.kind == Kind.SNRM | 0x10


def test_a_socket() -> None:
    near, far = socket.socketpair()
    with near, far:
        stream = StreamSocket(near, Wpdu)
        far.sendall(bytes(Wpdu() / GetRequestNormal()))
        assert stream.recv()[GetRequestNormal].choice == 1


def test_a_whole_capture_and_its_keys(tmp_path: Path) -> None:
    from emulator.decoding.captures import read_capture

    path = tmp_path / "keys.toml"
    path.touch(0o600)
    path.write_bytes((CAPTURES / "keys.toml").read_bytes())
    use_keys(path)
    verified = 0
    for packet in read_capture(CAPTURES / "wrapper.pcapng").packets:
        if packet.payload:
            layer = Wpdu(packet.payload)
            ciphered = layer.getlayer(ServiceCiphered)
            verified += ciphered is not None and bool(ciphered.opened().verified)
    assert verified > 20


def test_titles_are_learned_from_what_is_dissected() -> None:
    use_keys(KEYS, [TITLE])
    sealed = bytes(ServiceCiphered(invocation_counter=7) / GetRequestNormal())
    use_keys(KEYS)
    assert not Apdu(sealed).haslayer(GetRequestNormal)
    Apdu(bytes(AARQ(calling_ap_title=TITLE)))
    assert Apdu(sealed).haslayer(GetRequestNormal)


def test_sealing_needs_a_key() -> None:
    layer = ServiceCiphered(invocation_counter=7) / GetRequestNormal()
    with pytest.raises(Scapy_Exception, match="no key, or no system title"):
        bytes(layer)
    clear = ServiceCiphered(encrypted=0, authenticated=0) / GetRequestNormal()
    assert bytes(clear).endswith(GET)


@pytest.mark.parametrize("octet", range(256))
def test_control_fields(octet: int) -> None:
    frame = HdlcFrame(control=HdlcFrame().control.__class__(bytes((octet,))))
    assert bytes(HdlcFrame(bytes(frame)).control) == bytes((octet,))


@pytest.mark.parametrize("kind", list(Kind))
def test_control_fields_by_kind(kind: Kind) -> None:
    octet = Control(kind, True, 5, 3).encode()
    found = HdlcFrame(bytes(HdlcFrame(control=Raw(bytes((octet,)))))).control
    if kind is Kind.I:
        assert isinstance(found, InformationControl)
        assert (found.receive, found.send, found.poll) == (5, 3, 1)
    elif kind.is_supervisory:
        assert isinstance(found, SupervisoryControl)
        assert (found.receive, found.kind) == (5, kind)
    else:
        assert isinstance(found, UnnumberedControl)
        assert found.sprintf("%kind%") == f"{kind.name} P/F"


def test_a_length_and_a_check_sequence_that_are_wrong_stay() -> None:
    frame = HdlcFrame(bytes(HdlcFrame(fcs=b"\x00\x00", information=HdlcSegment(octets=b"abc"))))
    assert frame.fcs == b"\x00\x00"
    assert not frame.right
    wpdu = Wpdu(length=3) / GetRequestNormal()
    assert bytes(wpdu)[6:8] == b"\x00\x03"
    data = CosemData(type="octet-string", value=b"abc", length=200)
    assert bytes(data).hex() == "0981c8616263"


def test_compact_arrays_are_built_from_elements() -> None:
    row = TypeDescription(
        type="structure", elements=[TypeDescription(type=17), TypeDescription(type=18)]
    )
    rows = [
        CosemData(type=2, elements=[CosemData(type=17, value=n), CosemData(type=18, value=n)])
        for n in (1, 2)
    ]
    built = bytes(CosemData(type="compact-array", description=row, contents=rows))
    assert built.hex() == "1302021112" + "06" + "010001" + "020002"
    assert [one.elements[1].value for one in CosemData(built).contents] == [1, 2]


def test_deep_nesting_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "debug_dissector", False)
    octets = b"\x02\x01" * 3000 + b"\x00"
    assert bytes(CosemData(octets)) == octets


def test_scapys_own_lists(capsys: pytest.CaptureFixture[str]) -> None:
    explore(scapy_layers.NAME)
    listed = capsys.readouterr().out
    for name in ("Wpdu", "HdlcFrame", "AARQ", "GetRequestNormal", "GeneralSigning", "CosemData"):
        assert name in listed
    ls(GetResponseNormal)
    assert "service_class" in capsys.readouterr().out
    Apdu(GET).show2()
    assert "class_id  = Clock" in capsys.readouterr().out


def test_it_is_quiet() -> None:
    code = "from emulator.scapy_layers import *; print(len(Wpdu()))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("8\n", "")
