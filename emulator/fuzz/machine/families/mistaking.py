"""What meters have been mistaken in: f(StoC) that is nearly right, what comes too early or late, a
certificate for something else.
"""

from __future__ import annotations

from collections.abc import Iterator

from dlms.association.config import PASS_3
from dlms.axdr.data import octet_string
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.descriptors import CONFIRMED
from emulator.fuzz import actions
from emulator.fuzz.actions import NewKey
from emulator.fuzz.machine.drawing import SETS_OF_KEYS, twisted, write
from emulator.fuzz.machine.families.tampering import GET, SET
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import NAME, Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import Edit, EditKind, Lost, Otherwise, Twist

_COUNTER_AT, _CLASS_AT, _INSTANCE_AT, _METHOD_AT = 16, 4, 9, 11
"""In the plain APDU that brings f(StoC)."""
_PROOF = ActionRequest(
    CONFIRMED | 1, PASS_3, octet_string(bytes.fromhex("100000FFFF") + bytes(12))
).encode()
_CROWD = 8
_STRANGER = "434C490000000009"


def _put(at: int, octets: bytes) -> tuple[Edit, ...]:
    return (Edit(kind=EditKind.PUT, at=at, octets=octets),)


def _flip(at: int) -> tuple[Edit, ...]:
    return (Edit(kind=EditKind.FLIP, at=at, octets=b"\x01"),)


_PROOFS = (
    Twist(seal=Otherwise(payload=_flip(-1))),
    Twist(seal=Otherwise(payload=_flip(-12))),
    Twist(seal=Otherwise(payload=_put(_CLASS_AT, b"\x0c"))),
    Twist(seal=Otherwise(payload=_put(_INSTANCE_AT, b"\x01"))),
    Twist(seal=Otherwise(payload=_put(_METHOD_AT, b"\x02"))),
    Twist(mac=Otherwise(counter=0), seal=Otherwise(payload=_put(_COUNTER_AT, bytes(4)))),
    Twist(fails="Mac"),
    Twist(fails="Mac", fails_at=1),
)
_MOST = 0xFFFFFFFF
_ODD = (
    Twist(octets=_flip(0)),
    Twist(octets=_put(0, b"\xcb")),
    Twist(seal=Otherwise(counter=_MOST), octets=_put(3, _MOST.to_bytes(4, "big"))),
)
"""Another tag than what is inside; the last counter, which nobody may use."""

_CERTIFICATES = (
    actions.Certify(client="", whose="client", purpose="KEY_AGREEMENT"),
    actions.Certify(client="", whose=_STRANGER),
    actions.Certify(client="", whose="meter", usage="SIGNATURE", days=400),
    actions.Certify(client="", whose="meter", usage="SIGNATURE", days=500),
)


def moves(palette: Palette) -> Iterator[Move]:
    guarded = tuple(name for name in palette.guarded if name in palette.keyed)
    if not guarded:
        return
    clients = guarded

    def nearly(plot: Plot, client: str, proof: Twist) -> None:
        """A pass 3 that is wrong, and something as if it had been right."""
        if plot.open(client) and plot.do(actions.Challenge(client=client)) is Outcome.ACCEPTED:
            plot.do(actions.Authenticate(client=client, twist=proof))
            plot.do(actions.Send(client=client, plain=SET))

    def early(plot: Plot, client: str, plain: bytes) -> None:
        """A service while pass 3 is awaited."""
        if plot.open(client) and plot.do(actions.Challenge(client=client)) is Outcome.ACCEPTED:
            plot.do(actions.Send(client=client, plain=plain))

    def twice(plot: Plot, client: str) -> None:
        """Pass 3 by who has no idea of it, and once more."""
        if plot.open(client) and plot.do(actions.Challenge(client=client)) is Outcome.ACCEPTED:
            for _ in range(2):
                plot.do(actions.Send(client=client, plain=_PROOF))

    def late(plot: Plot, client: str, plain: bytes, is_released: bool) -> None:
        """A service behind the end of an association."""
        if not plot.ready(client):
            return
        end = actions.Release(client=client) if is_released else actions.Hang(client=client)
        plot.do(end)
        plot.do(actions.Send(client=client, plain=plain))

    def left_over(plot: Plot, client: str) -> None:
        """What was said in an association and never arrived, in the one after it."""
        if not plot.ready(client):
            return
        plot.do(actions.Send(client=client, plain=SET, twist=Twist(lose=Lost.REQUEST)))
        step = len(plot.course.steps)
        plot.do(actions.Release(client=client))
        if plot.open(client):
            plot.do(actions.Replay(client=client, step=step))

    def odd(plot: Plot, client: str, twist: Twist, is_sent: bool) -> None:
        if not plot.ready(client):
            return
        if is_sent:
            plot.do(actions.Send(client=client, plain=SET, twist=twist))
        else:
            plot.do(twisted(write(client), twist))

    def message(plot: Plot, client: str, number: int) -> None:
        """A message with a key of its own, twice."""
        if plot.ready(client):
            transaction = bytes(7) + bytes((number,))
            choice = "STATIC"
            sent = actions.Send(
                client=client,
                plain=GET,
                form="CIPHERING",
                choice=choice,
                transaction=transaction,
                twist=Twist(seal=Otherwise()),  # who repeats a vector is no honest party
            )
            if plot.do(sent) is Outcome.ACCEPTED:
                plot.do(actions.Replay(client=client, step=len(plot.course.steps)))

    def certify(plot: Plot, client: str, how: actions.Certify) -> None:
        """Another certificate, and then what needs one."""
        if plot.ready(client):
            plot.do(
                actions.Certify(
                    client=client,
                    whose=how.whose,
                    purpose=how.purpose,
                    usage=how.usage,
                    days=how.days,
                )
            )
            plot.do(actions.Agree(client=client, kinds=("GUEK",)))

    def crowd(plot: Plot, client: str) -> None:
        """Openings that nobody carries through, each on a connection of its own."""
        plot.do(actions.Crowd(client=client, times=_CROWD))

    def elsewhere(plot: Plot, pick: int) -> None:
        """What was taken on one connection, on another of the same keys."""
        client, other = pairs[pick % len(pairs)]
        if plot.ready(client) and plot.ready(other):
            plot.do(write(client))
            plot.do(actions.Replay(client=other, step=len(plot.course.steps)))

    def told_to_all(plot: Plot, client: str, silent: str) -> None:
        """New keys for an association that is never opened, by who may change them."""
        if plot.ready(client):
            entries = (NewKey(key_id=0),)
            plot.do(actions.Transfer(client=silent, entries=entries, via=client))

    pairs = tuple(
        (one, other)
        for one in guarded
        for other in guarded
        if one != other and palette.scope(one) == palette.scope(other)
    )
    if pairs:
        yield Move("elsewhere", elsewhere, {"pick": (0, 1)})
    silent = tuple(name for name in palette.clients if palette.is_silent(name))
    if silent:
        yield Move("told to all", told_to_all, {"client": clients, "silent": silent})

    def go_on(plot: Plot, client: str, kinds: tuple[str, ...]) -> None:
        """New keys, and straight on with them."""
        if plot.open(client):
            plot.do(actions.Rotate(client=client, kinds=kinds))
            plot.do(actions.Get(client=client, attribute=NAME))

    yield Move("go on", go_on, {"client": clients, "kinds": SETS_OF_KEYS})
    plain = (SET, GET)
    yield Move("prove nearly", nearly, {"client": clients, "proof": _PROOFS})
    yield Move("too early", early, {"client": clients, "plain": plain})
    yield Move("prove twice", twice, {"client": clients})
    draws = {"client": clients, "plain": plain, "is_released": (True, False)}
    yield Move("too late", late, draws)
    yield Move("left over", left_over, {"client": clients})
    yield Move("odd", odd, {"client": clients, "twist": _ODD, "is_sent": (True, False)})
    yield Move("crowd", crowd, {"client": clients})
    if palette.agreeing:
        agreeing = palette.agreeing
        yield Move("message key", message, {"client": agreeing, "number": (1, 2)})
        yield Move("certify otherwise", certify, {"client": agreeing, "how": _CERTIFICATES})
