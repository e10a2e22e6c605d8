"""Every authentication mechanism, both ends, in plain and ciphered contexts (reference 2.6)."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import PASS_3
from dlms.association.events import (
    AssociationOpened,
    AssociationRefused,
    AuthenticationFailed,
    AuthenticationPending,
)
from dlms.association.state import State
from dlms.axdr.data import octet_string
from dlms.errors import CodecError, LocalProtocolError, RemoteProtocolError
from dlms.security.hls import Exchange, ManufacturerSteps
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import (
    CertificateFacts,
    CertificatePurpose,
    CheckCertificate,
    Curve,
    Digest,
    HashFunction,
    Step,
    Use,
    VerificationFailed,
)
from dlms.xdlms.action import ActionRequest

REFUSED = "c70141" + "03" + "00"
NOW = dt.datetime(2024, 5, 6, tzinfo=dt.UTC)
HLS = [mechanism for mechanism in Mechanism if mechanism.is_hls]
CONTEXTS = (ApplicationContext.LN, ApplicationContext.LN_CIPHERED)
CLIENT_CERTIFICATE, SERVER_CERTIFICATE, ANCHOR = b"client's DER", b"server's DER", b"root's DER"


def _whirl(exchange: Exchange, challenge: bytes) -> Step[bytes]:
    assert exchange.secret is not None
    digest: bytes = yield Digest(
        Use.ASSOCIATION, HashFunction.SHA384, (exchange.secret, challenge, b"whirl")
    )
    return digest


def _answer(exchange: Exchange) -> Step[bytes]:
    return (yield from _whirl(exchange, exchange.peer_challenge))


def _verify(exchange: Exchange, result: bytes) -> Step[None]:
    if result != (yield from _whirl(exchange, exchange.own_challenge)):
        raise VerificationFailed("it does not whirl")


WHIRL = ManufacturerSteps(_answer, _verify)
"""A mechanism 2 of nobody's."""


@pytest.fixture
def make(bench: Any, names: dict[str, Any]) -> Any:
    """``make(mechanism, context, suite)``: a bench with all that mechanisms need."""

    def make(
        mechanism: Mechanism,
        context: ApplicationContext = ApplicationContext.LN,
        suite: int = 1,
        **changes: Any,
    ) -> Any:
        curve = Curve.P384 if suite == 2 else Curve.P256
        client, server = names["CLIENT_SIGNING"], names["SERVER_SIGNING"]
        public = names["PUBLIC_KEYS"]
        config = {"suite": suite, "manufacturer": WHIRL}
        pair = bench(
            mechanism=mechanism,
            context=context,
            client={**config, **changes.pop("client", {})},
            server={**config, **changes.pop("server", {})},
            keys={"hls_secret": names["HLS_SECRET"]},
            server_keys={"signing_key": server, "peer_public": public[client, curve]},
            client_keys={"signing_key": client, "peer_public": public[server, curve]},
            **changes,
        )
        for module in (pair.server_module, pair.client_module):
            module.curve = curve
            if suite == 2:  # its symmetric keys have 32 octets
                for ref in (names["GUEK"], names["GAK"]):
                    module.keys.keep(
                        ref, bytes(range(32)) if ref.kind is KeyKind.GUEK else b"K" * 32
                    )
        return pair

    return make


@pytest.mark.parametrize("suite", [0, 1, 2])
@pytest.mark.parametrize(
    ("mechanism", "context"), list(product(Mechanism, CONTEXTS)), ids=lambda value: value.name
)
@pytest.mark.parametrize("dedicated", [False, True], ids=["global", "dedicated"])
def test_works(
    make: Any, mechanism: Mechanism, context: ApplicationContext, suite: int, dedicated: bool
) -> None:
    """X_SUITE1_HLS6_P, X_SUITE1_HLS7_P and the others."""
    if mechanism is Mechanism.HLS_ECDSA and suite == 0:
        pair = make(mechanism, context, suite)
        with pytest.raises(LocalProtocolError, match="suite 1 or 2"):
            pair.hit(pair.aarq().encode())
        assert pair.server.state is State.IDLE
        return
    pair = make(mechanism, context, suite, dedicated=dedicated and context.ciphered)
    pair.works()
    pair.works()
    if context.ciphered and dedicated:
        lengths = {len(pair.client_module.keys.get(pair.client_config.dedicated))}
        assert lengths == {32 if suite == 2 else 16}


def pass_3(pair: Any, f: bytes) -> bytes:
    return ActionRequest(0x41, PASS_3, octet_string(f)).encode()


def concluding(pair: Any) -> tuple[bytes, bytes]:
    """StoC and the client's title ‖ server's title ‖ StoC ‖ CtoS."""
    aa = pair.server.admitted
    stoc: bytes = aa.server_challenge
    return stoc, b"S1S\0\0\0\0\1" + b"MTR\0\0\0\0\1" + stoc + aa.client_challenge


SECRET = b"a secret for HLS"


@pytest.mark.parametrize(
    ("mechanism", "f"),
    [
        (Mechanism.HLS_MD5, lambda stoc, bound: hashlib.md5(stoc + SECRET).digest()),
        (Mechanism.HLS_SHA1, lambda stoc, bound: hashlib.sha1(stoc + SECRET).digest()),
        (Mechanism.HLS_SHA256, lambda stoc, bound: hashlib.sha256(SECRET + bound).digest()),
        (Mechanism.HLS, lambda stoc, bound: hashlib.sha384(SECRET + stoc + b"whirl").digest()),
    ],
    ids=lambda value: getattr(value, "name", "f"),
)
def test_f_by_hand(make: Any, mechanism: Mechanism, f: Any) -> None:
    """R-HLS-6: Table 42: what is hashed, and in which order, in passes 3 and 4."""
    pair = make(mechanism)
    pair.begin()
    ctos = pair.client._proposed.challenge
    right = f(*concluding(pair))
    hit = pair.hit(pass_3(pair, right))
    assert isinstance(hit.event, AssociationOpened)
    stoc = pair.client._accepted.challenge
    bound = b"MTR\0\0\0\0\1" + b"S1S\0\0\0\0\1" + ctos + stoc
    assert hit.reply.endswith(f(ctos, bound))


def wrong_results(pair: Any, mechanism: Mechanism, right: bytes) -> dict[str, bytes]:
    stoc, _ = concluding(pair)
    return {
        "empty": b"",
        "cut": right[:-1],
        "longer": right + b"\0",
        "half": right[: len(right) // 2],
        "flipped first": bytes((right[0] ^ 1,)) + right[1:],
        "flipped last": right[:-1] + bytes((right[-1] ^ 1,)),
        "zeros": bytes(len(right)),
        "the challenge": stoc,
        "the secret": SECRET,
    }


@pytest.mark.parametrize("mechanism", [m for m in HLS if m is not Mechanism.HLS_GMAC])
@pytest.mark.parametrize("name", list(range(9)))
def test_wrong_f_is_refused_and_ends_it(make: Any, mechanism: Mechanism, name: int) -> None:
    """R-HLS-5, KL-HL-05, 07. GMAC is in test_server_hls.py."""
    pair = make(mechanism)
    pair.begin()
    octets = pair.ask(pair.client.authenticate())
    length = octets[14]
    right = octets[-length:]
    assert octets == pass_3(pair, right)
    wrong = list(wrong_results(pair, mechanism, right).values())[name]
    hit = pair.hit(pass_3(pair, wrong))
    assert isinstance(hit.event, AuthenticationFailed)
    assert hit.reply.hex() == REFUSED
    assert pair.server.state is State.IDLE
    assert pair.hit(octets).reply.hex() == "d80102"
    pair.works()


@pytest.mark.parametrize("mechanism", [m for m in HLS if m is not Mechanism.HLS_GMAC])
def test_the_client_checks_pass_4(make: Any, mechanism: Mechanism) -> None:
    """X_CLI_FCTOS_BAD: also its own f sent back (KL-HL-02)."""
    for change in ("flip", "reflect", "cut"):
        pair = make(mechanism)
        pair.begin()
        octets = pair.ask(pair.client.authenticate())
        reply = pair.hit(octets).reply
        f = octets[-octets[14] :]
        answer = reply[-octets[14] :]
        assert f != answer
        wrong = {"flip": answer[:-1] + bytes((answer[-1] ^ 1,)), "reflect": f, "cut": b""}[change]
        forged = reply[: -len(answer) - 1] + bytes((len(wrong),)) + wrong
        event = pair.ask(pair.client.receive(forged))
        assert isinstance(event, AuthenticationFailed), change
        assert pair.client.state is State.IDLE


@pytest.mark.parametrize("end", ["client", "server"])
@pytest.mark.parametrize(
    "mechanism", [Mechanism.HLS, Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256]
)
def test_another_secret(make: Any, names: dict[str, Any], mechanism: Mechanism, end: str) -> None:
    pair = make(mechanism)
    module = pair.client_module if end == "client" else pair.server_module
    module.keys.keep(names["HLS_SECRET"], b"a secret for hls")
    pair.begin()
    hit = pair.hit(pair.ask(pair.client.authenticate()))
    assert isinstance(hit.event, AuthenticationFailed)
    assert isinstance(pair.ask(pair.client.receive(hit.reply)), AuthenticationFailed)


LIMITS = dict.fromkeys(HLS, (8, 64)) | {Mechanism.HLS_ECDSA: (32, 64)}


@pytest.mark.parametrize("mechanism", HLS, ids=lambda mechanism: mechanism.name)
def test_challenge_lengths(make: Any, mechanism: Mechanism) -> None:
    """R-HLS-4, KL-HL-03, at both ends."""
    low, high = LIMITS[mechanism]
    pair = make(mechanism)
    for length in (0, 1, 7, 8, 31, 32, 63, 64, 65, 127):
        value = AuthenticationValue(bytes(length))
        hit = pair.hit(pair.aarq(calling_authentication_value=value).encode())
        fits = low <= length <= high
        assert isinstance(hit.event, AuthenticationPending if fits else AssociationRefused)
        if fits:
            stoc = Aare.decode(hit.reply).responding_authentication_value
            assert low <= len(stoc.octets) <= high
        pair.renew()
        aarq = pair.ask(pair.client.open())
        assert low <= len(Aarq.decode(aarq).calling_authentication_value.octets) <= high
        aare = Aare.decode(pair.hit(aarq).reply)
        forged = aare._replace(responding_authentication_value=AuthenticationValue(b"S" * length))
        if fits:
            pair.ask(pair.client.receive(forged.encode()))
        else:
            with pytest.raises(RemoteProtocolError, match="challenge"):
                pair.ask(pair.client.receive(forged.encode()))


@pytest.mark.parametrize("mechanism", HLS, ids=lambda mechanism: mechanism.name)
def test_no_needless_fields(make: Any, mechanism: Mechanism) -> None:
    """APPL_OPEN_6 1: titles only where they are computed with, certificates only for signatures."""
    certificate = None if mechanism is Mechanism.HLS_ECDSA else b"DER"
    pair = make(mechanism, client={"certificate": certificate}, server={"certificate": certificate})
    octets = pair.ask(pair.client.open())
    aarq, aare = Aarq.decode(octets), Aare.decode(pair.hit(octets).reply)
    titled = mechanism in (Mechanism.HLS_GMAC, Mechanism.HLS_SHA256, Mechanism.HLS_ECDSA)
    assert (aarq.calling_ap_title is not None) is titled
    assert (aare.responding_ap_title is not None) is titled
    assert aarq.calling_ae_qualifier is None
    assert aare.responding_ae_qualifier is None
    assert aarq.calling_ae_invocation_id is aare.responding_ae_invocation_id is None


LACKING: dict[Mechanism, dict[str, Any]] = {
    Mechanism.HLS_MD5: {"hls_secret": None},
    Mechanism.HLS_SHA1: {"hls_secret": None},
    Mechanism.HLS_SHA256: {"hls_secret": None},
    Mechanism.HLS_ECDSA: {"signing_key": None},
}


@pytest.mark.parametrize("mechanism", LACKING, ids=lambda mechanism: mechanism.name)
def test_a_server_without_credentials_admits_nobody(make: Any, mechanism: Mechanism) -> None:
    pair = make(mechanism)
    octets = pair.aarq().encode()
    pair.server_keys = {**pair.server_keys, **LACKING[mechanism]}
    pair.renew()
    assert pair.hit(octets).reply.hex() == "6117a109060760857405080101a203020101a305a10302010d"
    pair.client_keys = {**pair.client_keys, **LACKING[mechanism]}
    pair.renew()
    with pytest.raises(LocalProtocolError, match="needs a"):
        pair.ask(pair.client.open())


def test_mechanism_2_that_nobody_has_defined(make: Any) -> None:
    pair = make(Mechanism.HLS, server={"manufacturer": None}, client={"manufacturer": None})
    assert pair.hit(pair.aarq().encode()).reply.hex().endswith("a305a10302010b")
    with pytest.raises(LocalProtocolError, match="mechanism 2"):
        pair.ask(pair.client.open())


def test_a_manufacturer_may_refuse_by_layout(make: Any) -> None:
    def verify(exchange: Exchange, result: bytes) -> Step[None]:
        raise CodecError("not so long", field="f(challenge)")
        yield  # a step

    pair = make(Mechanism.HLS, server={"manufacturer": WHIRL._replace(verify=verify)})
    pair.begin()
    hit = pair.hit(pair.ask(pair.client.authenticate()))
    assert isinstance(hit.event, AuthenticationFailed)
    assert "not so long" in hit.event.why


# Mechanism 7


def der(signature: bytes) -> bytes:
    half = len(signature) // 2
    numbers = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    octets: bytes = encode_dss_signature(*numbers)
    assert decode_dss_signature(octets)
    return octets


@pytest.mark.parametrize("suite", [1, 2])
def test_signatures_that_are_refused(make: Any, names: dict[str, Any], suite: int) -> None:
    """X_SUITE1_HLS7_N, KL-PK-12: DER, other order, other key, other titles."""
    stranger = KeyRef(b"XYZ\0\0\0\0\1", "s1sp", KeyKind.SIGNING_KEY)
    assert stranger not in names["SIGNING_KEYS"]
    pair = make(Mechanism.HLS_ECDSA, suite=suite)
    client, server = names["CLIENT_SIGNING"], names["SERVER_SIGNING"]

    def signed(message: bytes, ref: KeyRef = client) -> bytes:
        from dlms.security.ops import Sign

        octets: bytes = pair.client_module.execute(Sign(Use.ASSOCIATION, ref, message))
        return octets

    def parts() -> tuple[bytes, bytes, bytes, bytes]:
        aa = pair.server.admitted
        return b"S1S\0\0\0\0\1", b"MTR\0\0\0\0\1", aa.server_challenge, aa.client_challenge

    cases: dict[str, Any] = {
        "DER": lambda: der(signed(b"".join(parts()))),
        "titles swapped": lambda: signed(b"".join(parts()[i] for i in (1, 0, 2, 3))),
        "challenges swapped": lambda: signed(b"".join(parts()[i] for i in (0, 1, 3, 2))),
        "challenge alone": lambda: signed(parts()[2]),
        "server's key": lambda: signed(b"".join(parts()), server),
        "r and s of zero": lambda: bytes(96 if suite == 2 else 64),
    }
    for name, make_f in cases.items():
        pair.renew()
        pair.begin()
        hit = pair.hit(pass_3(pair, make_f()))
        assert isinstance(hit.event, AuthenticationFailed), name
        assert pair.server.state is State.IDLE
    pair.renew()
    pair.begin()
    assert isinstance(pair.hit(pass_3(pair, signed(b"".join(parts())))).event, AssociationOpened)


@pytest.fixture
def certified(make: Any, names: dict[str, Any]) -> Any:
    """Nobody's key is registered: both send a certificate."""
    pair = make(
        Mechanism.HLS_ECDSA,
        server={"certificate": SERVER_CERTIFICATE, "anchors": (ANCHOR,)},
        client={"certificate": CLIENT_CERTIFICATE, "anchors": (ANCHOR,)},
    )
    pair.server_keys = {**pair.server_keys, "peer_public": None}
    pair.client_keys = {**pair.client_keys, "peer_public": None}
    public = names["PUBLIC_KEYS"]

    def facts(ref: KeyRef) -> CertificateFacts:
        title = ref.holder
        purpose = CertificatePurpose.SIGNATURE
        return CertificateFacts(public[ref, Curve.P256], Curve.P256, title, *[b""] * 4, purpose)

    pair.server_module.certificates = {CLIENT_CERTIFICATE: facts(names["CLIENT_SIGNING"])}
    pair.client_module.certificates = {SERVER_CERTIFICATE: facts(names["SERVER_SIGNING"])}
    pair.now = NOW
    pair.renew()
    return pair


def test_certificates_in_the_qualifiers(certified: Any) -> None:
    certified.works()
    checks = [op for op in certified.server_module.ops if isinstance(op, CheckCertificate)]
    assert [(op.certificate, op.anchors, op.now, op.title) for op in checks] == [
        (CLIENT_CERTIFICATE, (ANCHOR,), NOW, b"S1S\0\0\0\0\1")
    ]


def refused_qualifier(pair: Any, octets: bytes) -> None:
    hit = pair.hit(octets)
    assert isinstance(hit.event, AssociationRefused)
    assert hit.reply.hex().endswith("a305a103020105")
    assert pair.server.state is State.IDLE


@pytest.mark.parametrize("qualifier", [None, b"", b"someone else's", b"\x30" * 4097])
def test_certificates_that_are_refused(certified: Any, qualifier: bytes | None) -> None:
    """R-HLS-7, KL-PK-11: calling-AE-qualifier-not-recognized."""
    refused_qualifier(certified, certified.aarq(calling_ae_qualifier=qualifier).encode())
    certified.works()


def test_certificate_without_time_or_anchor(certified: Any) -> None:
    octets = certified.aarq(calling_ae_qualifier=CLIENT_CERTIFICATE).encode()
    certified.now = None
    refused_qualifier(certified, octets)
    certified.now = NOW
    certified.server_config = replace(certified.server_config, anchors=())
    certified.renew()
    refused_qualifier(certified, octets)


def test_certificate_for_another_title_or_curve(certified: Any) -> None:
    octets = certified.aarq(calling_ae_qualifier=CLIENT_CERTIFICATE).encode()
    found = certified.server_module.certificates
    right = found[CLIENT_CERTIFICATE]
    for wrong in (right._replace(title=b"XYZ\0\0\0\0\1"), right._replace(curve=Curve.P384)):
        found[CLIENT_CERTIFICATE] = wrong
        refused_qualifier(certified, octets)


def test_a_registered_key_makes_certificates_needless(make: Any) -> None:
    """R-AA-5: what is not used is not looked at."""
    pair = make(Mechanism.HLS_ECDSA)
    hit = pair.hit(pair.aarq(calling_ae_qualifier=b"not even DER").encode())
    assert isinstance(hit.event, AuthenticationPending)


@pytest.mark.parametrize("qualifier", [None, b"", b"someone else's"])
def test_the_client_checks_the_servers_certificate(certified: Any, qualifier: bytes | None) -> None:
    aare = Aare.decode(certified.hit(certified.ask(certified.client.open())).reply)
    assert aare.responding_ae_qualifier == SERVER_CERTIFICATE
    forged = aare._replace(responding_ae_qualifier=qualifier)
    with pytest.raises(RemoteProtocolError):
        certified.ask(certified.client.receive(forged.encode(), NOW))
    assert certified.client.state is State.ASSOCIATING
