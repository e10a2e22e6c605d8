"""What a meter says unasked, as the client's dialogues take it: between answers, and awaited."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import NotificationConfirmed, NotificationReceived
from dlms.axdr.data import octet_string, unsigned
from dlms.client.dialogue import Dialogues
from dlms.client.effects import Compute, Glance, Post, Transmit
from dlms.client.notices import MAX_BETWEEN, MAX_KEPT, Notices
from dlms.errors import RemoteProtocolError
from dlms.security.control import Protection
from dlms.security.drive import run
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification, DataNotificationConfirm
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.get import GetResponse
from dlms.xdlms.long_invoke import CONFIRMED

CLOCK = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
ALARM = EventNotification(CLOCK, unsigned(7))
TOLD = Conformance.GET | Conformance.GENERAL_PROTECTION
TOLD |= Conformance.DATA_NOTIFICATION | Conformance.EVENT_NOTIFICATION
PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}
ANSWER = octet_string(b"answer")


def news(number: int) -> DataNotification:
    return DataNotification(number, unsigned(number))


class Talk:
    """The client's dialogues with a meter that says what a test has it say.

    ``here`` are APDUs that have come and were not taken; those of ``line`` come with the next one
    that is awaited.
    """

    def __init__(self, pair: Any) -> None:
        self.pair = pair
        self.dialogues = Dialogues(pair.client)
        self.here: list[bytes] = []
        self.posted: list[bytes] = []
        self.gone = False

    def tell(self, *what: Any) -> None:
        self.here += [self.pair.serve(self.pair.server.notify(one)) for one in what]

    def hold(self, dialogue: Any, say: Iterable[Any] = ()) -> Any:
        """Carry ``dialogue`` out. ``say`` is what the meter says before it answers the request."""
        given: Any = None
        try:
            while True:
                wish = dialogue.send(given)
                match wish:
                    case Compute(step):
                        given = run(step, self.pair.client_module.execute)
                    case Transmit(apdus):
                        for apdu in apdus:
                            request = self.pair.hit(apdu).event.request
                            self.tell(*say)
                            response = GetResponse(request.invoke, ANSWER)
                            self.here.append(self.pair.serve(self.pair.server.send(response)))
                        given = self.here.pop(0)
                    case Glance():
                        given = self.here.pop(0) if self.here else None
                    case Post(apdus):
                        if self.gone:
                            dialogue.throw(ConnectionError("the meter is gone"))
                        self.posted += apdus
                        given = None
        except StopIteration as stop:
            return stop.value

    def get(self, *say: Any) -> Any:
        return self.hold(self.dialogues.get(CLOCK), say)

    def overheard(self) -> Any:
        return self.hold(self.dialogues.overheard())


@pytest.fixture
def talk(bench: Any) -> Any:
    def make(
        client: dict[str, Any] | None = None, server: dict[str, Any] | None = None, **kind: Any
    ) -> Talk:
        default = {} if kind else {"policy": Protection.BOTH}
        pair = bench(
            client={"conformance": TOLD, **(client or {})},
            server={"conformance": TOLD, **default, **(server or {})},
            **kind,
        )
        return Talk(pair.connect())

    return make


@pytest.mark.parametrize("kind", [PLAIN, {}], ids=["plain", "ciphered"])
def test_between_a_request_and_its_response(talk: Any, kind: dict[str, Any]) -> None:
    """X_CLI_PUSH_MIX: set aside, in their order, and the answer is the answer."""
    meter = talk(**kind)
    assert meter.get(news(1), ALARM) == ANSWER
    assert [meter.overheard() for _ in range(3)] == [news(1), ALARM, None]
    assert meter.get() == ANSWER


def test_at_any_time(talk: Any) -> None:
    meter = talk()
    assert meter.overheard() is None
    meter.tell(ALARM)
    # What was set aside is older than what has come since.
    assert meter.hold(meter.dialogues.get(CLOCK), [news(1)]) == ANSWER
    meter.tell(news(2))
    assert [meter.overheard() for _ in range(4)] == [ALARM, news(1), news(2), None]


def test_a_flood_instead_of_an_answer(talk: Any) -> None:
    meter = talk()
    assert meter.get(*map(news, range(MAX_BETWEEN))) == ANSWER
    assert meter.get(*map(news, range(MAX_BETWEEN))) == ANSWER  # counted anew
    with pytest.raises(RemoteProtocolError, match="notifications instead of") as caught:
        meter.get(*map(news, range(MAX_BETWEEN + 1)))
    assert caught.value.reason == "notification-flood"


def came(what: Any) -> Any:
    """A step that needs no cryptography."""
    return NotificationReceived(what)
    yield


def test_what_nobody_asks_about_gives_way() -> None:
    notices = Notices()
    for number in range(MAX_KEPT + 2):
        notices.begin()
        with pytest.raises(StopIteration):
            next(notices.hear(came(news(number))))
    assert notices.dropped == 2
    kept = [notices.next() for _ in range(MAX_KEPT)]
    assert kept == [news(number) for number in range(2, MAX_KEPT + 2)]
    assert notices.next() is None


def test_an_answer_to_nothing(talk: Any) -> None:
    meter = talk(**PLAIN)
    meter.here.append(GetResponse(0x41, ANSWER).encode())
    with pytest.raises(RemoteProtocolError):
        meter.overheard()


def test_an_exception_to_nothing(talk: Any) -> None:
    meter = talk(**PLAIN)
    meter.here.append(bytes.fromhex("D80202"))
    with pytest.raises(RemoteProtocolError, match="an answer to nothing"):
        meter.overheard()


def sealed_by_hand(names: dict[str, Any], apdu: bytes, ek: bytes | None = None) -> bytes:
    """general-glo-ciphering, made here: AES-GCM with a tag of 12 octets (GB Ed. 8, 9.2.7.2)."""
    keys, title = names["KEY_OCTETS"], names["SERVER_TITLE"]
    header = bytes.fromhex("3000001000")
    cipher = AESGCM(keys[names["GUEK"]] if ek is None else ek)
    sealed = cipher.encrypt(title + header[1:], apdu, header[:1] + keys[names["GAK"]])[:-4]
    content = header + sealed
    return b"\xdb\x08" + title + bytes((len(content),)) + content


# Never shown --------------------------------------------------------------------------------------


def test_what_does_verify(talk: Any, names: dict[str, Any]) -> None:
    meter = talk()
    meter.here.append(sealed_by_hand(names, news(1).encode()))
    assert meter.overheard() == news(1)


@pytest.mark.parametrize("while_asking", [False, True])
@pytest.mark.parametrize("what", ["replayed", "wrong key", "plain", "flipped"])
def test_what_does_not_verify(
    talk: Any, names: dict[str, Any], what: str, while_asking: bool
) -> None:
    """Refused, counters and state as before, and nothing of it is ever shown."""
    meter = talk()
    meter.tell(news(1))
    (good,) = meter.here
    if what == "replayed":
        assert meter.overheard() == news(1)
    octets = {
        "replayed": good,
        "wrong key": sealed_by_hand(names, news(1).encode(), bytes(16)),
        "plain": news(1).encode(),
        "flipped": good[:-1] + bytes((good[-1] ^ 1,)),
    }[what]
    meter.here[:] = [octets]
    before = meter.pair.client_digest()
    take = meter.get if while_asking else meter.overheard
    with pytest.raises(RemoteProtocolError):
        take()
    if not while_asking:
        assert meter.pair.client_digest() == before
    assert meter.dialogues.talk.notices.next() is None


def test_less_protected_than_responses_are_to_be(talk: Any) -> None:
    meter = talk(server={"response_policy": Protection.AUTHENTICATED})
    meter.tell(ALARM)
    with pytest.raises(RemoteProtocolError):
        meter.overheard()


@pytest.mark.parametrize("what", [news(1), ALARM], ids=["data", "event"])
def test_what_was_not_negotiated(talk: Any, what: Any) -> None:
    meter = talk(**PLAIN, client={"conformance": Conformance.GET})
    meter.here.append(what.encode())
    before = meter.pair.client_digest()
    with pytest.raises(RemoteProtocolError, match="not negotiated") as caught:
        meter.overheard()
    assert caught.value.reason == "service-not-negotiated"
    assert meter.pair.client_digest() == before
    assert meter.get() == ANSWER


def test_before_the_association_is_open(bench: Any) -> None:
    """Instead of the AARE: there is no association yet that could be told anything."""
    pair = bench(**PLAIN, client={"conformance": TOLD}, server={"conformance": TOLD})
    pair.renew()
    dialogue = Dialogues(pair.client).open()
    step = dialogue.send(None).step
    assert dialogue.send(run(step, pair.client_module.execute)).apdus[0][0] == 0x60
    step = dialogue.send(news(1).encode()).step
    with pytest.raises(RemoteProtocolError, match="not allowed while AARQ passed"):
        run(step, pair.client_module.execute)


# Confirmations --------------------------------------------------------------------------------

ASKING = DataNotification(CONFIRMED | 9, unsigned(9))


@pytest.mark.parametrize("kind", [PLAIN, {}], ids=["plain", "ciphered"])
def test_what_asks_for_confirmation_is_confirmed_when_it_is_taken(
    talk: Any, kind: dict[str, Any]
) -> None:
    meter = talk(**kind)
    meter.tell(ASKING, news(1))
    assert meter.overheard() == ASKING
    expected = NotificationConfirmed(DataNotificationConfirm(ASKING.long_invoke))
    assert [meter.pair.hit(apdu).event for apdu in meter.posted] == [expected]
    assert meter.overheard() == news(1)
    assert meter.overheard() is None
    assert len(meter.posted) == 1


def test_what_came_before_an_answer_is_confirmed_when_it_is_taken(talk: Any) -> None:
    meter = talk()
    assert meter.get(ASKING) == ANSWER
    assert meter.posted == []
    assert meter.overheard() == ASKING
    assert [apdu[0] for apdu in meter.posted] == [0xDB]
    assert meter.pair.hit(meter.posted[0]).event.confirmation.long_invoke == ASKING.long_invoke
    assert meter.get() == ANSWER


def test_no_confirmation_where_there_are_none(talk: Any) -> None:
    few = {"conformance": Conformance.GET | Conformance.DATA_NOTIFICATION}
    meter = talk(client=few, server=few)
    meter.tell(ASKING)
    assert meter.overheard() == ASKING
    assert meter.posted == []


def test_told_is_told_though_nobody_takes_the_confirmation(talk: Any) -> None:
    meter = talk(**PLAIN)
    meter.gone = True
    meter.tell(ASKING)
    assert meter.overheard() == ASKING
    assert meter.posted == []
