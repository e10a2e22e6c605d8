"""Opening and releasing what is never answered, or there without (GB Ed. 8, 9.4.4)."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.state import State
from dlms.axdr.data import integer, octet_string
from dlms.client.dialogue import Dialogues
from dlms.client.effects import Compute, Post
from dlms.errors import LocalProtocolError
from dlms.security.control import Protection
from dlms.security.ops import Discard
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.set import SetRequest

NAME = bytes((0, 0, 96, 1, 0, 255))
ATTRIBUTE, METHOD = AttributeDescriptor(1, NAME, 2), MethodDescriptor(3, NAME, 1)
VALUE = octet_string(b"value")
CONTEXTS = [ApplicationContext.LN, ApplicationContext.LN_CIPHERED]


class Line:
    """Takes what is posted to the server's end, which must not say a word."""

    def __init__(self, pair: Any) -> None:
        self.pair = pair
        self.dialogues = Dialogues(pair.client)
        self.posted: list[bytes] = []
        self.requests: list[Any] = []

    def hold(self, dialogue: Any) -> Any:
        given: Any = None
        try:
            while True:
                wish = dialogue.send(given)
                if isinstance(wish, Compute):
                    given = self.pair.ask(wish.step)
                    continue
                assert isinstance(wish, Post), "nothing is awaited"
                given = None
                for apdu in wish.apdus:
                    self.posted.append(apdu)
                    hit = self.pair.hit(apdu)
                    assert hit.error is None
                    assert getattr(hit.event, "reply", None) is None
                    self.requests.append(getattr(hit.event, "request", None))
        except StopIteration as stop:
            return stop.value


@pytest.fixture(params=CONTEXTS, ids=lambda context: context.name)
def quiet(request: pytest.FixtureRequest, bench: Any) -> Line:
    return Line(
        bench(
            context=request.param,
            mechanism=Mechanism.LLS,
            server={"unconfirmed": True},
            client={"confirmed": False},
        )
    )


def test_an_unconfirmed_one(quiet: Line) -> None:
    dialogues, pair = quiet.dialogues, quiet.pair
    for _ in range(2):
        quiet.hold(dialogues.open())
        assert pair.server.state is pair.client.state is State.UNCONFIRMED
        assert not pair.client.answered
        quiet.hold(dialogues.set_unconfirmed(ATTRIBUTE, VALUE))
        quiet.hold(dialogues.action_unconfirmed(METHOD, integer(0)))
        quiet.hold(dialogues.release())
        assert pair.server.state is pair.client.state is State.IDLE
        assert pair.client.conformance == Conformance(0)
    assert quiet.requests == [
        None,
        SetRequest(1, ATTRIBUTE, VALUE),
        ActionRequest(2, METHOD, integer(0)),
        None,
        None,
        SetRequest(3, ATTRIBUTE, VALUE),
        ActionRequest(4, METHOD, integer(0)),
        None,
    ]


def test_its_dedicated_key_ends_with_it(bench: Any) -> None:
    line = Line(
        bench(
            mechanism=Mechanism.LLS,
            server={"unconfirmed": True},
            client={"confirmed": False},
            dedicated=True,
        )
    )
    line.hold(line.dialogues.open())
    line.hold(line.dialogues.set_unconfirmed(ATTRIBUTE, VALUE))
    assert line.posted[-1][0] == 0xD1, "a dedicated key is in use"
    before = len([op for op in line.pair.client_module.ops if isinstance(op, Discard)])
    line.hold(line.dialogues.release())
    ops = line.pair.client_module.ops
    assert len([op for op in ops if isinstance(op, Discard)]) == before + 1


def test_hls_takes_answers(bench: Any) -> None:
    line = Line(bench(server={"unconfirmed": True}, client={"confirmed": False}))
    with pytest.raises(LocalProtocolError, match="HLS takes answers"):
        line.hold(line.dialogues.open())
    assert line.posted == []
    assert line.pair.client.state is State.IDLE


def test_what_wants_an_answer_is_not_sent(quiet: Line) -> None:
    dialogues = quiet.dialogues
    quiet.hold(dialogues.open())
    for dialogue in (
        dialogues.get(ATTRIBUTE),
        dialogues.set(ATTRIBUTE, VALUE),
        dialogues.action(METHOD, None),
    ):
        with pytest.raises(LocalProtocolError, match="no response"):
            quiet.hold(dialogue)
    assert len(quiet.posted) == 1


# Pre-established ----------------------------------------------------------------------------------


def standing(bench: Any, names: dict[str, Any], **client: Any) -> Line:
    return Line(
        bench(
            mechanism=Mechanism.NONE,
            server={"pre_established": True, "client_title": names["CLIENT_TITLE"]},
            client={"pre_established": True, **client},
        )
    )


def test_a_pre_established_one(bench: Any, names: dict[str, Any]) -> None:
    line = standing(bench, names, server_title=names["SERVER_TITLE"])
    for _ in range(2):
        line.hold(line.dialogues.open())
        line.hold(line.dialogues.set_unconfirmed(ATTRIBUTE, VALUE))
        line.hold(line.dialogues.release())
    assert len(line.posted) == 2
    assert line.pair.client.answered
    assert line.pair.client.state is State.PRE_ESTABLISHED


def test_it_needs_to_know_who_answers(bench: Any, names: dict[str, Any]) -> None:
    """No AARE says the meter's title, and nothing can be deciphered without it."""
    line = standing(bench, names)
    with pytest.raises(LocalProtocolError, match="system title is needed"):
        line.hold(line.dialogues.open())


# Broadcast ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pre_established", [True, False])
def test_a_broadcast(bench: Any, names: dict[str, Any], pre_established: bool) -> None:
    """Whoever answers is not known, and does not answer."""
    both = {"broadcast": True, "pre_established": pre_established}
    line = Line(
        bench(
            mechanism=Mechanism.NONE,
            server={
                **both,
                "unconfirmed": True,
                "policy": Protection.BOTH,
                "client_title": names["CLIENT_TITLE"],
            },
            client={**both, "confirmed": pre_established},
            keys={"gbek": names["GBEK"]},
        )
    )
    dialogues = line.dialogues
    line.hold(dialogues.open())
    assert not line.pair.client.answered
    with pytest.raises(LocalProtocolError, match="no response"):
        line.hold(dialogues.set(ATTRIBUTE, VALUE))
    line.hold(dialogues.set_unconfirmed(ATTRIBUTE, VALUE))
    line.hold(dialogues.release())
    assert SetRequest(2, ATTRIBUTE, VALUE) in line.requests
    assert [apdu[0] for apdu in line.posted] == ([0xC9] if pre_established else [0x60, 0xC9, 0x62])


def test_nothing_confirms_a_broadcast(bench: Any, names: dict[str, Any]) -> None:
    with pytest.raises(LocalProtocolError, match="nothing confirms its AARQ"):
        bench(
            mechanism=Mechanism.NONE,
            server={"broadcast": True, "unconfirmed": True},
            client={"broadcast": True},
            keys={"gbek": names["GBEK"]},
        )
