"""Octets however they are written."""

from __future__ import annotations

import pytest

from dlms.framing.wrapper import Wpdu
from emulator.decoding.frames import units
from emulator.decoding.inputs import InputError, of_octets, of_text

GET = "C001C100080000010000FF0200"
GOT = "C401C1000600000001"
WPDU = Wpdu(16, 1, bytes.fromhex(GET)).encode()


def _apdus(text: str) -> list[tuple[str, bool | None]]:
    (line,) = of_text(text, "given").lines
    return [(one.apdu.hex().upper(), one.forward) for one in units(line)]


@pytest.mark.parametrize(
    "text",
    [
        GET,
        GET.lower(),
        " ".join(GET[at : at + 2] for at in range(0, len(GET), 2)),
        ":".join(GET[at : at + 2] for at in range(0, len(GET), 2)),
        ", ".join(f"0x{GET[at : at + 2]}" for at in range(0, len(GET), 2)),
        f"# a comment\n\n{GET}  # and another\n",
        f"{GET[:10]}\n{GET[10:]}",
        "0000: c001 c100 0800 0001 0000 ff02 00         ................",
        "00000000  c0 01 c1 00 08 00 00 01  00 00 ff 02 00           |.............|",
        f"0000  {' '.join(GET[at : at + 2] for at in range(0, len(GET), 2))}   ...",
    ],
)
def test_one_apdu(text: str) -> None:
    assert _apdus(text) == [(GET, None)]


@pytest.mark.parametrize(
    "text",
    [
        f"-> {GET}\n<- {GOT}",
        f"2026-11-28 15:00:01 TX: {GET}\n2026-11-28 15:00:02 RX: {GOT}",
        f"secure  127.0.0.1:4059  public  ->  {GET}  GetRequest(invoke=193)\n"
        f"secure  127.0.0.1:4059  public  <-  {GOT}  GetResponse(invoke=193)",
    ],
)
def test_directions(text: str) -> None:
    assert _apdus(text) == [(GET, True), (GOT, False)]


def test_what_tshark_follows() -> None:
    back = Wpdu(1, 16, bytes.fromhex(GOT)).encode()
    text = (
        "\n===================\nFollow: tls,raw\nFilter: tcp.stream eq 0\nNode 0: a\nNode 1: b\n"
        f"{WPDU.hex()}\n\t{back.hex()}\n===================\n"
    )
    assert _apdus(text) == [(GET, True), (GOT, False)]


def test_raw_octets_and_streams_in_pieces() -> None:
    (line,) = of_octets(WPDU * 2, "given").lines
    assert [one.apdu.hex().upper() for one in units(line)] == [GET, GET]
    assert _apdus(f"{WPDU.hex()[:10]}\n{WPDU.hex()[10:]}") == [(GET, None)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("C001G1", "given, line 1: 'G' is no hexadecimal digit"),
        ("C0\nC0C", "given, line 2: 3 digits are no whole octets"),
        ("# nothing\n", "given: nothing is in it"),
    ],
)
def test_what_is_none(text: str, why: str) -> None:
    with pytest.raises(InputError) as error:
        of_text(text, "given")
    assert str(error.value) == why
