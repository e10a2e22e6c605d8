"""The pcapng file, read again by scapy: connections that are whole, and the octets that went."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from scapy.config import conf
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgReader

from emulator.conformance import built_in
from emulator.conformance.probing.record import Direction, Level
from emulator.conformance.reports import Document, Kind, to_json, write
from emulator.conformance.reports.conversations import DEVICE, TESTER
from emulator.conformance.reports.pcapng import pcapng
from emulator.conformance.running.result import RunResult, Transport


def _read(octets: bytes, folder: Path) -> list[Any]:
    path = folder / "run.pcapng"
    path.write_bytes(octets)
    with PcapNgReader(str(path)) as reader:
        return list(reader)


def _blocks(octets: bytes) -> list[tuple[int, bytes]]:
    found = []
    while octets:
        kind, length = struct.unpack_from("<II", octets)
        assert length % 4 == 0
        assert struct.unpack_from("<I", octets, length - 4) == (length,)
        found.append((kind, octets[8 : length - 4]))
        octets = octets[length:]
    return found


def _checked(packets: list[Any]) -> None:
    """Lengths and checksums are what scapy makes of the same packet without them."""
    for packet in packets:
        again = Ether(bytes(packet))
        for transport in (TCP, UDP):
            if again.haslayer(transport):
                # Whether or not somebody has bound layers to the port.
                octets = bytes(again[transport].payload)
                again[transport].remove_payload()
                again[transport].add_payload(conf.raw_layer(octets))
        for layer, names in ((IP, ("len", "chksum")), (TCP, ("chksum",)), (UDP, ("len", "chksum"))):
            if again.haslayer(layer):
                for name in names:
                    delattr(again[layer], name)
        assert bytes(again) == bytes(packet)


def _streams(packets: list[Any]) -> dict[int, dict[str, bytes]]:
    """What each side of each connection has sent, put together by sequence numbers."""
    streams: dict[int, dict[str, bytes]] = defaultdict(lambda: {TESTER: b"", DEVICE: b""})
    expected: dict[tuple[int, str], int] = {}
    for packet in packets:
        segment = packet[TCP]
        source = packet[IP].src
        caller = segment.sport if segment.sport >= 49152 else segment.dport
        other = DEVICE if source == TESTER else TESTER
        if "S" in segment.flags:
            expected[caller, source] = segment.seq + 1
            continue
        assert segment.seq == expected[caller, source]
        assert segment.ack == expected[caller, other]
        carried = bytes(segment.payload)
        streams[caller][source] += carried
        expected[caller, source] += len(carried) + ("F" in segment.flags)
    return streams


def _recorded(document: Document) -> list[tuple[bytes, bytes]]:
    """The octets of each connection, of the tester and of the device."""
    found = []
    for case in document["cases"]:
        lines: dict[int, dict[str, bytes]] = {}
        for one in case["record"]:
            went = one["level"] == Level.OCTETS.value and one["octets"]
            if went and one["direction"] != Direction.NOTE.value:
                both = lines.setdefault(one["line"], {"->": b"", "<-": b""})
                both[one["direction"]] += bytes.fromhex(one["octets"])
        found += [(both["->"], both["<-"]) for both in lines.values()]
    return found


def test_connections(rich: Document, tmp_path: Path) -> None:
    packets = _read(pcapng(rich), tmp_path)
    _checked(packets)
    streams = _streams(packets)
    assert [(one[TESTER], one[DEVICE]) for one in streams.values()] == _recorded(rich)
    assert len(streams) == 4
    assert {packet[TCP].dport for packet in packets if packet[IP].src == TESTER} == {4059}
    times = [float(packet.time) for packet in packets]
    assert times[0] == 1795863600.0
    assert times == sorted(times)


def test_comments_say_check_and_step(rich: Document, tmp_path: Path) -> None:
    packets = _read(pcapng(rich), tmp_path)
    comments = [one for packet in packets for one in packet.comments or ()]
    assert b"HDLC_FRAME_P1, step connect" in comments
    assert b"APPL_OPEN_2, step unlisted" in comments
    carrying = [packet for packet in packets if bytes(packet[TCP].payload)]
    assert all(packet.comments for packet in carrying)


def test_secrets_of_tls(rich: Document, fabricated: ModuleType) -> None:
    blocks = _blocks(pcapng(rich))
    assert [kind for kind, _ in blocks[:3]] == [0x0A0D0D0A, 1, 0x0A]
    kind, length = struct.unpack_from("<II", blocks[2][1])
    assert kind == 0x544C534B
    lines = blocks[2][1][8 : 8 + length].decode().splitlines()
    assert tuple(lines) == fabricated.KEY_LOG
    without = to_json(fabricated.run_of((), key_log=()), built_in())
    assert 0x0A not in {kind for kind, _ in _blocks(pcapng(without))}


def test_for_its_owner_alone(rich: Document, tmp_path: Path) -> None:
    path = tmp_path / "run.pcapng"
    path.write_bytes(b"before")
    path.chmod(0o644)
    write(rich, Kind.PCAPNG, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == pcapng(rich)
    assert [one.name for one in tmp_path.iterdir()] == ["run.pcapng"]


def test_datagrams(fabricated: ModuleType, tmp_path: Path) -> None:
    run = fabricated.run_of((fabricated.failed_case(),), transport=Transport.UDP, port=4060)
    packets = _read(pcapng(to_json(run, built_in())), tmp_path)
    _checked(packets)
    assert [bytes(packet[UDP].payload) for packet in packets] == [
        fabricated.WHOLE[0], fabricated.WHOLE[1], fabricated.WHOLE[6],
    ]  # fmt: skip
    assert [packet[UDP].dport for packet in packets] == [4060, 49152, 49153]


def test_a_head_end_calls(fabricated: ModuleType, tmp_path: Path) -> None:
    """Then the tester is the server."""
    run = fabricated.run_of((fabricated.failed_case(),), called=True)
    packets = _read(pcapng(to_json(run, built_in())), tmp_path)
    assert packets[0][TCP].flags == "S"
    assert packets[0][IP].src == DEVICE
    assert packets[0][TCP].dport == 4059
    _streams(packets)


def test_long_octets_are_segments(fabricated: ModuleType, tmp_path: Path) -> None:
    long = bytes(range(256)) * 20
    entry = fabricated._entry(0.0, Direction.RECEIVED, Level.OCTETS, long)
    case = fabricated.failed_case()
    made = fabricated.case(case.id, case.verdict, case.standing, record=(entry,))
    packets = _read(pcapng(to_json(fabricated.run_of((made,)), built_in())), tmp_path)
    _checked(packets)
    sizes = [len(packet[TCP].payload) for packet in packets if bytes(packet[TCP].payload)]
    assert sizes == [1460, 1460, 1460, 740]
    assert [one[DEVICE] for one in _streams(packets).values()] == [long]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pcapng")


@settings(max_examples=25)
@given(data=st.data())
def test_any_run(runs: SearchStrategy[RunResult], data: st.DataObject, folder: Path) -> None:
    document = to_json(data.draw(runs), built_in())
    packets = _read(pcapng(document), folder)
    _checked(packets)
    if document["transport"] != Transport.UDP.value and document["port"] < 49152:
        streams = _streams(packets)
        assert [(one[TESTER], one[DEVICE]) for one in streams.values()] == _recorded(document)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_what_wireshark_says(rich: Document, tmp_path: Path) -> None:
    path = tmp_path / "run.pcapng"
    write(rich, Kind.PCAPNG, path)
    command = ["tshark", "-r", str(path), "-Y", "tcp.analysis.flags || _ws.malformed"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
