"""key_agreement: all keys of the array or none, with the client whose certificate is held."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devices.certificates import StoredCertificate
from devices.objects.security_setup import global_keys
from dlms.axdr.data import array, enum, octet_string, structure
from dlms.cosem.security_setup import (
    ByEntity,
    Entity,
    identification_data,
    keys_data,
    keys_of,
)
from dlms.security.drive import run
from dlms.security.key_agreement import KEY_IDS, Parties, Place, conclude, offer
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    Agree,
    CertificatePurpose,
    CheckCertificate,
    GenerateKeyPair,
    KeyUnavailable,
    PublicKey,
    Sign,
    Use,
    Verify,
)
from dlms.security.suites import SUITES, AlgorithmIdForm
from dlms.xdlms.codes import ActionResult
from emulator.modules import certificates
from emulator.provisioning import CLIENT_TITLE

SUCCESS, REFUSED = ActionResult.SUCCESS, ActionResult.OTHER_REASON
SETUPS = {
    "suite1": "0-0:43.0.11.255",
    "suite2": "0-0:43.0.12.255",
    "ecdsa1": "0-0:43.0.14.255",
    "ecdsa2": "0-0:43.0.15.255",
}
VECTORS = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "vectors" / "agreement.json").read_text()
)


class Client:
    """The client's end of one association, whose module is the meter's as well."""

    def __init__(self, meter: Any, scope: str = "suite1") -> None:
        self.meter, self.scope = meter, scope
        self.signer = KeyRef(CLIENT_TITLE, scope, KeyKind.SIGNING_KEY)
        row = meter.association(scope)
        self.parties = Parties(
            suite=row.config.suite,
            client_title=CLIENT_TITLE,
            server_title=meter.device.title,
            signing_key=self.signer,
            peer_signing_public=meter.module.execute(
                PublicKey(Use.AGREE_KEY, meter.device.keys(row).signing_key)
            ),
        )

    def offer(self, key_id: int, parties: Parties | None = None) -> bytes:
        key_data = run(
            offer(parties or self.parties, key_id, self.pair(key_id)), self.meter.module.execute
        )
        assert isinstance(key_data, bytes)
        return key_data

    def pair(self, key_id: int) -> KeyRef:
        lifetime = KeyLifetime.SINGLE_ASSOCIATION
        return KeyRef(CLIENT_TITLE, f"ours#{key_id}", KeyKind.AGREEMENT_KEY, lifetime)

    def conclude(self, key_id: int, key_data: bytes) -> bytes:
        into = KeyRef(CLIENT_TITLE, f"agreed#{key_id}", KEY_IDS[key_id])
        place = Place(self.pair(key_id), into)
        run(conclude(self.parties, key_id, place, key_data), self.meter.module.execute)
        octets = self.meter.ring.get(into)
        assert isinstance(octets, bytes)
        return octets

    def agree(self, rows: dict[int, bytes]) -> Any:
        return self.meter.invoke(SETUPS[self.scope], 3, keys_data(rows), self.scope)


def made(meter: Any) -> set[KeyRef]:
    """The meter's keys that are not derived, whenever they are first asked for."""
    kept = {ref for ref in meter.ring.refs if ref.holder == meter.device.title}
    return {ref for ref in kept if ref.version or ref.lifetime is not KeyLifetime.LONG_LIVED}


class Unchanged:
    """Nothing of keys, counters, state or module differs at the end from the beginning."""

    def __init__(self, meter: Any) -> None:
        self.meter = meter

    def seen(self) -> tuple[object, ...]:
        device = self.meter.device
        keys = [device.key(scope, kind) for scope in SETUPS for kind in KEY_IDS.values()]
        octets = [self.meter.ring.get(ref) for ref in keys]
        state = device.state
        return (
            keys,
            octets,
            state.digest(),
            state.counters.snapshot(),
            state.security_revision,
            made(self.meter),
        )

    def __enter__(self) -> None:
        self.before = self.seen()

    def __exit__(self, *exc_info: object) -> None:
        assert self.seen() == self.before


@pytest.mark.parametrize("scope", SETUPS)
@pytest.mark.parametrize("ids", [(0,), (1,), (2,), (3,), (0, 2), (3, 2, 1, 0)])
def test_both_ends_have_the_same_keys(laboratory: Any, scope: str, ids: tuple[int, ...]) -> None:
    client = Client(laboratory, scope)
    device = laboratory.device
    before = {kind: device.key(scope, kind) for kind in KEY_IDS.values()}
    for ref in before.values():
        device.state.counters.accept(ref, 41)
    response = client.agree({key_id: client.offer(key_id) for key_id in ids})
    assert response.result is SUCCESS
    answers = keys_of(response.returned)
    assert tuple(answers) == ids
    length = SUITES[laboratory.association(scope).config.suite].key_length
    for key_id, kind in KEY_IDS.items():
        key = device.key(scope, kind)
        if key_id in ids:
            assert key == before[kind]._replace(version=1)
            octets = client.conclude(key_id, answers[key_id])
            assert laboratory.ring.get(key) == octets
            assert len(octets) == length
            assert device.state.counters.floor(key) == 0
        else:
            assert key == before[kind]
    assert device.state.security_revision == 1
    # The ephemeral keys are destroyed, and floors of old keys stay.
    assert "#" not in "".join(
        ref.scope for ref in laboratory.ring.refs if ref.holder != CLIENT_TITLE
    )
    assert device.state.counters.floor(before[KeyKind.GUEK]) == 42


def test_counters_begin_anew_for_encryption_keys_alone(laboratory: Any) -> None:
    """R-IC-8: those of a key that was agreed are there, those of others are not touched."""
    client = Client(laboratory)
    assert client.agree({0: client.offer(0), 2: client.offer(2)}).result is SUCCESS
    rows = {row.ek for row in laboratory.device.state.counters.snapshot()}
    assert rows == {laboratory.device.key("suite1", KeyKind.GUEK)}


def test_known_answer(make_bench: Callable[..., Any], fleet: Any) -> None:
    """Green Book Ed. 8, Annex C: the client's key_data, the meter's ephemeral key, what they agree.

    The early print's form of AlgorithmID, which the profile of a meter may have.
    """
    extra = '[associations.suite1]\nknobs = { algorithm_id_form = "EARLY_PRINT" }\n'
    meter = make_bench("laboratory", extra)
    row = meter.association("suite1")
    assert row.config.knobs.algorithm_id_form is AlgorithmIdForm.EARLY_PRINT
    vectors = {row["name"]: row for row in VECTORS}
    sent = vectors["key_agreement, global unicast key, from the client"]
    derived = vectors["ephemeral unified model, early print"]
    client = bytes.fromhex(derived["party_u"])
    meter.device.title = bytes.fromhex(derived["party_v"])
    authority = fleet.authority(1)
    purpose = CertificatePurpose.SIGNATURE
    hold(meter, authority, authority.issue(client, purpose, bytes.fromhex(sent["signer"])))
    execute = meter.module.execute

    def rigged(op: Any) -> Any:
        if isinstance(op, GenerateKeyPair):
            meter.ring.keep(op.into, bytes.fromhex(derived["private"]))
            return execute(PublicKey(op.use, op.into))
        return execute(op)

    meter.module.execute = rigged
    response = meter.invoke(
        SETUPS["suite1"], 3, keys_data({0: bytes.fromhex(sent["hex"])}), "suite1"
    )
    assert response.result is SUCCESS
    key = meter.ring.get(meter.device.key("suite1", KeyKind.GUEK))
    assert key.hex().upper() == derived["key"]


def hold(meter: Any, authority: Any, certificate: bytes) -> None:
    """Give a meter an anchor and its client's signature certificate."""

    def stored(entity: Entity, der: bytes, purpose: CertificatePurpose) -> StoredCertificate:
        op = CheckCertificate(Use.CERTIFICATE, der, purpose, (authority.certificate,), meter.now)
        return StoredCertificate(entity, der, certificates.check(op))

    root = stored(Entity.AUTHORITY, authority.certificate, CertificatePurpose.AUTHORITY)
    meter.device.anchors = (root,)
    one = stored(Entity.CLIENT, certificate, CertificatePurpose.SIGNATURE)
    meter.device.state.certificates["suite1"] = (one,)


def test_the_same_ephemeral_key_gives_another_key(laboratory: Any) -> None:
    """KL-PK-03: the meter makes a fresh one."""
    client = Client(laboratory)
    offered = client.offer(0)
    agreed = []
    for _ in range(2):
        assert client.agree({0: offered}).result is SUCCESS
        agreed.append(laboratory.ring.get(laboratory.device.key("suite1", KeyKind.GUEK)))
    assert agreed[0] != agreed[1]


def wrong_key_data(client: Client) -> dict[str, bytes]:
    good = client.offer(0)
    public, signature = good[:64], good[64:]
    stranger = client.signer._replace(scope="stranger")
    client.meter.module.execute(GenerateKeyPair(Use.CERTIFICATE, stranger, client.parties.curve))

    def signed(message: bytes, key: KeyRef = client.signer) -> bytes:
        octets = client.meter.module.execute(Sign(Use.AGREE_KEY, key, message))
        assert isinstance(octets, bytes)
        return octets

    off = public[:63] + bytes((public[63] ^ 1,))
    return {
        "nothing": b"",
        "too short": good[:-1],
        "too long": good + b"\0",
        "no signature": public,
        "with a tag": b"\x04" + good,
        "compressed": b"\x02" + public[:32] + signature,
        "a signature of nothing": public + bytes(64),
        "a flipped bit": good[:-1] + bytes((good[-1] ^ 1,)),
        "signed without its key_id": public + signed(public),
        "signed for another key_id": public + signed(b"\2" + public),
        "signed by a stranger": public + signed(b"\0" + public, stranger),
        "signed by the meter": public
        + signed(b"\0" + public, client.meter.device.key("suite1", KeyKind.SIGNING_KEY)),
        "off the curve": off + signed(b"\0" + off),
        "infinity": bytes(64) + signed(bytes(65)),
        "of suite 2": good + bytes(64),
    }


WRONG = (
    "nothing",
    "too short",
    "too long",
    "no signature",
    "with a tag",
    "compressed",
    "a signature of nothing",
    "a flipped bit",
    "signed without its key_id",
    "signed for another key_id",
    "signed by a stranger",
    "signed by the meter",
    "off the curve",
    "infinity",
    "of suite 2",
)


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("place", ["alone", "first", "last"])
def test_wrong_key_data_changes_nothing(laboratory: Any, what: str, place: str) -> None:
    """KL-PK-01, KL-PK-02, R-KEY-2."""
    client = Client(laboratory)
    wrong = wrong_key_data(client)
    assert wrong.keys() == set(WRONG)
    good = client.offer(2)
    rows = {
        "alone": {0: wrong[what]},
        "first": {0: wrong[what], 2: good},
        "last": {2: good, 0: wrong[what]},
    }[place]
    with Unchanged(laboratory):
        assert client.agree(rows).result is REFUSED
    assert client.agree({2: good}).result is SUCCESS


@pytest.mark.parametrize("ids", [(4,), (255,), (0, 4), (0, 0), ()])
def test_key_ids_that_are_none_or_come_twice(laboratory: Any, ids: tuple[int, ...]) -> None:
    client = Client(laboratory)
    key_data = client.offer(0)
    parameter = array(*(structure(enum(n), octet_string(key_data)) for n in ids))
    with Unchanged(laboratory):
        assert laboratory.act(SETUPS["suite1"], 3, parameter, "suite1") is REFUSED


@pytest.mark.parametrize("entity", [Entity.SERVER, Entity.CLIENT])
def test_without_a_certificate_there_is_no_agreement(laboratory: Any, entity: Entity) -> None:
    """KL-PK-02: that of the client was removed; or the meter has no key to sign with."""
    client = Client(laboratory)
    rows = {0: client.offer(0)}
    title = laboratory.device.title if entity is Entity.SERVER else CLIENT_TITLE
    named = identification_data(ByEntity(entity, CertificatePurpose.SIGNATURE, title))
    assert laboratory.act(SETUPS["suite1"], 8, named, "suite1") is SUCCESS
    with Unchanged(laboratory):
        assert client.agree(rows).result is REFUSED


def test_an_expired_certificate_is_good_no_more(laboratory: Any) -> None:
    """KL-PK-02, KL-PK-09: by true time, however the meter's clock is set."""
    client = Client(laboratory)
    rows = {0: client.offer(0)}
    laboratory.now = dt.datetime(1999, 12, 31, tzinfo=dt.UTC)
    laboratory.device.state.clock_offset = dt.timedelta(days=365)
    with Unchanged(laboratory):
        assert client.agree(rows).result is REFUSED


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        (CheckCertificate, 0),
        (Verify, 1),
        *((operation, after) for operation in (GenerateKeyPair, Sign, Agree) for after in (0, 1)),
    ],
)
def test_a_module_that_fails_half_way(laboratory: Any, operation: type, after: int) -> None:
    client = Client(laboratory)
    rows = {0: client.offer(0), 2: client.offer(2)}
    execute = laboratory.module.execute
    seen = 0

    def failing(op: Any) -> Any:
        nonlocal seen
        if isinstance(op, operation):
            seen += 1
            if seen > after:
                raise KeyUnavailable("gone")
        return execute(op)

    with Unchanged(laboratory):
        laboratory.module.execute = failing
        assert client.agree(rows).result is REFUSED
        laboratory.module.execute = execute
    assert client.agree(rows).result is SUCCESS


def test_no_key_that_was_used_before(laboratory: Any) -> None:
    """I1: the module is told of every key of every association, and of those of the same array."""
    client = Client(laboratory)
    assert client.agree({0: client.offer(0), 2: client.offer(2)}).result is SUCCESS
    first, second = (op for op in laboratory.operations if isinstance(op, Agree))
    assert {ref.scope for ref in first.unlike} > set(SETUPS)
    assert {ref.kind for ref in first.unlike} == set(KEY_IDS.values())
    assert second.unlike == (*first.unlike, first.into)


def test_rotations_come_to_an_end(laboratory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(global_keys, "MAX_ROTATIONS", 2)
    client = Client(laboratory)
    for _ in range(2):
        assert client.agree({0: client.offer(0)}).result is SUCCESS
    with Unchanged(laboratory):
        assert client.agree({0: client.offer(0)}).result is REFUSED
    assert client.agree({2: client.offer(2)}).result is SUCCESS


def test_suite_0_has_none(make_bench: Callable[..., Any]) -> None:
    extra = '[objects."0-0:43.0.16.255"]\nclass = "Security setup"\nversion = 1\n'
    meter = make_bench("laboratory", extra + 'rights.graded = "r m"\nassumed = "a test"\n')
    digest = meter.digest()
    setup = "0-0:43.0.16.255"
    assert meter.act(setup, 3, keys_data({0: bytes(128)}), "graded") is REFUSED
    assert meter.digest() == digest


def test_an_object_of_version_0_has_no_such_method(bench: Any) -> None:
    result = bench.act("0-0:43.0.2.255", 3, keys_data({0: bytes(128)}))
    assert result is ActionResult.OBJECT_UNDEFINED


def test_the_management_client_may_for_another(laboratory: Any) -> None:
    """The parties are those of the Security setup, whoever carries the message."""
    client = Client(laboratory, "suite2")
    rows = keys_data({0: client.offer(0)})
    response = laboratory.invoke(SETUPS["suite2"], 3, rows, "dco")
    assert response.result is SUCCESS
    agreed = client.conclude(0, keys_of(response.returned)[0])
    assert laboratory.ring.get(laboratory.device.key("suite2", KeyKind.GUEK)) == agreed
