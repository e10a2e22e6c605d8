"""General-ciphering and general-signing through whole associations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.acse.aarq import Aarq
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import (
    AssociationOpened,
    AssociationReleased,
    AuthenticationPending,
    BlockExchanged,
    NotificationReceived,
    RequestReceived,
    ResponseReceived,
)
from dlms.association.knobs import Knobs, ResponseProtection
from dlms.axdr.data import octet_string, unsigned
from dlms.errors import RemoteProtocolError
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.security.general_ciphering import decode_general_ciphering, encode_general_ciphering
from dlms.security.general_signing import decode_general_signing
from dlms.security.key_choice import KeyChoice
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.message_keys import choice_of
from dlms.security.ops import Curve, GenerateKeyPair, Open, Seal, Use
from dlms.security.spent_keys import SpentKeys
from dlms.security.suites import SUITES, AlgorithmIdForm
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest, GetRequestNext, GetResponse

CLOCK_TIME = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
GET = GetRequest(0x41, CLOCK_TIME)
RESPONSE = GetResponse(0x41, unsigned(7))
NOTHING, A, E, BOTH, SIGNED = (
    Protection.NONE,
    Protection.AUTHENTICATED,
    Protection.ENCRYPTED,
    Protection.BOTH,
    Protection.SIGNED,
)
SERVICES = (
    Conformance.GET
    | Conformance.ACTION
    | Conformance.GENERAL_PROTECTION
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.DATA_NOTIFICATION
)
CHOICES = [KeyChoice.UNICAST, KeyChoice.WRAPPED, KeyChoice.ONE_PASS, KeyChoice.STATIC]
WAYS = [
    (suite, choice)
    for suite in (0, 1, 2)
    for choice in CHOICES
    if suite or choice in (KeyChoice.UNICAST, KeyChoice.WRAPPED)
]
DECIPHERING, WEAK, NOT_SUPPORTED = "d80105", "d80101", "d80102"


@pytest.fixture
def make(bench: Any, names: dict[str, Any]) -> Callable[..., Any]:
    """Both ends with a master key, and in suites 1 and 2 with key pairs that the other knows."""

    def build(suite: int = 1, *, titles: bool = True, **kind: Any) -> Any:
        title = {"server_title": names["SERVER_TITLE"]} if titles else {}
        common = {"suite": suite, "conformance": SERVICES}
        client = {"form": Form.CIPHERING, **title, **common, **kind.pop("client", {})}
        server = {**common, **kind.pop("server", {})}
        kek = KeyRef(names["SERVER_TITLE"], "s1sp", KeyKind.KEK)
        lends = {"kek": kek, **kind.pop("keys", {})}
        pair = bench(client=client, server=server, keys=lends, **kind)
        length, curve = SUITES[suite].key_length, SUITES[suite].curve
        for module in (pair.client_module, pair.server_module):
            module.curve = curve
            module.keys.keep(kek, bytes(range(0x40, 0x40 + length)))
            for ref in (names["GUEK"], names["GAK"]):
                module.keys.keep(ref, (module.keys.get(ref) * 2)[:length])
        if curve is not None:
            _exchange_publics(pair, curve, names)
        pair.renew()
        return pair

    return build


def _exchange_publics(pair: Any, curve: Curve, names: dict[str, Any]) -> None:
    agreement = {
        end: KeyRef(names[f"{end}_TITLE"], "s1sp", KeyKind.AGREEMENT_KEY)
        for end in ("CLIENT", "SERVER")
    }
    publics = {
        "CLIENT": pair.client_module.execute(
            GenerateKeyPair(Use.CERTIFICATE, agreement["CLIENT"], curve)
        ),
        "SERVER": pair.server_module.execute(
            GenerateKeyPair(Use.CERTIFICATE, agreement["SERVER"], curve)
        ),
    }
    for own, peer, keys in (
        ("CLIENT", "SERVER", pair.client_keys),
        ("SERVER", "CLIENT", pair.server_keys),
    ):
        keys.setdefault("signing_key", names[f"{own}_SIGNING"])
        keys.setdefault("agreement_key", agreement[own])
        keys.setdefault("peer_agreement_public", publics[peer])
        keys.setdefault("peer_public", names["PUBLIC_KEYS"][names[f"{peer}_SIGNING"], curve])


def ask(pair: Any) -> bytes:
    octets: bytes = pair.ask(pair.client.request(GET))
    return octets


def answer(pair: Any, required: Protection = NOTHING) -> bytes:
    octets: bytes = pair.serve(pair.server.send(RESPONSE, required))
    return octets


def refused(pair: Any, octets: bytes, reply: str) -> None:
    before = pair.digest()
    hit = pair.hit(octets)
    assert hit.reply is not None
    assert hit.reply.hex() == reply
    assert pair.digest() == before


# General-ciphering --------------------------------------------------------------------------------


@pytest.mark.parametrize("protection", [A, E, BOTH], ids=lambda p: p.name)
@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_there_and_back_in_kind(
    make: Any, suite: int, choice: KeyChoice, protection: Protection
) -> None:
    """The response has a key of the same kind and the transaction-id of its request."""
    pair = make(suite, client={"key_choice": choice, "protection": protection}).connect()
    for _ in range(3):
        request = ask(pair)
        assert pair.hit(request).event == RequestReceived(GET, True, protection)
        response = answer(pair)
        asked, answered = decode_general_ciphering(request), decode_general_ciphering(response)
        assert choice_of(asked.key_info) is choice_of(answered.key_info) is choice
        assert asked.header.transaction_id == answered.header.transaction_id
        assert len(asked.header.transaction_id) == 8
        assert answered.control == protection | suite
        assert pair.ask(pair.client.receive(response)) == ResponseReceived(RESPONSE)
    for module, title in (
        (pair.client_module, pair.client.config.own_title),
        (pair.server_module, pair.client.server_title),
    ):
        own = [vector for vector in module.vectors if vector[1] == title]  # not what it verified
        assert len(set(own)) == len(own) >= 4


@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_the_whole_association_goes_that_way(make: Any, suite: int, choice: KeyChoice) -> None:
    """AARQ, both passes of HLS and the release, too, once the meter's title is known."""
    pair = make(suite, client={"key_choice": choice}, server={"policy": BOTH})
    aarq = pair.ask(pair.client.open())
    user = Aarq.decode(aarq).user_information
    assert choice_of(decode_general_ciphering(user).key_info) is choice
    pair.ask(pair.client.receive(pair.hit(aarq).reply))
    third = pair.ask(pair.client.authenticate())
    assert third[0] == 0xDD
    pair.ask(pair.client.receive(pair.hit(third).reply))
    pair.get()
    hit = pair.hit(pair.ask(pair.client.release()))
    assert isinstance(hit.event, AssociationReleased)
    assert pair.ask(pair.client.receive(hit.reply)) == AssociationReleased(None)


def test_a_meter_whose_title_is_not_known(make: Any) -> None:
    """The InitiateRequest goes in general-glo-ciphering; the AARE brings the title."""
    pair = make(titles=False)
    aarq = pair.ask(pair.client.open())
    assert Aarq.decode(aarq).user_information[0] == 0xDB
    pair.ask(pair.client.receive(pair.hit(aarq).reply))
    pair.finish()
    assert pair.get()[0] == 0xDD


@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_a_message_comes_once(make: Any, suite: int, choice: KeyChoice) -> None:
    """KL-IC-22: not even over associations, for the meter remembers keys of single messages."""
    pair = make(suite, client={"key_choice": choice})
    spent = SpentKeys()

    def connect() -> None:
        pair.renew()
        pair.server._offer = pair.server._offer._replace(spent=spent)
        pair.begin()
        pair.finish()

    connect()
    octets = ask(pair)
    pair.hit(octets)
    answer(pair)
    for _ in range(2):
        hit = pair.hit(octets)
        assert isinstance(hit.error, RemoteProtocolError)
        assert hit.reply[:2] == b"\xd8\x01"
        assert hit.event is None
        connect()


@pytest.mark.parametrize(("suite", "choice"), WAYS)
def test_an_old_aare_opens_nothing(make: Any, suite: int, choice: KeyChoice) -> None:
    """An AARE that brings its own key is of the transaction of its AARQ."""
    pair = make(suite, client={"key_choice": choice}, mechanism=Mechanism.LLS)
    recorded = pair.hit(pair.ask(pair.client.open())).reply
    assert isinstance(pair.ask(pair.client.receive(recorded)), AssociationOpened)
    pair.renew()
    fresh = pair.hit(pair.ask(pair.client.open())).reply
    with pytest.raises(RemoteProtocolError):
        pair.ask(pair.client.receive(recorded))
    assert isinstance(pair.ask(pair.client.receive(fresh)), AssociationOpened)


def test_a_dedicated_key_is_lifted_by_the_module(make: Any) -> None:
    """Also out of general-ciphering: the core sees zeros."""
    pair = make(dedicated=True).connect()
    sealed = next(op for op in pair.client_module.ops if isinstance(op, Seal))
    assert any(isinstance(part, KeyRef) for part in sealed.payload)
    lifted = [op for op in pair.server_module.ops if isinstance(op, Open) and op.lift]
    assert len(lifted) == 1
    assert pair.get()[0] == 0xDD  # general-ciphering has no dedicated key, and takes its own


def test_one_pass_without_the_way_back(make: Any, names: dict[str, Any]) -> None:
    """A server that cannot agree a key with the client answers under the global key."""
    pair = make(client={"key_choice": KeyChoice.ONE_PASS})
    pair.server_keys["peer_agreement_public"] = None
    pair.connect()
    pair.hit(ask(pair))
    response = answer(pair)
    assert choice_of(decode_general_ciphering(response).key_info) is KeyChoice.UNICAST
    assert pair.ask(pair.client.receive(response)) == ResponseReceived(RESPONSE)


def test_not_negotiated(make: Any) -> None:
    pair = make(server={"conformance": Conformance.GET})
    pair.begin()
    refused(pair, pair.ask(pair.client.authenticate()), NOT_SUPPORTED)


def test_in_a_plain_context(make: Any) -> None:
    pair = make().connect()
    octets = ask(pair)
    plain = make(context=ApplicationContext.LN, mechanism=Mechanism.NONE).connect()
    refused(plain, octets, NOT_SUPPORTED)


def test_less_than_the_policy_demands(make: Any) -> None:
    pair = make(client={"protection": A}, server={"policy": BOTH})
    pair.begin()
    refused(pair, pair.ask(pair.client.authenticate()), WEAK)


@pytest.mark.parametrize("choice", CHOICES)
def test_every_octet_changed_is_refused(make: Any, choice: KeyChoice) -> None:
    pair = make(client={"key_choice": choice}, server={"policy": BOTH}).connect()
    octets = ask(pair)
    for at in range(1, len(octets)):
        before = pair.digest()
        hit = pair.hit(octets[:at] + bytes((octets[at] ^ 0x04,)) + octets[at + 1 :])
        assert hit.event is None, at
        assert hit.reply[0] == 0xD8
        assert pair.digest() == before
    assert isinstance(pair.hit(octets).event, RequestReceived)


@pytest.mark.parametrize(("suite", "choice"), WAYS)
@pytest.mark.parametrize("signed", [NOTHING, SIGNED], ids=["unsigned", "signed"])
def test_blocks_fit_the_pdu_size(
    make: Any, suite: int, choice: KeyChoice, signed: Protection
) -> None:
    """A long response is cut so that its blocks fit with all that is put around them."""
    if signed and not suite:
        return
    size = 700
    client = {"key_choice": choice, "max_pdu_size": size, "protection": BOTH | signed}
    pair = make(suite, client=client).connect()
    assert isinstance(pair.hit(ask(pair)).event, RequestReceived)
    reply = pair.serve(pair.server.send(GetResponse(0x41, octet_string(bytes(range(200)) * 20))))
    event = pair.ask(pair.client.receive(reply))
    assert isinstance(event, ResponseReceived)
    assert size - 12 <= len(reply) <= size
    while not event.response.last:
        request = pair.ask(pair.client.request(GetRequestNext(0x41, event.response.number)))
        hit = pair.hit(request)
        assert isinstance(hit.event, BlockExchanged)
        assert len(hit.reply) <= size
        event = pair.ask(pair.client.receive(hit.reply))


# Signatures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [Form.SERVICE, Form.GENERAL, Form.CIPHERING])
@pytest.mark.parametrize("suite", [1, 2])
def test_signed_and_ciphered(make: Any, suite: int, form: Form) -> None:
    client = {"form": form, "protection": BOTH | SIGNED}
    server = {"policy": BOTH | SIGNED}
    pair = make(suite, client=client, server=server).connect()
    request = ask(pair)
    assert request[0] == (0xDD if form is Form.CIPHERING else 0xDB)
    assert pair.hit(request).event == RequestReceived(GET, True, BOTH | SIGNED)
    response = answer(pair)
    assert response[0] == request[0]
    assert pair.ask(pair.client.receive(response)) == ResponseReceived(RESPONSE)
    hit = pair.hit(pair.ask(pair.client.release()))
    assert isinstance(hit.event, AssociationReleased), "what is released is not signed"


def test_signed_to_a_server_that_cannot_sign(make: Any) -> None:
    """It answers, and the client does not take it for what it wanted."""
    pair = make(client={"protection": BOTH | SIGNED})
    pair.server_keys["signing_key"] = None
    pair.renew()
    pair.begin()
    hit = pair.hit(pair.ask(pair.client.authenticate()))
    assert isinstance(hit.event, AssociationOpened)
    with pytest.raises(RemoteProtocolError):
        pair.ask(pair.client.receive(hit.reply))


def test_signed_alone(make: Any) -> None:
    pair = make(client={"protection": SIGNED}, mechanism=Mechanism.HLS_ECDSA).connect()
    request = ask(pair)
    signed = decode_general_signing(request)
    assert signed.content == GET.encode()
    assert pair.hit(request).event == RequestReceived(GET, True, SIGNED)
    response = answer(pair)
    assert decode_general_signing(response).content == RESPONSE.encode()
    assert decode_general_signing(response).header.transaction_id == signed.header.transaction_id
    assert pair.ask(pair.client.receive(response)) == ResponseReceived(RESPONSE)
    bent = response[:-1] + bytes((response[-1] ^ 1,))
    ask(pair)
    with pytest.raises(RemoteProtocolError):
        pair.ask(pair.client.receive(bent))


def test_a_signature_that_the_policy_demands(make: Any) -> None:
    """R-PROT-1: ciphered as it should be, and not signed. Its counter is spent: it did verify."""
    pair = make(client={"protection": BOTH | SIGNED}, server={"policy": SIGNED | BOTH}).connect()
    assert pair.hit(pair.sealed(GET.encode(), control=0x31)).reply.hex() == WEAK
    refused(pair, GET.encode(), WEAK)
    pair.get()


def test_a_client_that_signs_wants_signed_responses(make: Any) -> None:
    pair = make(client={"protection": BOTH | SIGNED}).connect()
    pair.hit(ask(pair))
    with pytest.raises(RemoteProtocolError):
        pair.ask(pair.client.receive(pair.from_server(RESPONSE.encode(), control=0x31)))


@pytest.mark.parametrize("form", [Form.SERVICE, Form.CIPHERING])
def test_a_right_that_promises_a_signed_response(make: Any, form: Form) -> None:
    pair = make(client={"form": form}).connect()
    pair.hit(ask(pair))
    response = answer(pair, SIGNED)
    assert response[0] == (0xDD if form is Form.CIPHERING else 0xDB)
    assert pair.ask(pair.client.receive(response)) == ResponseReceived(RESPONSE)
    verified = [op for op in pair.client_module.ops if type(op).__name__ == "Verify"]
    assert len(verified) == 1


def test_the_policy_of_responses_is_kept_of_its_own(make: Any) -> None:
    """Requests and responses have bits of their own (GB Ed. 8, Table 34)."""
    for rule, signed in (
        (ResponseProtection.AT_LEAST_REQUEST, True),
        (ResponseProtection.POLICY, True),
        (ResponseProtection.AS_REQUEST, False),
    ):
        server = {
            "policy": A,
            "response_policy": BOTH | SIGNED,
            "knobs": Knobs(response_protection=rule),
        }
        pair = make(client={"form": Form.GENERAL}, server=server).connect()
        pair.hit(ask(pair))
        response = answer(pair)
        pair.ask(pair.client.receive(response))
        verified = [op for op in pair.client_module.ops if type(op).__name__ == "Verify"]
        assert bool(verified) is signed


def test_notifications_are_signed_where_responses_are(make: Any) -> None:
    pair = make(
        client={"protection": BOTH | SIGNED}, server={"response_policy": BOTH | SIGNED}
    ).connect()
    told = DataNotification(1, unsigned(3))
    octets = pair.serve(pair.server.notify(told))
    assert octets[0] == 0xDB
    assert pair.ask(pair.client.receive(octets)) == NotificationReceived(told)


def test_new_keys_are_taken_up(make: Any, names: dict[str, Any]) -> None:
    """A master key and key pairs that were replaced are used from the next APDU on."""
    pair = make(client={"key_choice": KeyChoice.WRAPPED}).connect()
    pair.get()
    fresh = KeyRef(names["SERVER_TITLE"], "s1sp", KeyKind.KEK, version=1)
    for module in (pair.server_module, pair.client_module):
        module.keys.keep(fresh, bytes(range(0x60, 0x70)))
    keys = pair.keys._replace(**{**pair.server_keys, "kek": fresh})
    pair.server.adopt(pair.server_config, keys)
    refused(pair, ask(pair), DECIPHERING)
    pair.client.close().close()
    pair.client._waiting_for = None
    pair.client._general.kek = fresh
    pair.get()


# What the books leave open ------------------------------------------------------------------------


def bent(octets: bytes, **changes: Any) -> bytes:
    message = decode_general_ciphering(octets)
    parts = {"key_info": message.key_info, "counter": message.counter} | changes
    return encode_general_ciphering(
        message.header, parts["key_info"], message.control, parts["counter"], message.body
    )


@pytest.mark.parametrize("optional", [False, True])
def test_a_message_without_key_info(make: Any, optional: bool) -> None:
    pair = make(server={"knobs": Knobs(key_info_optional=optional)}).connect()
    octets = bent(ask(pair), key_info=None)
    if optional:
        assert isinstance(pair.hit(octets).event, RequestReceived)
    else:
        refused(pair, octets, DECIPHERING)


@pytest.mark.parametrize("zero", [False, True])
def test_the_counter_of_a_message_that_brings_its_key(make: Any, zero: bool) -> None:
    """Whether it has to be 0; if not, the tag decides, and here it is another counter's."""
    pair = make(
        client={"key_choice": KeyChoice.WRAPPED},
        server={"knobs": Knobs(message_counter_zero=zero)},
    ).connect()
    octets = bent(ask(pair), counter=1)
    hit = pair.hit(octets)
    assert hit.reply.hex() == ("d8010600000000" if zero else DECIPHERING)
    opened = [op for op in pair.server_module.ops if isinstance(op, Open) and op.counter == 1]
    assert bool(opened) is not zero or zero is False


@pytest.mark.parametrize("client", AlgorithmIdForm)
@pytest.mark.parametrize("server", AlgorithmIdForm)
def test_how_the_algorithm_is_named_where_a_key_is_derived(
    make: Any, client: AlgorithmIdForm, server: AlgorithmIdForm
) -> None:
    """Both ends have to do it the same way, or the keys differ and no tag verifies."""
    pair = make(
        client={
            "key_choice": KeyChoice.STATIC,
            "knobs": Knobs(algorithm_id_form=client),
        },
        server={"knobs": Knobs(algorithm_id_form=server)},
    )
    aarq = pair.ask(pair.client.open())
    hit = pair.hit(aarq)
    assert isinstance(hit.event, AuthenticationPending) is (client is server)


@pytest.mark.parametrize("covered", [False, True])
def test_what_a_signature_covers(make: Any, covered: bool) -> None:
    ours = {"knobs": Knobs(content_length_signed=covered)}
    other = {"knobs": Knobs(content_length_signed=not covered)}
    pair = make(client={"protection": SIGNED, **ours}, server=ours, mechanism=Mechanism.HLS_ECDSA)
    pair.connect().get()
    pair = make(client={"protection": SIGNED, **ours}, server=other, mechanism=Mechanism.HLS_ECDSA)
    pair.begin()
    hit = pair.hit(pair.ask(pair.client.authenticate()))
    assert hit.reply.hex() == DECIPHERING
