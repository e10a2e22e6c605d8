"""What ``cosemlab decode`` is given: captures of strangers, dumps, and octets of any kind."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dlms.framing.wrapper import Wpdu
from emulator.client.keys import Keys
from emulator.decoding.as_json import conversation_json
from emulator.decoding.captures import CaptureError, read_capture
from emulator.decoding.conversation import Conversation, Decoder
from emulator.decoding.flows import lines
from emulator.decoding.hiding import Hider
from emulator.decoding.inputs import Given, InputError, of_octets
from emulator.decoding.keys import KeyChain
from emulator.decoding.text import View, conversation_lines
from emulator.fuzz.octets import laws, sources, words
from emulator.fuzz.octets.harness import Harness, Structure
from emulator.fuzz.octets.harnesses import hdlc_frames
from emulator.fuzz.octets.harnesses.xdlms import apdu_seeds
from emulator.fuzz.octets.on_disk import in_file

_MAGIC, _RAW_IP = 0xA1B2C3D4, 101
_KEYS = {
    "book": Keys(
        guek=bytes.fromhex("000102030405060708090A0B0C0D0E0F"),
        gak=bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"),
    )
}
"""Of the Green Book's examples, and of the vectors."""
_TITLE = bytes.fromhex("4D4D4D0000BC614E")


def _shown(given: Given) -> list[Any]:
    """All that is decoded, as text and as JSON."""
    chain = KeyChain(_KEYS)
    found: list[Conversation] = Decoder(chain, (_TITLE,), given.secrets).decode(given.lines)
    hider = Hider(chain.secrets, found)
    said: list[Any] = []
    for one in found:
        said += conversation_lines(one, View(hider, True, True))
        said.append(conversation_json(one, hider, frames=True))
    return said


def _octets(octets: bytes) -> list[Any]:
    return _shown(of_octets(octets, "octets"))


def _capture(octets: bytes) -> list[Any]:
    def read(path: Path) -> Given:
        capture = read_capture(path)
        return Given(tuple(lines(capture.packets)), capture.other, capture.secrets)

    return _shown(in_file(octets, read))


def _all_octets() -> Iterable[bytes]:
    for octets in sources.vectors("acse", "xdlms", "services", "ciphered", "gbt"):
        yield octets
        yield octets.hex().encode()
    yield from sources.vectors("hdlc", "wrapper")
    yield hdlc_frames.write_frames(list(hdlc_frames.frames()))
    some = [octets for octets, _ in zip(apdu_seeds(), range(4), strict=False)]
    yield b"\n".join(b"-> " + one.hex().encode() for one in some)
    yield b"".join(Wpdu(16, 1, one).encode() for one in some)


def _packet(tcp: bool, payload: bytes, sequence: int) -> bytes:
    """An IP packet without checksums, to the port of the wrapper."""
    if tcp:
        inner = struct.pack(">HHIIBBHHH", 40000, 4059, sequence, 0, 0x50, 0x18, 1024, 0, 0)
    else:
        inner = struct.pack(">HHHH", 40000, 4059, 8 + len(payload), 0)
    length = 20 + len(inner) + len(payload)
    head = struct.pack(">BBHHHBBH", 0x45, 0, length, 1, 0, 64, 6 if tcp else 17, 0)
    return head + b"\x0a\0\0\1\x0a\0\0\2" + inner + payload


def _pcap(packets: Iterable[bytes]) -> bytes:
    whole = struct.pack("<IHHiIII", _MAGIC, 2, 4, 0, 0, 65535, _RAW_IP)
    for number, one in enumerate(packets):
        whole += struct.pack("<IIII", number, 0, len(one), len(one)) + one
    return whole


def _captures() -> Iterable[bytes]:
    some = [Wpdu(16, 1, octets).encode() for octets in sources.vectors("acse", "ciphered")][:6]
    for tcp in (True, False):
        yield _pcap([_packet(tcp, one, 1 + 100 * at) for at, one in enumerate(some)])
        yield _pcap([_packet(tcp, one, 1) for one in some[:2]])


def _words() -> Iterable[bytes]:
    yield from words.acse()
    yield from words.security()
    yield from (b"->", b"<-", b"TX:", b"RX:", b"===", b"0x", b"\t", b"#", b"\n", b"00000010  ")


HARNESSES = (
    Harness(
        name="decoding.octets",
        takes="octets to be decoded, as they are or in hexadecimal",
        play=laws.reader(_octets, (InputError,)),
        seeds=_all_octets,
        words=_words,
        structure=Structure(read=hdlc_frames.read_frames, write=hdlc_frames.write_frames),
        is_ber=True,
        most=8192,
        work=4000,
    ),
    Harness(
        name="decoding.capture",
        takes="a capture, pcap or pcapng",
        play=laws.reader(_capture, (CaptureError,)),
        seeds=_captures,
        words=_words,
        most=8192,
        work=8000,
    ),
)
