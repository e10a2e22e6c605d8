"""Whole machines: octets straight into a meter, before and after an association is there, with and
without HDLC below; and into a client that waits for an answer.

An input is records (:mod:`emulator.fuzz.octets.harnesses.machine_records`). Every input meets a
meter that has just been made, from one seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dlms.acse.release import Rlrq
from dlms.errors import RemoteProtocolError
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.frame import Frame
from dlms.framing.hdlc.station import StationConfig
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.framing.framing import Addressed
from emulator.framing.hdlc import HdlcStation
from emulator.fuzz import actions
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.in_process.world import compiled
from emulator.fuzz.octets import words
from emulator.fuzz.octets.harness import Harness, Outcome, Structure, Unlawful
from emulator.fuzz.octets.harnesses import acse, hdlc, hdlc_frames, security
from emulator.fuzz.octets.harnesses.machine_records import RECORDS, of_records, records
from emulator.fuzz.octets.harnesses.xdlms import apdu_seeds
from emulator.fuzz.target import Direction, Seen
from emulator.fuzz.target import Outcome as Said
from emulator.fuzz.twist import Edit, EditKind, Twist
from emulator.serving.peer import Peer, Unable

PROFILE, SEED = "laboratory", "octets"
MOST = 8192
_NAME = AttributeDescriptor(1, bytes.fromhex("00002A0000FF"), 2)
_PUBLIC = (16, 1)


# Into the meter ----------------------------------------------------------------------------------


class _Course:
    """A meter, what was said to it, and what can be observed of it."""

    def __init__(self) -> None:
        self.target = InProcess(PROFILE, seed=SEED)
        self.said: list[Seen] = []
        self._first = self._now = self.target.look()

    def say(self, client: str, octets: bytes, *, bare: bool) -> None:
        """One APDU; what was refused has changed nothing, and nothing is broken that must never
        be.
        """
        before = self._now
        seen = self.target.do(actions.Send(client=client, plain=octets, bare=bare))
        self._now = after = self.target.look()
        self.said.append(seen)
        if after.breaches:
            breach = after.breaches[0]
            raise Unlawful(breach.partition(":")[0], breach)
        if seen.outcome is Said.REFUSED and before.digest != after.digest:
            raise Unlawful("what is refused changes nothing", f"{client}: {seen.says}")

    def end(self) -> Outcome:
        """Whatever was said, a legitimate client is let in (I6): to be looked at where the meter
        remembers anything of it.
        """
        first, now = self._first, self._now
        if (first.digest, first.versions) != (now.digest, now.versions):
            seen = self.target.alive()
            if seen.outcome is not Said.ACCEPTED:
                raise Unlawful("I6", f"a legitimate client is not let in: {seen.says}")
        return _outcome(self.said)


def _outcome(said: list[Seen]) -> Outcome:
    if any(one.outcome is Said.ACCEPTED for one in said):
        return Outcome.TAKEN
    return Outcome.REFUSED if said else Outcome.NOTHING


def _before(octets: bytes) -> Outcome:
    """``way`` is the association whose client speaks, by its place in the profile."""
    course = _Course()
    names = tuple(compiled(PROFILE).associations)
    for way, one in records(octets):
        course.say(names[way % len(names)], one, bare=True)
    return course.end()


def _after(client: str) -> Callable[[bytes], Outcome]:
    def play(octets: bytes) -> Outcome:
        """``way`` 0 is octets as they come; else they are protected as the client does it."""
        course = _Course()
        opened = course.target.do(actions.Open(client=client))
        if opened.outcome is not Said.ACCEPTED:
            raise Unlawful("an honest client is let in", opened.says)
        for way, one in records(octets):
            course.say(client, one, bare=way == 0)
        return course.end()

    return play


def _hdlc(octets: bytes) -> Outcome:
    """As a connection does it, over the public association."""
    meter = InProcess(PROFILE, seed=SEED).world.meter
    before = meter.device.state.digest()
    config = StationConfig(
        logical_devices=(1,).__contains__, inter_octet_timeout=1e9, inactivity_timeout=0
    )
    station, peer = HdlcStation(config), Peer(meter.host, "line", None)
    said = b""
    try:
        station.receive(octets, 0.0)
        while (indication := station.next_indication()) is not None:
            if isinstance(indication, Addressed):
                client, server, apdu = indication
                for reply in peer.serve(client, server, apdu) or ():
                    station.send(Addressed(client, server, reply), 0.0)
                meter.device.outbox.take_announcements()
            else:
                peer.close_pair(indication.client_sap, indication.server_sap)
            said += station.octets_to_send()
            station.timeout(0.0)
        said += station.octets_to_send()
    except RemoteProtocolError:
        return Outcome.REFUSED
    except Unable:
        pass
    peer.close()
    if meter.device.state.digest() != before and not peer.is_idle:
        raise Unlawful("the public client changes nothing", octets.hex())
    return Outcome.TAKEN if said else Outcome.NOTHING


# Into a client -----------------------------------------------------------------------------------


def _client(octets: bytes) -> Outcome:
    """The first record answers an AARQ, the others a GET: of a client by its place."""
    target = InProcess(PROFILE, seed=SEED)
    names = tuple(compiled(PROFILE).associations)
    said: list[Seen] = []
    for number, (way, one) in enumerate(records(octets)):
        client = names[way % len(names)]
        twist = Twist(answer=(Edit(kind=EditKind.ALL, octets=one),))
        if number:
            target.do(actions.Open(client=client))
            said.append(target.do(actions.Get(client=client, attribute=_NAME, twist=twist)))
        else:
            said.append(target.do(actions.Open(client=client, twist=twist)))
    return _outcome(said)


# Seeds -------------------------------------------------------------------------------------------


def _recorded(client: str, *deeds: actions.Action) -> list[bytes]:
    """What a proper client says, in the run that all inputs begin with."""
    target = InProcess(PROFILE, seed=SEED)
    line = [one for deed in deeds for one in target.do(deed).line]
    return [one.octets for one in line if one.direction is Direction.SENT]


def _openings() -> Iterable[bytes]:
    for place, name in enumerate(compiled(PROFILE).associations):
        target = InProcess(PROFILE, seed=SEED)
        passed = target.do(actions.Open(client=name)).line
        sent = [one.octets for one in passed if one.direction is Direction.SENT]
        if sent:
            yield of_records((place, one) for one in sent)
            yield of_records((place, one) for one in (sent[0], sent[0], *sent[1:]))
    for octets in acse.HARNESSES[0].seeds():
        yield of_records(((0, octets),))


def _services() -> Iterable[bytes]:
    chosen = list(apdu_seeds())
    for octets in chosen:
        yield of_records(((1, octets),))
        yield of_records(((0, octets),))
    for at in range(0, len(chosen) - 4, 4):
        yield of_records((1, one) for one in chosen[at : at + 4])
    yield of_records(((0, Rlrq().encode()),))
    for message in security.HARNESSES[3].seeds():
        yield of_records(((0, message[1:]),))


def _plain_services() -> Iterable[bytes]:
    for octets in apdu_seeds():
        yield of_records(((0, octets),))
    yield of_records(((0, Rlrq().encode()), (0, security.GET)))


def _answers() -> Iterable[bytes]:
    for octets in acse.HARNESSES[1].seeds():
        yield of_records(((0, octets), (0, security.GET)))
    for octets in apdu_seeds():
        yield of_records(((0, b""), (0, octets), (1, octets), (13, octets)))


def _lines() -> Iterable[bytes]:
    client, server = Address(_PUBLIC[0]), Address(_PUBLIC[1])
    aarq, *_ = _recorded("public", actions.Open(client="public"))
    said = [aarq, security.GET, bytes.fromhex("C001C100010000600100FF0200"), Rlrq().encode()]
    frames = [Frame(server, client, Control(Kind.SNRM))]
    for number, apdu in enumerate(said):
        control = Control(Kind.I, True, number, number)
        frames.append(Frame(server, client, control, b"\xe6\xe6\x00" + apdu))
    frames.append(Frame(server, client, Control(Kind.DISC)))
    yield hdlc_frames.write_frames(frames)
    yield hdlc_frames.write_frames(frames[:3])
    yield from hdlc.HARNESSES[1].seeds()


def _words() -> Iterable[bytes]:
    yield from words.apdus()
    yield from words.acse()
    yield from words.security()


def _harness(
    name: str, takes: str, play: Callable[[bytes], Outcome], seeds: Callable[[], Iterable[bytes]]
) -> Harness:
    return Harness(
        name=f"machine.{name}",
        takes=takes,
        play=play,
        seeds=seeds,
        words=_words,
        structure=RECORDS,
        most=MOST,
        work=4000,
    )


HARNESSES = (
    _harness("before", "APDUs to a meter with which nobody has an association", _before, _openings),
    _harness("after", "APDUs in a ciphered association", _after("dco"), _services),
    _harness("plain", "APDUs in an association by password", _after("reader"), _plain_services),
    _harness("short-names", "APDUs in an association of short names", _after("sn"),
             _plain_services),
    _harness("suite1", "APDUs in an association of suite 1", _after("suite1"), _services),
    Harness(
        name="machine.hdlc",
        takes="octets of a line to a meter",
        play=_hdlc,
        seeds=_lines,
        words=hdlc.HARNESSES[1].words,
        structure=Structure(read=hdlc_frames.read_frames, write=hdlc_frames.write_frames),
        most=MOST,
        work=4000,
    ),
    _harness("client", "answers to a client that opens and asks", _client, _answers),
)  # fmt: skip
