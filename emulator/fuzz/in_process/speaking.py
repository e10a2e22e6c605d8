"""What a client does as it should, by our own client core; only its messages may be twisted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from devices.outbox import Changed
from dlms.association.state import TRANSITIONS, Input
from dlms.client.effects import Compute, Dialogue, Post, Transmit
from dlms.errors import DlmsError
from dlms.security.keys import KeyKind
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client.driving import drive_blocking
from emulator.fuzz import actions
from emulator.fuzz.in_process.bench import Bench
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.judging import of_error
from emulator.fuzz.in_process.wire import HungUp
from emulator.fuzz.target import Outcome, Seen
from emulator.fuzz.twist import Twist

T = TypeVar("T")
FAILURES = (DlmsError, TimeoutError, HungUp)


def hold(world: Bench, client: BenchClient, dialogue: Dialogue[T], twist: Twist) -> T:
    """Carry a dialogue out on the line."""
    heard: deque[bytes] = deque()

    def grant(wish: Any) -> Any:
        if isinstance(wish, Compute):
            return world.run(client, wish.step, twist)
        if isinstance(wish, Transmit | Post):
            for apdu in wish.apdus:
                heard.extend(world.exchange(client, apdu, twist))
            if isinstance(wish, Post):
                return None
            if not heard:
                raise TimeoutError
            return heard.popleft()
        return heard.popleft() if heard else None

    return drive_blocking(dialogue, grant)


def said(
    world: Bench, client: BenchClient, what: Callable[[], Dialogue[Any]], twist: Twist
) -> Seen:
    """What comes of a dialogue."""
    try:
        value = hold(world, client, what(), twist)
    except FAILURES as error:
        seen = of_error(error)
        note_doubt(client)
        if seen.outcome is Outcome.HUNG_UP:
            let_go(world, client)
        return seen
    return Seen(outcome=Outcome.ACCEPTED, says="done", value=value)


def hearing(world: Bench, attribute: AttributeDescriptor) -> Seen:
    """What its clients make of it that the meter tells of an attribute, unasked."""
    outcome, why = Outcome.DONE, ""
    for name, apdu in world.wire.tell(Changed(attribute)):
        client = world.client(name)
        world.overheard(client, apdu)
        try:
            event = world.run(client, client.association.receive(apdu, world.now()))
        except DlmsError as error:
            outcome, why = Outcome.DISTRUSTED, f"{name}: {error}"
        else:
            outcome = Outcome.ACCEPTED if outcome is Outcome.DONE else outcome
            why = why or type(event).__name__
    return Seen(outcome=outcome, says=why)


def note_doubt(client: BenchClient) -> None:
    """What a change of keys may have done, if its answer was lost."""
    setup = client.setup
    if setup is not None and setup.in_doubt is not None:
        client.party.doubtful[client.row.name] = setup.in_doubt


def let_go(world: Bench, client: BenchClient) -> None:
    """The connection is gone, and the association at both ends."""
    world.hang(client)
    if (client.association.state, Input.CLOSED) in TRANSITIONS:
        world.run(client, client.association.close())
    client.renew()


def opening(world: Bench, client: BenchClient, action: actions.Open) -> Seen:
    if world.wire.is_up(client.name) and client.config.pre_established is False:
        world.hang(client)
    client.renew()
    return said(world, client, client.dialogues.open, action.twist)


def releasing(world: Bench, client: BenchClient, action: actions.Release) -> Seen:
    return said(world, client, client.dialogues.release, action.twist)


def getting(world: Bench, client: BenchClient, action: actions.Get) -> Seen:
    return said(world, client, lambda: client.dialogues.get(action.attribute), action.twist)


def setting(world: Bench, client: BenchClient, action: actions.Set) -> Seen:
    dialogues, value = client.dialogues, action.value
    if client.config.broadcast:
        what = lambda: dialogues.set_unconfirmed(action.attribute, value)  # noqa: E731
        return said(world, client, what, action.twist)
    return said(world, client, lambda: dialogues.set(action.attribute, value), action.twist)


def acting(world: Bench, client: BenchClient, action: actions.Act) -> Seen:
    dialogues, parameter = client.dialogues, action.parameter
    if client.config.broadcast:
        what = lambda: dialogues.action_unconfirmed(action.method, parameter)  # noqa: E731
        return said(world, client, what, action.twist)
    return said(world, client, lambda: dialogues.action(action.method, parameter), action.twist)


def outdated() -> Seen:
    """What a client does not do that has been told of other keys meanwhile."""
    return Seen(outcome=Outcome.STOPPED, says="the keys of this association were replaced")


def rotating(world: Bench, client: BenchClient, action: actions.Rotate) -> Seen:
    return _changing(world, client, action.kinds, action.twist, agree=False)


def agreeing(world: Bench, client: BenchClient, action: actions.Agree) -> Seen:
    return _changing(world, client, action.kinds, action.twist, agree=True)


def _changing(
    world: Bench, client: BenchClient, names: tuple[str, ...], twist: Twist, *, agree: bool
) -> Seen:
    setup = client.setup
    if setup is None:
        raise ValueError(f"the client {client.name} has no keys to change")
    if client.is_outdated:
        return outdated()
    kinds = [KeyKind[name] for name in names]
    before = client.association.keys
    change = setup.agree_keys if agree else setup.transfer_keys
    seen = said(world, client, lambda: change(kinds), twist)
    if seen.outcome is Outcome.ACCEPTED:
        client.party.former[client.row.name] = before
        client.take(client.association.keys)
    return seen
