"""The client's dialogues of Security setup against meters that answer what they should not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.association.knobs import STRICT, KeyInForce, Knobs
from dlms.axdr.data import Data, array, octet_string, unsigned
from dlms.client.dialogue import Dialogues
from dlms.client.effects import Compute
from dlms.client.refusals import AccessRefused
from dlms.client.security_setup import MeterKey, SecuritySetupDialogues
from dlms.cosem.security_setup import Policy, keys_data, keys_of
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.key_agreement import Parties, Place, respond
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CertificatePurpose, Curve, GenerateKeyPair, Use
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import MethodDescriptor
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

CLIENT, METER = b"CLI\0\0\0\0\1", b"MET\0\0\0\0\1"
SETUP = bytes((0, 0, 43, 0, 11, 255))
GUEK, GAK, KEK, SIGNING = (
    KeyRef(METER, "lab", kind)
    for kind in (KeyKind.GUEK, KeyKind.GAK, KeyKind.KEK, KeyKind.SIGNING_KEY)
)
THEIRS = SIGNING._replace(scope="theirs")

Answer = Callable[[int, Data], Data | None]


class Script(Dialogues):
    """Dialogues whose ACTIONs are answered by a function of method number and parameter."""

    def __init__(self, association: ClientAssociation, answer: Answer) -> None:
        super().__init__(association)
        self.answer = answer

    def action(self, method: MethodDescriptor, parameter: Data | None) -> Any:
        assert method[:2] == (64, SETUP)
        assert parameter is not None
        return self.answer(method.method, parameter)
        yield  # a dialogue that asks for nothing


class Desk:
    """A client's association that is never opened, its module, and a meter's signature key."""

    def __init__(self, answer: Answer, knobs: Knobs = STRICT, suite: int = 1) -> None:
        self.ring = KeyRing(bytes(32), lambda ref: suite)
        self.module = SoftwareModule(self.ring)
        curve = Curve.P256
        public = {
            ref: self.module.execute(GenerateKeyPair(Use.CERTIFICATE, ref, curve))
            for ref in (SIGNING, THEIRS)
        }
        self.theirs = Parties(
            suite=1,
            client_title=CLIENT,
            server_title=METER,
            signing_key=THEIRS,
            peer_signing_public=public[SIGNING],
        )
        config = ClientConfig(
            client_sap=1,
            server_sap=1,
            context=ApplicationContext.LN_CIPHERED,
            mechanism=Mechanism.HLS_GMAC,
            conformance=Conformance.ACTION,
            suite=suite,
            own_title=CLIENT,
            server_title=METER,
            protection=Protection.AUTHENTICATED,
            knobs=knobs,
        )
        keys = AssociationKeys(
            guek=GUEK, gak=GAK, kek=KEK, signing_key=SIGNING, peer_public=public[THEIRS]
        )
        self.counters = InvocationCounters()
        self.association = ClientAssociation(config, keys, self.counters)
        self.before = keys
        script = Script(self.association, answer)
        self.setup = SecuritySetupDialogues(script, self.association, SETUP)

    def hold(self, dialogue: Any) -> Any:
        given: Any = None
        resume = dialogue.send
        try:
            while True:
                wish = resume(given)
                assert isinstance(wish, Compute)
                resume = dialogue.send
                try:
                    given = run(wish.step, self.module.execute)
                except Exception as error:
                    given, resume = error, dialogue.throw
        except StopIteration as stop:
            return stop.value

    def respond(self, data: Data) -> dict[int, bytes]:
        """As an honest meter does."""

        def place(key_id: int) -> Place:
            pair = KeyRef(METER, f"pair {key_id}", KeyKind.AGREEMENT_KEY)
            return Place(pair, KeyRef(METER, f"agreed {key_id}", KeyKind.GUEK))

        rows: dict[int, bytes] = run(
            respond(self.theirs, keys_of(data), place), self.module.execute
        )
        return rows

    def made(self) -> set[KeyRef]:
        """The client's keys that are new."""
        return {
            ref
            for ref in self.ring.refs
            if ref.scope.startswith("lab") and (ref.version or "#" in ref.scope)
        }

    @property
    def in_use(self) -> KeyRef | None:
        security = self.association._security
        assert security is not None
        return security.guek


def test_the_keys_that_an_honest_meter_agrees() -> None:
    desk = Desk(lambda method, data: keys_data(desk.respond(data)))
    desk.counters.accept(GUEK._replace(version=1), 41)
    desk.hold(desk.setup.agree_keys([KeyKind.GUEK, KeyKind.GAK]))
    keys = desk.association.keys
    assert keys == desk.before._replace(guek=GUEK._replace(version=1), gak=GAK._replace(version=1))
    assert desk.made() == {keys.guek, keys.gak}
    assert desk.ring.get(GUEK._replace(version=1)) == desk.ring.get(
        KeyRef(METER, "agreed 0", KeyKind.GUEK)
    )
    assert desk.in_use == keys.guek
    assert desk.counters.floor(GUEK._replace(version=1)) == 0


TAMPERINGS: dict[str, Callable[[dict[int, bytes]], Data | None]] = {
    "nothing": lambda rows: None,
    "no array": lambda rows: unsigned(0),
    "no keys": lambda rows: array(),
    "one key less": lambda rows: keys_data({0: rows[0]}),
    "one key more": lambda rows: keys_data({**rows, 1: rows[0]}),
    "for other ids": lambda rows: keys_data({1: rows[0], 2: rows[2]}),
    "crossed": lambda rows: keys_data({0: rows[2], 2: rows[0]}),
    "cut short": lambda rows: keys_data({0: rows[0], 2: rows[2][:-1]}),
    "wrongly signed": lambda rows: keys_data({0: rows[0], 2: rows[2][:-1] + b"\0"}),
    "empty": lambda rows: keys_data({0: b"", 2: b""}),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_answers_that_agree_nothing(what: str) -> None:
    """All or nothing here, too; the ephemeral keys are destroyed."""
    desk = Desk(lambda method, data: TAMPERINGS[what](desk.respond(data)))
    with pytest.raises(RemoteProtocolError, match="key_agreement"):
        desk.hold(desk.setup.agree_keys([KeyKind.GUEK, KeyKind.GAK]))
    assert desk.association.keys == desk.before
    assert desk.in_use == GUEK
    assert desk.made() == set()


def refuse(method: int, data: Data) -> Data | None:
    raise AccessRefused("action", ActionResult.OTHER_REASON)


def lose(method: int, data: Data) -> Data | None:
    raise TimeoutError


@pytest.mark.parametrize("word", ["agree_keys", "transfer_keys"])
def test_a_refusal_leaves_nothing(word: str) -> None:
    desk = Desk(refuse)
    with pytest.raises(AccessRefused):
        desk.hold(getattr(desk.setup, word)([KeyKind.GUEK, KeyKind.KEK]))
    assert desk.association.keys == desk.before
    assert desk.made() == set()
    assert desk.setup.in_doubt is None


def test_an_answer_that_never_comes_leaves_both_keys() -> None:
    desk = Desk(lose)
    with pytest.raises(TimeoutError):
        desk.hold(desk.setup.transfer_keys([KeyKind.GUEK]))
    assert desk.association.keys == desk.before
    new = GUEK._replace(version=1)
    assert desk.setup.in_doubt == desk.before._replace(guek=new)
    assert len(desk.ring.get(new)) == 16


def test_keys_that_wait_for_the_next_association() -> None:
    """The knob of either end: not for this one, and for the next."""
    knobs = Knobs(key_in_force=KeyInForce.NEXT_ASSOCIATION)
    desk = Desk(lambda method, data: None, knobs)
    desk.hold(desk.setup.transfer_keys([KeyKind.GUEK]))
    assert desk.in_use == GUEK
    assert desk.association.keys.guek == GUEK._replace(version=1)


def test_a_broadcast_key_is_not_used_on_a_unicast_address() -> None:
    desk = Desk(lambda method, data: None)
    desk.hold(desk.setup.transfer_keys([KeyKind.GBEK]))
    security = desk.association._security
    assert security is not None
    assert security.gbek is None
    assert desk.association.keys.gbek == KeyRef(METER, "lab", KeyKind.GBEK, version=1)


def test_the_meters_new_key() -> None:
    desk = Desk(lambda method, data: None)
    desk.hold(desk.setup.import_certificate(b"client's"))
    assert desk.association.keys == desk.before
    for purpose, public in ((CertificatePurpose.SIGNATURE, b"s"), (CertificatePurpose.TLS, b"t")):
        desk.hold(desk.setup.import_certificate(b"own", MeterKey(purpose, public)))
    assert desk.association.keys == desk.before._replace(peer_public=b"s")
    agreement = MeterKey(CertificatePurpose.KEY_AGREEMENT, b"a")
    desk.hold(desk.setup.import_certificate(b"own", agreement))
    assert desk.association.keys.peer_agreement_public == b"a"


def test_a_certificate_that_is_refused_changes_no_key() -> None:
    desk = Desk(refuse)
    own = MeterKey(CertificatePurpose.SIGNATURE, b"s")
    with pytest.raises(AccessRefused):
        desk.hold(desk.setup.import_certificate(b"own", own))
    assert desk.association.keys == desk.before


@pytest.mark.parametrize("returned", [None, unsigned(1), array()])
def test_no_octets(returned: Data | None) -> None:
    desk = Desk(lambda method, data: returned)
    with pytest.raises(RemoteProtocolError):
        desk.hold(desk.setup.certificate_request(CertificatePurpose.SIGNATURE))


def test_octets() -> None:
    desk = Desk(lambda method, data: octet_string(b"request"))
    request = desk.hold(desk.setup.certificate_request(CertificatePurpose.SIGNATURE))
    assert request == b"request"


def test_a_policy_strengthens_the_protection_of_requests() -> None:
    numbers = []
    desk = Desk(lambda method, data: numbers.append((method, data.value)))
    desk.hold(desk.setup.activate_policy(Policy(Protection.ENCRYPTED, Protection.BOTH)))
    assert numbers == [(1, 0b0110_1000)]
    assert desk.association.config.protection is Protection.BOTH
    desk.hold(desk.setup.activate_policy(Policy(Protection.BOTH, Protection.BOTH), version=0))
    assert numbers[1] == (1, 3)


@pytest.mark.parametrize(
    "policy",
    [Policy(Protection.BOTH), Policy(Protection.SIGNED, Protection.SIGNED)],
)
def test_what_version_0_cannot_say(policy: Policy) -> None:
    desk = Desk(refuse)
    with pytest.raises(LocalProtocolError):
        desk.hold(desk.setup.activate_policy(policy, version=0))


def test_a_refused_policy_changes_nothing() -> None:
    desk = Desk(refuse)
    with pytest.raises(AccessRefused):
        desk.hold(desk.setup.activate_policy(Policy(Protection.BOTH)))
    assert desk.association.config.protection is Protection.AUTHENTICATED


def test_no_agreement_in_suite_0() -> None:
    desk = Desk(refuse, suite=1)
    association = desk.association
    association.config = ClientConfig(
        client_sap=1,
        server_sap=1,
        context=ApplicationContext.LN_CIPHERED,
        mechanism=Mechanism.NONE,
        conformance=Conformance.ACTION,
        own_title=CLIENT,
    )
    with pytest.raises(LocalProtocolError, match="suite 1 or 2"):
        desk.hold(desk.setup.agree_keys([KeyKind.GUEK]))
