"""Tokens, keyed in by hand or sent by a client."""

from __future__ import annotations

from devices.objects.token_gateway import TOKEN_SCOPE
from devices.token import make_token
from dlms.axdr.data import octet_string
from dlms.cosem import classes
from dlms.security.drive import run as drive
from dlms.security.keys import KeyKind
from dlms.words import word
from dlms.xdlms.descriptors import MethodDescriptor
from emulator.fuzz import actions
from emulator.fuzz.in_process.kept import PowerCut
from emulator.fuzz.in_process.speaking import said
from emulator.fuzz.in_process.world import World
from emulator.fuzz.target import Outcome, Seen
from emulator.fuzz.twist import edited
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import Purpose


def entering(world: World, action: actions.Token) -> Seen:
    """At the keypad, or by the client that is named."""
    device = world.meter.device
    present = device.key(TOKEN_SCOPE, KeyKind.TOKEN)
    former = action.key == "former"
    ref = present._replace(version=max(present.version - 1, 0)) if former else present
    issuer = KeyRing(None)
    issuer.keep(ref, world.meter.ring.get(ref))
    step = make_token(action.pence, action.counter, ref, device.title)
    digits = edited(drive(step, SoftwareModule(issuer).execute).encode(), action.digits)
    if action.client:
        row = next(iter(device.profile.of_class(classes.TOKEN_GATEWAY)))
        method = MethodDescriptor(row.interface_class.class_id, row.instance, 1)
        client = world.client(action.client)
        dialogue = lambda: client.dialogues.action(method, octet_string(digits))  # noqa: E731
        with client.party.tagging.about(Purpose.GENERATE_ADD_CREDIT_COMMAND):
            return said(world, client, dialogue, action.twist)
    world.meter.twisted(action.twist, TOKEN_SCOPE)
    try:
        status = drive(device.keyed_in(digits, world.meter.now), world.meter.host.execute)
        world.meter.host.settle()
    except PowerCut:
        world.power_cycle()
        return Seen(outcome=Outcome.SILENCE, says="power cut")
    finally:
        world.meter.straight()
    good = status.value == 3
    return Seen(outcome=Outcome.ACCEPTED if good else Outcome.REFUSED, says=word(status))
