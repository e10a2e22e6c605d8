"""The client's end against a server that is slow, or wrong."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.errors import CodecError, LocalProtocolError
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.config import PrimaryConfig
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import ApduArrived, Event, LinkDown, LinkUp
from dlms.framing.hdlc.frame import Frame
from dlms.framing.hdlc.parameters import Parameters
from dlms.framing.hdlc.primary import PrimaryLink
from dlms.framing.hdlc.receiver import FrameReceiver
from dlms.framing.hdlc.state import State

CLIENT, SERVER = Address(16), Address(1)
LLC = bytes.fromhex("E6E700")


class Server:
    """Answers a client by hand."""

    def __init__(self, **config: Any) -> None:
        self.link = PrimaryLink(PrimaryConfig(client=16, server=SERVER, **config))
        self.now = 0.0

    def says(self, kind: Kind, information: bytes = b"", **how: Any) -> list[Event]:
        frame = self.frame(kind, information, **how)
        return self.link.receive(frame.encode(), self.now)

    def frame(
        self,
        kind: Kind,
        information: bytes = b"",
        *,
        ns: int = 0,
        nr: int = 0,
        poll: bool = True,
        more: bool = False,
    ) -> Frame:
        return Frame(CLIENT, SERVER, Control(kind, poll, nr, ns), information, more)

    def hears(self) -> list[Any]:
        """What the client has sent, by its control fields."""
        sent: list[Any] = FrameReceiver().receive(self.link.octets_to_send(), 0.0)
        return [frame.control for frame in sent]

    def wait(self) -> list[Event]:
        deadline = self.link.deadline()
        assert deadline is not None
        self.now = deadline
        return self.link.timeout(deadline)

    def connected(self, ua: str = "") -> Server:
        self.link.connect(self.now)
        self.says(Kind.UA, bytes.fromhex(ua))
        assert self.link.state is State.NRM
        self.link.octets_to_send()
        return self


def why(events: list[Event]) -> str:
    (event,) = events
    assert isinstance(event, LinkDown)
    return event.why


def test_a_server_that_has_nothing_to_say_is_polled_for_a_while() -> None:
    server = Server(max_polls=3, poll_interval=1.0).connected()
    server.link.send(b"ask", 0.0)
    events: list[Event] = []
    for number in range(4):
        assert len(server.hears()) == 1
        server.says(Kind.RR, nr=1)
        assert server.link.deadline() == number + 1.0
        events = server.wait()
    assert why(events) == "server has had nothing to say for too long"


def test_receiver_not_ready() -> None:
    """What a busy server has not taken waits until it is ready, or the client has waited enough."""
    server = Server(max_polls=3, retries=0).connected()
    server.link.send(b"ask", 0.0)
    assert server.hears() == [Control(Kind.I, True, 0, 0)]
    for _ in range(2):
        server.says(Kind.RNR, nr=0)
        assert server.hears() == []
        server.wait()
        assert server.hears() == [Control(Kind.RR, True, 0)]
    server.says(Kind.RR, nr=0)
    assert server.hears() == [Control(Kind.I, True, 0, 0)]
    server.says(Kind.RNR, nr=1)
    server.wait()
    for _ in range(2):
        server.says(Kind.RNR, nr=1)
        server.wait()
    server.says(Kind.RNR, nr=1)
    assert why(server.wait()) == "server has had nothing to say for too long"


def test_rej_has_the_rest_sent_again() -> None:
    server = Server(limits=Parameters(8, 128, 4, 1)).connected("818006060108080104")
    server.link.send(bytes(40), 0.0)
    assert [control.send for control in server.hears()] == [0, 1, 2, 3]
    server.says(Kind.REJ, nr=1)
    assert [control.send for control in server.hears()] == [1, 2, 3, 4]


def test_a_gap_is_asked_for_with_rej() -> None:
    server = Server(limits=Parameters(128, 128, 1, 4)).connected("818003070104")
    server.link.send(b"ask", 0.0)
    server.says(Kind.I, LLC + b"a", ns=0, nr=1, poll=False, more=True)
    server.says(Kind.I, b"c", ns=2, nr=1)
    assert server.hears()[1:] == [Control(Kind.REJ, True, 1)]
    server.says(Kind.I, b"b", ns=1, nr=1, more=True)
    assert server.hears() == [Control(Kind.RR, True, 2)]
    assert server.says(Kind.I, b"c", ns=2, nr=1) == [ApduArrived(16, 1, b"abc")]


def test_a_gap_that_stays_is_the_end() -> None:
    server = Server(limits=Parameters(128, 128, 1, 4), retries=2).connected("818003070104")
    server.link.send(b"ask", 0.0)
    server.says(Kind.I, b"c", ns=2, nr=1)
    assert server.says(Kind.I, b"c", ns=2, nr=1) == []
    assert server.says(Kind.I, b"c", ns=2, nr=1) == []
    assert why(server.says(Kind.I, b"c", ns=2, nr=1)) == "server does not go on"


def test_a_server_that_never_acknowledges() -> None:
    """It answers at once, so no time-out would end that."""
    server = Server(retries=2).connected()
    server.link.send(b"ask", 0.0)
    for _ in range(2):
        assert server.says(Kind.RR, nr=0) == []
    assert why(server.says(Kind.RR, nr=0)) == "server does not go on"


def test_segments_that_do_not_come_are_not_asked_for_all_the_time() -> None:
    server = Server().connected()
    server.link.send(b"ask", 0.0)
    server.says(Kind.I, LLC, ns=0, nr=1, more=True)
    assert server.hears()[-1] == Control(Kind.RR, True, 1)
    server.says(Kind.RR, nr=1)
    assert server.hears() == []
    assert server.link.deadline() == server.now + 0.2


def test_after_silence_the_server_is_asked_what_it_has() -> None:
    """Its N(R) says what has to be sent again; nothing is sent twice on suspicion."""
    server = Server().connected()
    server.link.send(b"ask", 0.0)
    server.hears()
    server.wait()
    assert server.hears() == [Control(Kind.RR, True, 0)]
    server.says(Kind.RR, nr=0)
    assert server.hears() == [Control(Kind.I, True, 0, 0)]


def test_frames_on_their_way_have_the_client_wait() -> None:
    server = Server(limits=Parameters(128, 128, 1, 4)).connected("818003070104")
    server.link.send(b"ask", 0.0)
    server.now = 4.0
    server.says(Kind.I, LLC + b"a", ns=0, nr=1, poll=False, more=True)
    assert server.link.deadline() == 9.0


def test_polling_once_and_until_an_apdu_comes() -> None:
    server = Server().connected()
    server.link.poll(0.0)
    assert server.hears() == [Control(Kind.RR, True, 0)]
    ui = server.frame(Kind.UI, LLC + b"alarm", poll=False).encode()
    assert server.link.receive(ui, 0.0) == [ApduArrived(16, 1, b"alarm", unnumbered=True)]
    server.says(Kind.RR)
    assert server.link.deadline() is None
    server.link.poll(0.0, answered=True)
    server.says(Kind.UI, LLC + b"alarm", poll=False)
    server.says(Kind.RR)
    assert server.link.deadline() == 0.2
    server.wait()
    assert server.says(Kind.I, LLC + b"late") == [ApduArrived(16, 1, b"late")]
    assert server.link.deadline() is None


def test_a_final_ui_frame_gives_the_line_back() -> None:
    server = Server().connected()
    server.link.poll(0.0)
    server.says(Kind.UI, LLC + b"alarm")
    assert server.link.deadline() is None


@pytest.mark.parametrize(
    ("kind", "information", "how", "reason"),
    [
        (Kind.DM, b"", {}, "disconnected"),
        (Kind.FRMR, b"\x10\x00\x01", {}, "FRMR 100001"),
        (Kind.RR, b"", {"nr": 5}, "what was not sent"),
        (Kind.I, bytes(129), {}, "than was agreed"),
        (Kind.I, b"", {"more": True}, "without end or content"),
    ],
)
def test_a_server_that_breaks_the_rules(
    kind: Kind, information: bytes, how: dict[str, Any], reason: str
) -> None:
    server = Server(limits=Parameters(256, 256)).connected()
    assert reason in why(server.says(kind, information, **how))
    assert server.link.deadline() is None
    assert server.link.state is State.NDM
    server.connected()


def test_an_apdu_without_end() -> None:
    server = Server(max_apdu=300).connected()
    server.link.send(b"ask", 0.0)
    for number in range(3):
        assert server.says(Kind.I, bytes(101), ns=number, nr=1, more=True) == []
    assert why(server.says(Kind.I, bytes(1), ns=3, nr=1)) == "server sends more than was agreed"


@pytest.mark.parametrize("information", ["8180030501FF", "818003070102", "00", "818003050101"])
def test_ua_that_exceeds_the_proposal(information: str) -> None:
    """What the server may send is ours to limit: 05 and 07 of its UA."""
    server = Server()
    server.link.connect(0.0)
    assert why(server.says(Kind.UA, bytes.fromhex(information)))


def test_ua_that_lets_us_send_more_than_we_can() -> None:
    server = Server()
    server.link.connect(0.0)
    assert server.says(Kind.UA, bytes.fromhex("8180030601FF")) == [LinkUp(16, 1, Parameters())]


def test_the_second_answer_to_a_repeated_question_is_no_answer_to_the_next() -> None:
    server = Server()
    server.link.connect(0.0)
    server.wait()
    assert [control.kind for control in server.hears()] == [Kind.SNRM, Kind.SNRM]
    assert [type(event) for event in server.says(Kind.UA)] == [LinkUp]
    server.link.send(b"ask", 0.0)
    assert server.says(Kind.UA) == []
    assert server.link.state is State.NRM


def test_what_is_for_the_llc_of_others_is_dropped() -> None:
    server = Server().connected()
    server.link.send(b"ask", 0.0)
    assert server.says(Kind.I, bytes.fromhex("E6E600") + b"x", nr=1) == []
    assert server.says(Kind.I, LLC + b"x", ns=1, nr=1) == [ApduArrived(16, 1, b"x")]


def test_a_client_asks_for_what_cannot_be() -> None:
    server = Server()
    with pytest.raises(LocalProtocolError, match="disconnected"):
        server.link.send(b"x", 0.0)
    with pytest.raises(LocalProtocolError, match="disconnected"):
        server.link.poll(0.0)
    with pytest.raises(LocalProtocolError, match="UI"):
        server.link.send_unnumbered(bytes(126))
    server.link.send_unnumbered(bytes(125))
    assert server.hears() == [Control(Kind.UI, False)]
    server.connected()
    with pytest.raises(LocalProtocolError, match="too much"):
        server.link.send(bytes(0x40000), 0.0)
    for _ in range(65):
        server.link.send(b"x", 0.0)
    with pytest.raises(LocalProtocolError, match="too much"):
        server.link.send(b"x", 0.0)
    server.link.disconnect(0.0)
    with pytest.raises(LocalProtocolError, match="DISC"):
        server.link.connect(0.0)


@pytest.mark.parametrize("limits", [Parameters(7), Parameters(128, 2031), Parameters(128, 128, 8)])
def test_limits_that_cannot_be(limits: Parameters) -> None:
    with pytest.raises(CodecError):
        Server(limits=limits)


def test_frames_for_others_are_not_ours() -> None:
    server = Server()
    server.link.connect(0.0)
    for destination, source in ((Address(17), SERVER), (CLIENT, Address(2))):
        assert server.link.receive(Frame(destination, source, Control(Kind.UA)).encode(), 0.0) == []
    assert server.link.state is State.CONNECTING


def test_a_server_does_not_command() -> None:
    server = Server().connected()
    for kind in (Kind.SNRM, Kind.DISC):
        assert server.says(kind) == []
    assert server.link.state is State.NRM


def test_a_line_that_closes() -> None:
    link = Server().connected().link
    assert (why(link.close()), link.close()) == ("line closed", [])
