"""The laboratory's associations, opened and used by the library's own client end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.profile import load
from dlms.acse.names import Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import ClientConfig
from dlms.association.server import ServerAssociation
from dlms.axdr.data import Data, octet_string
from dlms.client.dialogue import Dialogues
from dlms.client.effects import Compute
from dlms.client.short_names import ShortNameDialogues
from dlms.cosem import obis
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.ops import PublicKey, Use
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.key_suites import suites_of
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.serving.exchange import exchange

PROFILE = load("laboratory")
TITLE = b"CLI\0\0\0\0\1"
PAD = AttributeDescriptor(1, obis.parse("0-0:96.1.9.255"), 2)
NAME = AttributeDescriptor(1, obis.parse("0-0:42.0.0.255"), 2)
SILENT = {"alerts", "broadcast", "unconfirmed"}
"""Nothing is asked of them that is answered."""
OPENED = [name for name in PROFILE.associations if name not in SILENT]


class Joined:
    """Both ends of one association, with one module between them."""

    def __init__(self, meter: Any, name: str) -> None:
        self.row = row = meter.association(name)
        self.meter, self.device = meter, meter.device
        self.execute = SoftwareModule(KeyRing(bytes(32), suites_of(PROFILE))).execute
        config, theirs = row.config, self.device.keys(row)
        public = None
        keys = theirs
        if config.mechanism is Mechanism.HLS_ECDSA:
            public = run(self._public(theirs.signing_key), self.execute)
            own = theirs.signing_key._replace(holder=TITLE)
            keys = theirs._replace(signing_key=own, peer_public=public)
            theirs = theirs._replace(peer_public=run(self._public(own), self.execute))
        offer = self.device.offer(row)._replace(keys=theirs)
        self.server = ServerAssociation(offer, "bench")
        self.client = ClientAssociation(
            ClientConfig(
                client_sap=config.client_sap,
                server_sap=config.server_sap,
                context=config.context,
                mechanism=config.mechanism,
                conformance=config.conformance,
                suite=config.suite,
                pre_established=config.pre_established,
                own_title=TITLE if config.needs_title else None,
                protection=Protection.BOTH if config.context.ciphered else Protection.NONE,
                knobs=config.knobs,
                user=1 if name == "users" else None,
            ),
            keys,
            InvocationCounters(),
        )

    @staticmethod
    def _public(key: Any) -> Any:
        return (yield PublicKey(Use.ASSOCIATION, key))

    def serve(self, apdu: bytes) -> bytes:
        step = exchange(self.server, self.device, self.row, apdu, self.meter.now)
        (reply,) = run(step, self.execute).replies
        return reply

    def hold(self, dialogue: Any) -> Any:
        given: Any = None
        try:
            while True:
                wish = dialogue.send(given)
                given = (
                    run(wish.step, self.execute)
                    if isinstance(wish, Compute)
                    else self.serve(*wish.apdus)
                )
        except StopIteration as stop:
            return stop.value


@pytest.mark.parametrize("name", OPENED)
def test_every_association_opens_and_reads(make_bench: Callable[..., Any], name: str) -> None:
    meter = make_bench("laboratory")
    joined = Joined(meter, name)
    dialogues = Dialogues(joined.client)
    if not joined.row.config.pre_established:
        joined.hold(dialogues.open())
    if joined.row.config.short_names:
        base = PROFILE.short_names.bases[NAME.instance]
        by_short_name = ShortNameDialogues(dialogues.talk)
        found = joined.hold(by_short_name.read(base + 8))
        assert found == meter.get("0-0:42.0.0.255", 2)
        return
    readable = NAME if name in PROFILE.objects[NAME.instance].rights else PAD
    if name == "users":
        current = AttributeDescriptor(15, obis.parse("0-0:40.0.0.255"), 11)
        assert joined.hold(dialogues.get(current)).value[1].value == "installer"
        return
    found = joined.hold(dialogues.get(readable))
    assert isinstance(found, Data)
    assert found in (meter.get("0-0:42.0.0.255", 2), octet_string(b"\0"))
