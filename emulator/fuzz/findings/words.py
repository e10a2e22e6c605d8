"""Each step of a run in words."""

from __future__ import annotations

from dlms.cosem import obis
from dlms.errors import DlmsError
from dlms.xdlms import registry
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.set import SetRequest
from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.scenario.writing_fields import table
from emulator.fuzz.twist import STRAIGHT, Edits, Lost, Twist
from emulator.trace import described


def in_words(action: Action) -> str:
    """One line. A field that is not named is as always."""
    twist = getattr(action, "twist", STRAIGHT)
    parts = [_done(action), *_twisted(twist)]
    return "; ".join(part for part in parts if part)


def _done(action: Action) -> str:
    match action:
        case actions.Plant():
            return f"the meter gets a defect: {action}"
        case actions.Token(client=client):
            return f"a token is {f'sent by {client}' if client else 'keyed in'}{_more(action)}"
        case actions.Open(client=client):
            return f"{client} opens an association"
        case actions.Challenge(client=client):
            return f"{client} sends an AARQ and is challenged{_more(action)}"
        case actions.Authenticate(client=client):
            return f"{client} answers the challenge{_more(action)}"
        case actions.Release(client=client):
            return f"{client} releases{_more(action)}"
        case actions.Hang(client=client):
            return f"{client} hangs up without a word"
        case actions.Get(client=client, attribute=attribute):
            return f"{client} reads {_named(attribute)}"
        case actions.Set(client=client, attribute=attribute, value=value):
            return f"{client} writes {_named(attribute)}: {value.value!r}"
        case actions.Act(client=client, method=method):
            return f"{client} invokes {_named(method)}"
        case actions.Send(client=client, plain=plain):
            return f"{client} sends {_apdu(plain)}{_more(action, 'plain')}"
        case actions.Replay(client=client, step=step, apdu=apdu, heard=heard):
            which = "" if apdu is None else f", APDU {apdu} of it"
            if heard:
                return f"{client} sends what the meter has answered in step {step} back{which}"
            return f"{client} sends the octets of step {step} once more{which}"
        case actions.Transfer(client=client, entries=entries):
            said = ", ".join(f"key {one.key_id}{_more(one, 'key_id')}" for one in entries)
            return f"{client} transfers keys: {said}{_more(action, 'entries')}"
        case actions.Rotate(client=client, kinds=kinds):
            return f"{client} replaces {', '.join(kinds)} by key_transfer"
        case actions.Agree(client=client, kinds=kinds):
            return f"{client} replaces {', '.join(kinds)} by key_agreement"
        case actions.ChangeSecret(client=client):
            return f"{client} changes its HLS secret"
        case actions.TakeKeys(client=client, which=which, kinds=kinds):
            return f"{client} goes by the {which} keys{_listed(kinds)} from now on"
        case actions.PutCounter(client=client):
            return f"the counter of {client} is another{_more(action)}"
        case actions.CatchUp(client=client):
            return f"{client} asks for the counter, and moves forward to it"
        case actions.Certify(client=client):
            return f"{client} imports a certificate{_more(action)}"
        case actions.Storm(client=client, times=times):
            return f"{client} sends {times} messages with a wrong tag"
        case actions.Crowd(client=client, times=times):
            return f"{client} begins {times} associations and ends none"
        case actions.Connect(client=client):
            return f"{client} connects by TLS{_more(action)}"
        case actions.ChangeTls(what=what):
            return f"TLS: {what}"
        case actions.Wait(seconds=seconds):
            return f"{seconds:g} s pass"
        case actions.ClockStep(seconds=seconds):
            return f"the meter's clock jumps by {seconds:g} s"
        case actions.Announce(attribute=attribute):
            return f"the meter tells of {_named(attribute)}, unasked"
        case actions.PowerCycle():
            return "the meter loses its power and begins anew"
        case actions.SetMeterCounter(association=association, key=key):
            return f"the counter of the meter's {association}/{key} is another{_more(action)}"
        case actions.Damage(what=what, to=to):
            return f"what the meter keeps is damaged: {what}, to {to}"


def _named(of: AttributeDescriptor | MethodDescriptor) -> str:
    """Class, logical name, and which attribute or method."""
    class_id, instance, number = of
    return f"{class_id}/{obis.text(instance)}/{number}"


def _apdu(plain: bytes) -> str:
    """A request that is plainly one attribute or method; of others what they are, in short."""
    try:
        match registry.decode(plain):
            case GetRequest(attribute=attribute):
                return f"a get of {_named(attribute)}"
            case SetRequest(attribute=attribute):
                return f"a set of {_named(attribute)}"
            case ActionRequest(method=method):
                return f"an action {_named(method)}"
    except DlmsError:
        pass
    said = described(plain)
    return said if len(said) <= _MOST else f"{said[:_MOST]}..."


_MOST = 80
"""Characters of an APDU."""


def _listed(kinds: tuple[str, ...]) -> str:
    return f" ({', '.join(kinds)})" if kinds else ""


_SAID = frozenset({"client", "twist", "association", "key", "fault", "parameters"})


def _more(value: object, *said: str) -> str:
    """The fields that are not as always and were not told yet."""
    leave = frozenset(said) | (_SAID if not isinstance(value, actions.NewKey) else frozenset())
    fields = table(value, leave=leave)
    told = ", ".join(f"{name} {one}" for name, one in fields.items())
    return f" ({told})" if told else ""


# What goes wrong with it --------------------------------------------------------------------------


def _twisted(twist: Twist) -> list[str]:
    found = []
    if twist.lose is not Lost.NOTHING:
        found.append(f"the {twist.lose.value} is lost")
    if twist.cut is not None:
        found.append(f"the power fails before write {twist.cut}")
    if twist.fails:
        found.append(f"the meter's module fails at {twist.fails} {twist.fails_at}")
    if twist.echo:
        found.append("the AARE brings the client's own challenge")
    for who, what in (
        ("the client seals", twist.seal),
        ("the client authenticates", twist.mac),
        ("the meter seals", twist.meter_seal),
        ("the meter authenticates", twist.meter_mac),
    ):
        if what is not None:
            found.append(f"{who} otherwise{_more(what)}")
    for of, edits in (
        ("the octets are changed", twist.octets),
        ("the answer is changed", twist.answer),
        ("the ephemeral key is changed", twist.public),
        ("what is signed is changed", twist.sign),
    ):
        if edits:
            found.append(f"{of}: {_edits(edits)}")
    return found


def _edits(edits: Edits) -> str:
    return ", ".join(
        f"{one.kind.value}"
        + (f" at {one.at}" if one.at else "")
        + (f" {one.octets.hex().upper()}" if one.octets else "")
        + (f" ({one.count})" if one.count else "")
        for one in edits
    )
