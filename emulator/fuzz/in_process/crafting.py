"""What no proper client does: messages made by hand, and proper ones at the wrong time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.fields import AuthenticationValue, ValueChoice
from dlms.acse.names import Mechanism
from dlms.acse.release import Rlrq
from dlms.association.proposal import initiate_request
from dlms.association.shapes import request_shape
from dlms.errors import DlmsError
from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.drive import run as drive
from dlms.security.key_choice import KeyChoice
from dlms.security.layers import protect_layers
from dlms.security.ops import CryptoOp, Seal, Use
from dlms.security.protect import Shape
from emulator.fuzz import actions
from emulator.fuzz.actions import AarqChange
from emulator.fuzz.in_process.bench import Bench
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.judging import context_of, of_error, of_replies
from emulator.fuzz.in_process.speaking import FAILURES, let_go
from emulator.fuzz.in_process.wire import HungUp
from emulator.fuzz.target import Direction, Outcome, Seen
from emulator.fuzz.twist import Twist, edited


def challenging(world: Bench, client: BenchClient, action: actions.Challenge) -> Seen:
    """Passes 1 and 2; an AARE that accepts is taken by the client core, if it takes it."""
    client.renew()
    association = client.association
    try:
        octets = world.run(client, association.open(), action.twist)
        if action.change is not None:
            octets = changed(world, octets, action.change, client)
        replies = world.exchange(client, octets, action.twist)
    except FAILURES as error:
        return of_error(error)
    if action.twist.echo and replies:
        replies = (_echoed(replies[0], octets),)
    return _taken(world, client, replies)


def _echoed(reply: bytes, aarq: bytes) -> bytes:
    """An AARE with the challenge of the AARQ."""
    value = Aarq.decode(aarq).calling_authentication_value
    return Aare.decode(reply)._replace(responding_authentication_value=value).encode()


def authenticating(world: Bench, client: BenchClient, action: actions.Authenticate) -> Seen:
    """Passes 3 and 4, by the client core."""
    try:
        octets = _pass_3(world, client, action)
        replies = world.exchange(client, octets, action.twist)
    except FAILURES as error:
        return of_error(error)
    return _taken(world, client, replies)


def _pass_3(world: Bench, client: BenchClient, action: actions.Authenticate) -> bytes:
    plain: list[bytes] = []
    execute = world.executing(client, action.twist)

    def look(op: CryptoOp) -> Any:
        if isinstance(op, Seal) and isinstance(op.payload, bytes):
            plain.append(op.payload)
        return execute(op)

    octets = drive(client.association.authenticate(), look)
    return plain[0] if action.bare and plain else octets


def _taken(world: Bench, client: BenchClient, replies: tuple[bytes, ...]) -> Seen:
    if not replies:
        return Seen(outcome=Outcome.SILENCE, says="no answer")
    try:
        event = world.run(client, client.association.receive(replies[0], world.now()))
    except DlmsError as error:
        return of_error(error)
    name = type(event).__name__
    if name in ("AuthenticationPending", "AssociationOpened", "AssociationReleased"):
        return Seen(outcome=Outcome.ACCEPTED, says=name)
    if name == "AuthenticationFailed":
        refused = event.why == "server refuses our authentication"
        outcome = Outcome.REFUSED if refused else Outcome.DISTRUSTED
        return Seen(outcome=outcome, says=event.why)
    seen = of_replies(world, client, replies)
    return Seen(outcome=Outcome.REFUSED, says=seen.says)


def changed(world: Bench, octets: bytes, change: AarqChange, client: BenchClient) -> bytes:
    """An AARQ with fields as the change has them."""
    aarq = Aarq.decode(octets)
    if change.reflect:
        heard = [
            one.octets
            for one in world.line
            if one.client == change.reflect and one.octets[:1] == bytes((AARE_TAG,))
        ]
        if not heard:
            raise ValueError(f"the meter has not challenged {change.reflect}")
        value = Aare.decode(heard[-1]).responding_authentication_value
        aarq = aarq._replace(calling_authentication_value=value)
    if change.mechanism == 0:
        aarq = aarq._replace(
            mechanism_name=None, sender_acse_requirements=None, calling_authentication_value=None
        )
    elif change.mechanism is not None:
        aarq = aarq._replace(
            mechanism_name=Mechanism(change.mechanism).oid, sender_acse_requirements=True
        )
    if change.challenge is not None:
        choice = ValueChoice.CHARSTRING if change.text else ValueChoice.BITSTRING
        value = AuthenticationValue(change.challenge, choice)
        aarq = aarq._replace(calling_authentication_value=value)
    if change.title is not None:
        aarq = aarq._replace(calling_ap_title=change.title or None)
    if change.plain:
        aarq = aarq._replace(user_information=initiate_request(client.config).encode())
    if change.initiate:
        aarq = aarq._replace(user_information=edited(aarq.user_information or b"", change.initiate))
    return aarq.encode()


def releasing_plain(world: Bench, client: BenchClient, action: actions.Release) -> Seen:
    """An RLRQ without the InitiateRequest that a ciphered context asks for."""
    return _sent(world, client, Rlrq().encode(), action.twist)


def sending(world: Bench, client: BenchClient, action: actions.Send) -> Seen:
    """Any APDU, protected in any way."""
    octets = action.plain
    general = context_of(client)
    config = client.association.config
    if general is not None and config.context.ciphered and not action.bare:
        shape = request_shape(general, config, octets[0] if octets else 0)
        shape = _shaped(shape or Shape(Family.GLOBAL, Form.SERVICE, Protection.NONE), action)
        step = protect_layers(general, octets, shape, Use.PROTECT_REQUEST)
        try:
            octets = world.run(client, step, action.twist)
        except DlmsError as error:
            return of_error(error)
    return _sent(world, client, octets, action.twist)


def _shaped(shape: Shape, action: actions.Send) -> Shape:
    if action.family:
        shape = shape._replace(family=Family[action.family])
    if action.form:
        shape = shape._replace(form=Form[action.form])
    if action.protection is not None:
        shape = shape._replace(protection=Protection(action.protection))
    if action.choice:
        shape = shape._replace(choice=KeyChoice[action.choice])
    if action.transaction:
        shape = shape._replace(transaction_id=action.transaction)
    return shape


def _sent(world: Bench, client: BenchClient, octets: bytes, twist: Twist) -> Seen:
    try:
        replies = world.exchange(client, octets, twist)
    except HungUp as error:
        let_go(world, client)
        return of_error(error)
    return of_replies(world, client, replies)


def replaying(world: Bench, client: BenchClient, action: actions.Replay) -> Seen:
    """What an earlier step has sent, once more. The answer to the last of it counts."""
    if not 1 <= action.step <= len(world.steps):
        raise ValueError(f"step {action.step} has not been yet")
    line = world.steps[action.step - 1]
    sent = [one for one in line if (one.direction is Direction.RECEIVED) is action.heard]
    first = [one.octets for one in sent if one.direction is Direction.SENT] or [
        one.octets for one in sent
    ]
    if action.apdu is not None:
        first = first[action.apdu : action.apdu + 1]
    if not first:
        raise ValueError(f"step {action.step} has no such APDU")
    seen = Seen(outcome=Outcome.SILENCE)
    for octets in first:
        seen = _sent(world, client, octets, action.twist)
    return seen


def storming(world: Bench, client: BenchClient, action: actions.Storm) -> Seen:
    """Messages with a wrong tag, which only who has the key could make right."""
    get = bytes.fromhex("C001C100010000600109FF0200")
    general = context_of(client)
    if general is None:
        raise ValueError(f"the client {client.name} has no keys")
    shape = request_shape(general, client.association.config, get[0])
    if shape is None:
        raise ValueError(f"the client {client.name} does not cipher")
    outcomes: dict[str, int] = {}
    for _ in range(action.times):
        step = protect_layers(general, get, shape, Use.PROTECT_REQUEST)
        octets = world.run(client, step)
        octets = octets[:-1] + bytes((octets[-1] ^ 1,))
        replies = world.wire.carry(client, octets)
        said = of_replies(world, client, replies[:1])
        outcomes[said.says] = outcomes.get(said.says, 0) + 1
    says = ", ".join(f"{count} x {what}" for what, count in sorted(outcomes.items()))
    return Seen(outcome=Outcome.REFUSED, says=says)


def crowding(world: Bench, client: BenchClient, action: actions.Crowd) -> Seen:
    """Connections that come as far as pass 2, and stay."""
    outcomes: dict[str, int] = {}
    for number in range(action.times):
        name = f"{client.name} {number}"
        shares = client.kind.shares or client.name
        world.kinds[name] = replace(client.kind, shares=shares)
        seen = challenging(world, world.client(name), actions.Challenge(client=name))
        said = f"{seen.outcome.value} {seen.says}"
        outcomes[said] = outcomes.get(said, 0) + 1
    says = ", ".join(f"{count} x {what}" for what, count in sorted(outcomes.items()))
    return Seen(outcome=Outcome.DONE, says=says)
