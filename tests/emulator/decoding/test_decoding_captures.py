"""Our own captures, whole: what is in TLS, in HDLC, in a wrapper, is the same conversation."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("scapy")

from emulator.client import key_file
from emulator.decoding.captures import CaptureError, read_capture, read_key_log
from emulator.decoding.conversation import Conversation, Decoder
from emulator.decoding.flows import lines
from emulator.decoding.keys import KeyChain

FOLDER = Path(__file__).parents[3] / "fixtures" / "captures"


@pytest.fixture
def chain(tmp_path: Path) -> KeyChain:
    return KeyChain(key_file.load(private(tmp_path)))


def private(folder: Path) -> Path:
    path = folder / "keys.toml"
    path.touch(0o600)
    path.write_bytes((FOLDER / "keys.toml").read_bytes())
    return path


def _decoded(name: str, chain: KeyChain) -> list[Conversation]:
    capture = read_capture(FOLDER / name)
    assert not capture.other
    assert "secrets" not in repr(capture)
    return Decoder(chain, secrets=capture.secrets).decode(lines(capture.packets))


@pytest.mark.parametrize("name", ["wrapper.pcapng", "hdlc.pcapng", "tls.pcapng"])
def test_all_of_it_is_decoded_and_verified(name: str, chain: KeyChain) -> None:
    found = _decoded(name, chain)
    messages = [one for conversation in found for one in conversation.messages]
    assert not [one.problems for one in messages if one.problems]
    assert not [one.closed for one in messages if one.closed]
    verified = [layer for one in messages for layer in one.layers if layer.key]
    assert len(verified) > 20
    # The check reads under each protection, one of them encryption alone.
    assert {layer.verified for layer in verified} == {True, None}
    assert {layer.key for layer in verified} <= {"s1sp guek", "dco guek"}
    states = [one.state for one in messages if one.state]
    assert "associated (LN)" in states
    assert "HLS, pass 3 sent" in states
    assert states[-1] in ("released", "release requested")


@pytest.mark.parametrize("name", ["hdlc.pcapng", "tls.pcapng"])
def test_the_same_is_said_whatever_is_around_it(name: str, chain: KeyChain) -> None:
    def said(which: str) -> list[str]:
        return [
            one.says.split(" = ")[0]
            for conversation in _decoded(which, chain)
            for one in conversation.messages
            if one.layers
        ]

    assert said(name) == said("wrapper.pcapng")


def test_requests_and_responses_are_matched(chain: KeyChain) -> None:
    messages = {
        one.number: one
        for conversation in _decoded("wrapper.pcapng", chain)
        for one in conversation.messages
    }
    answered = [one for one in messages.values() if one.answers is not None]
    assert len(answered) == len(messages) // 2
    for one in answered:
        assert one.answers is not None
        asked = messages[one.answers]
        assert (asked.forward, one.forward) == (True, False)
        assert one.took is not None
        assert one.took >= 0


def test_without_keys_it_stays_closed_and_says_so() -> None:
    messages = [
        one
        for conversation in _decoded("wrapper.pcapng", KeyChain({}))
        for one in conversation.messages
    ]
    closed = [one for one in messages if one.closed]
    assert closed
    said = [" ".join(one.notes) for one in closed]
    assert all("no key for it" in one or "not verified: no key fits" in one for one in said)
    assert not [one for one in messages if one.problems]


def test_tls_without_its_secrets_says_what_else_can_be_done(chain: KeyChain) -> None:
    capture = read_capture(FOLDER / "tls.pcapng")
    for conversation in Decoder(chain).decode(lines(capture.packets)):
        assert not conversation.messages
        assert "no secrets of its session" in conversation.closed[0]
        assert "tshark" in conversation.closed[0]
        assert conversation.problems


def test_sessions_that_were_resumed(chain: KeyChain) -> None:
    """By their id and by a ticket: what is said in them is what is said in those before."""
    packets = lines(read_capture(FOLDER / "resumed.pcap").packets)
    secrets = read_key_log(FOLDER / "resumed.keylog")
    found = Decoder(chain, secrets=secrets).decode(packets)
    assert [one.closed for one in found] == [()] * 4
    told = [[one.says.split(" = ")[0] for one in conversation.messages] for conversation in found]
    assert told[0][2] == "get-request-normal 8 (Clock) 0-0:1.0.0.255 (clock) 2 (time)"
    assert told == [told[0]] * 4
    assert len(told[0]) == 6
    times = [conversation.messages[3].says for conversation in found]
    assert len(set(times)) == 4  # each has its own answer, and not another's


@pytest.mark.parametrize("resumed", [1, 3], ids=["by id", "by ticket"])
def test_a_resumed_session_needs_a_line_of_its_own(chain: KeyChain, resumed: int) -> None:
    packets = lines(read_capture(FOLDER / "resumed.pcap").packets)
    logged = read_key_log(FOLDER / "resumed.keylog")["CLIENT_RANDOM"]
    for drop in list(logged):
        kept = {random: secret for random, secret in logged.items() if random != drop}
        found = Decoder(chain, secrets={"CLIENT_RANDOM": kept}).decode(packets)
        if found[resumed].closed:
            break
    closed = [number for number, one in enumerate(found) if one.closed]
    assert closed == [resumed]
    assert "without the secret of this session" in found[resumed].closed[0]
    assert not found[resumed].messages


def test_somebody_elses_client(chain: KeyChain) -> None:
    (found,) = _decoded("gurux.pcap", chain)
    assert found.line.notes == ("6 segments were sent again",)
    says = [one.says for one in found.messages]
    assert says[2] == "get-request-normal 8 (Clock) 0-0:1.0.0.255 (clock) 2 (time)"
    assert "2026-11-28 15:29:48+00:00" in says[3]
    assert not found.problems


def test_the_same_capture_behind_its_times_and_order(chain: KeyChain) -> None:
    """Segments out of order and said again, as a network may have them."""
    capture = read_capture(FOLDER / "wrapper.pcapng")
    packets = list(capture.packets)
    before = Decoder(chain).decode(lines(packets))
    after = Decoder(chain).decode(lines([*packets[:3], *packets[:3], *packets[3:], *packets[-4:]]))
    assert [one.says for one in before[0].messages] == [one.says for one in after[0].messages]


@pytest.mark.parametrize("octets", [b"", b"\x0a\x0d\x0d\x0a", b"\xd4\xc3\xb2\xa1"])
def test_a_damaged_file(octets: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.pcap"
    path.write_bytes(octets)
    with pytest.raises(CaptureError, match="damaged"):
        read_capture(path)


def test_a_capture_that_breaks_off(chain: KeyChain, tmp_path: Path) -> None:
    path = tmp_path / "broken.pcapng"
    path.write_bytes((FOLDER / "wrapper.pcapng").read_bytes()[:4000])
    capture = read_capture(path)
    assert capture.other == {"the file breaks off in the middle of one": 1}
    found = Decoder(chain).decode(lines(capture.packets))
    assert found[0].messages


def test_a_pcap_that_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "broken.pcap"
    path.write_bytes((FOLDER / "gurux.pcap").read_bytes()[:-1])
    assert "breaks off" in str(read_capture(path).other)
