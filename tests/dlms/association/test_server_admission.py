"""AARQs that the server refuses for what ACSE says, with the exact AARE (reference APPL_OPEN_*)."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.acse.fields import AuthenticationValue, ValueChoice
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import AssociationOpened, AssociationRefused, AuthenticationPending
from dlms.association.state import State
from dlms.errors import LocalProtocolError
from dlms.security.ops import Discard, KeyUnavailable, Mac, Open, Seal

OWN_TITLE = b"MTR\0\0\0\0\1"
OTHER_TITLE = b"S1S\0\0\0\0\2"


def aare_hex(context: int, choice: int, diagnostic: int, error: str = "") -> bytes:
    """A refusing AARE, put together by hand."""
    user = f"BE0604040{error}" if error else ""
    length = 23 + len(user) // 2
    return bytes.fromhex(
        f"61{length:02X}A10906076085740508010{context}A203020101"
        f"A305{choice:02X}030201{diagnostic:02X}{user}"
    )


def refused(pair: Any, octets: bytes, reply: bytes) -> AssociationRefused:
    """Check that ``octets`` are refused with ``reply`` and leave nothing behind."""
    before = pair.digest()
    hit = pair.hit(octets)
    assert hit.reply is not None
    assert hit.reply.hex() == reply.hex()
    assert isinstance(hit.event, AssociationRefused)
    assert hit.event.result is AssociationResult.REJECTED_PERMANENT
    assert pair.server.state is State.IDLE
    assert pair.digest() == before
    asked = [type(op) for op in pair.server_module.ops]
    assert Open not in asked
    assert Seal not in asked
    pair.works()
    return hit.event


UNKNOWN_CONTEXTS = {
    "plain LN at a ciphered SAP": ApplicationContext.LN.oid,
    "plain SN": ApplicationContext.SN.oid,
    "ciphered SN": ApplicationContext.SN_CIPHERED.oid,
    "number 5": bytes.fromhex("60857405080105"),
    "wrong arc": bytes.fromhex("60857504070203"),
    "prefix": bytes.fromhex("608574050801"),
    "longer": bytes.fromhex("6085740508010300"),
}


@pytest.mark.parametrize("oid", UNKNOWN_CONTEXTS.values(), ids=list(UNKNOWN_CONTEXTS))
def test_unknown_context(bench: Any, oid: bytes) -> None:
    pair = bench()
    octets = pair.aarq(application_context_name=oid).encode()
    refused(pair, octets, aare_hex(3, 0xA1, 2))


def test_ciphered_context_at_a_plain_sap(bench: Any) -> None:
    pair = bench(context=ApplicationContext.LN, mechanism=Mechanism.NONE)
    aarq = pair.aarq(application_context_name=ApplicationContext.LN_CIPHERED.oid)
    refused(pair, aarq.encode(), aare_hex(1, 0xA1, 2))


@pytest.mark.parametrize("bits", ["010001", "0", "01", ""])
def test_protocol_version_without_version1(bench: Any, bits: str) -> None:
    pair = bench()
    event = refused(pair, pair.aarq(protocol_version=bits).encode(), aare_hex(3, 0xA2, 2))
    assert event.diagnostic is ProviderDiagnostic.NO_COMMON_ACSE_VERSION


@pytest.mark.parametrize("bits", ["100001", "1"])
def test_protocol_version_with_version1(bench: Any, bits: str) -> None:
    pair = bench()
    event = pair.hit(pair.aarq(protocol_version=bits).encode()).event
    assert isinstance(event, AuthenticationPending)


MECHANISMS: dict[str, tuple[dict[str, Any], int]] = {
    "unit not asked for": ({"sender_acse_requirements": None}, 14),
    "unit denied": ({"sender_acse_requirements": False}, 14),
    "no mechanism": ({"mechanism_name": None}, 12),
    "lowest": ({"mechanism_name": Mechanism.NONE.oid}, 11),
    "low": ({"mechanism_name": Mechanism.LLS.oid}, 11),
    "HLS SHA-1": ({"mechanism_name": Mechanism.HLS_SHA1.oid}, 11),
    "HLS ECDSA": ({"mechanism_name": Mechanism.HLS_ECDSA.oid}, 11),
    "unknown": ({"mechanism_name": bytes.fromhex("60857405080263")}, 11),
    "a context's name": ({"mechanism_name": ApplicationContext.LN_CIPHERED.oid}, 11),
    "no value": ({"calling_authentication_value": None}, 13),
}


@pytest.mark.parametrize(("changes", "diagnostic"), MECHANISMS.values(), ids=list(MECHANISMS))
@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
def test_mechanism(
    bench: Any, context: ApplicationContext, changes: dict[str, Any], diagnostic: int
) -> None:
    """R-AA-2."""
    pair = bench(context=context)
    event = refused(pair, pair.aarq(**changes).encode(), aare_hex(context.value, 0xA1, diagnostic))
    assert event.diagnostic is UserDiagnostic(diagnostic)


def test_hls_is_not_taken_at_an_lls_sap(bench: Any) -> None:
    pair = bench(mechanism=Mechanism.LLS, context=ApplicationContext.LN)
    octets = pair.aarq(mechanism_name=Mechanism.HLS_GMAC.oid).encode()
    refused(pair, octets, aare_hex(1, 0xA1, 11))


def test_authentication_fields_at_the_lowest_level_are_ignored(bench: Any) -> None:
    pair = bench(mechanism=Mechanism.NONE, context=ApplicationContext.LN)
    aarq = pair.aarq(
        sender_acse_requirements=True,
        mechanism_name=Mechanism.LLS.oid,
        calling_authentication_value=AuthenticationValue(b"whatever"),
    )
    hit = pair.hit(aarq.encode())
    assert isinstance(hit.event, AssociationOpened)
    assert Aare.decode(hit.reply).mechanism_name is None


WRONG_SECRETS = {
    "empty": b"",
    "prefix": b"1234567",
    "one octet": b"1",
    "longer": b"123456789",
    "NUL-padded": b"12345678\0",
    "NUL-padded to 16": b"12345678" + bytes(8),
    "other": b"12345679",
    "UTF-16": "12345678".encode("utf-16-le"),
    "case of hex": b"3132333435363738",
    "not ASCII": b"\xff" * 8,
}


@pytest.mark.parametrize("secret", WRONG_SECRETS.values(), ids=list(WRONG_SECRETS))
@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
def test_wrong_lls_secret(bench: Any, context: ApplicationContext, secret: bytes) -> None:
    pair = bench(mechanism=Mechanism.LLS, context=context)
    aarq = pair.aarq(calling_authentication_value=AuthenticationValue(secret))
    event = refused(pair, aarq.encode(), aare_hex(context.value, 0xA1, 13))
    if secret:
        assert secret.decode("latin-1") not in event.why


def test_lls_without_a_secret_set_admits_nobody(bench: Any) -> None:
    pair = bench(mechanism=Mechanism.LLS, context=ApplicationContext.LN)
    octets = pair.aarq().encode()
    pair.keys = pair.keys._replace(secret=None)
    pair.renew()
    assert pair.hit(octets).reply == aare_hex(1, 0xA1, 13)


def test_the_lls_secret_is_not_kept(bench: Any) -> None:
    pair = bench(mechanism=Mechanism.LLS, context=ApplicationContext.LN)
    pair.connect()
    assert pair.server.admitted.client_challenge == b""
    assert b"12345678" not in pair.server.admitted


@pytest.mark.parametrize("length", [0, 1, 7, 65, 255])
def test_challenge_of_wrong_length(bench: Any, length: int) -> None:
    pair = bench()
    aarq = pair.aarq(calling_authentication_value=AuthenticationValue(bytes(length)))
    refused(pair, aarq.encode(), aare_hex(3, 0xA1, 13))


@pytest.mark.parametrize("length", [8, 9, 63, 64])
@pytest.mark.parametrize("choice", ValueChoice, ids=lambda choice: choice.name)
def test_challenge_of_right_length(bench: Any, length: int, choice: ValueChoice) -> None:
    pair = bench()
    aarq = pair.aarq(calling_authentication_value=AuthenticationValue(bytes(length), choice))
    hit = pair.hit(aarq.encode())
    assert isinstance(hit.event, AuthenticationPending)
    aare = Aare.decode(hit.reply)
    assert aare.result is AssociationResult.ACCEPTED
    assert aare.diagnostic is UserDiagnostic.AUTHENTICATION_REQUIRED
    assert aare.mechanism_name == Mechanism.HLS_GMAC.oid
    assert aare.responder_acse_requirements is True
    assert aare.responding_authentication_value is not None
    assert 8 <= len(aare.responding_authentication_value.octets) <= 64


TITLES = {
    "absent": None,
    "0 octets": b"",
    "7 octets": b"S1S\0\0\0\1",
    "9 octets": b"S1S\0\0\0\0\1\0",
    "the server's own": OWN_TITLE,
}


@pytest.mark.parametrize("title", TITLES.values(), ids=list(TITLES))
@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
def test_title(bench: Any, context: ApplicationContext, title: bytes | None) -> None:
    """APPL_OPEN_6 2 and 3, KL-HL-17. HLS with GMAC needs the title in a plain context too."""
    pair = bench(context=context)
    octets = pair.aarq(calling_ap_title=title).encode()
    refused(pair, octets, aare_hex(context.value, 0xA1, 3))


def test_title_other_than_the_registered(bench: Any, names: dict[str, Any]) -> None:
    pair = bench(server={"client_title": names["CLIENT_TITLE"]})
    refused(pair, pair.aarq(calling_ap_title=OTHER_TITLE).encode(), aare_hex(3, 0xA1, 3))


@pytest.mark.parametrize(
    ("context", "mechanism"),
    [
        (ApplicationContext.LN_CIPHERED, Mechanism.HLS_GMAC),
        (ApplicationContext.LN, Mechanism.NONE),
    ],
)
def test_title_other_than_the_channel_says(
    bench: Any, context: ApplicationContext, mechanism: Mechanism, names: dict[str, Any]
) -> None:
    """KL-TL-05: also where the title is not needed, for it claims to be someone else."""
    pair = bench(context=context, mechanism=mechanism, channel_title=names["CLIENT_TITLE"])
    octets = pair.aarq(calling_ap_title=OTHER_TITLE).encode()
    refused(pair, octets, aare_hex(context.value, 0xA1, 3))


def test_unused_fields_are_ignored(bench: Any) -> None:
    """R-AA-5, APPL_OPEN_6 1: dummies do not matter, and the AARE says no more than needed."""
    pair = bench(context=ApplicationContext.LN, mechanism=Mechanism.NONE)
    aarq = pair.aarq(
        called_ap_title=b"\x01",
        called_ae_qualifier=b"\x02",
        called_ap_invocation_id=3,
        called_ae_invocation_id=4,
        calling_ap_title=b"five",
        calling_ae_qualifier=b"\x06",
        calling_ap_invocation_id=7,
        calling_ae_invocation_id=8,
        implementation_information=b"\x04\x00",
    )
    hit = pair.hit(aarq.encode())
    assert isinstance(hit.event, AssociationOpened)
    aare = Aare.decode(hit.reply)
    assert aare.application_context_name == ApplicationContext.LN.oid
    assert aare.diagnostic is UserDiagnostic.NULL
    assert aare.responding_ap_title is None
    assert aare.responding_ae_invocation_id is None
    assert aare.responding_authentication_value is None


@pytest.mark.parametrize("state", [State.IDLE, State.AUTHENTICATING, State.ASSOCIATED])
def test_unreadable_aarq_changes_nothing(bench: Any, state: State) -> None:
    """X_AARQ_TRUNC."""
    pair = bench()
    octets = pair.aarq().encode()
    if state is State.AUTHENTICATING:
        pair.begin()
    elif state is State.ASSOCIATED:
        pair.connect()
    before = pair.digest()
    for cut in range(1, len(octets)):
        hit = pair.hit(octets[:cut])
        assert hit.reply == aare_hex(3, 0xA2, 1)
        assert hit.error.reason == "malformed-aarq"
        assert pair.digest() == before


def test_refused_aarq_ends_the_association_it_would_replace(bench: Any) -> None:
    """X_AARQ_TWICE: no privilege of the old identity outlives the new request."""
    pair = bench().connect()
    hit = pair.hit(pair.aarq(mechanism_name=None).encode())
    assert hit.reply == aare_hex(3, 0xA1, 12)
    assert pair.server.state is State.IDLE
    assert pair.server.admitted is None
    pair.works()


def test_stoc_is_resampled_until_it_differs(bench: Any, names: dict[str, Any]) -> None:
    """R-HLS-3."""
    ctos = names["CHALLENGE"] * 2
    draws = iter([ctos, ctos, bytes(range(16))])
    pair = bench(server_random=lambda length: next(draws))
    hit = pair.hit(pair.aarq(calling_authentication_value=AuthenticationValue(ctos)).encode())
    assert Aare.decode(hit.reply).responding_authentication_value.octets == bytes(range(16))


def test_a_random_source_that_repeats_opens_nothing(bench: Any) -> None:
    """Not the client's fault, so no reply; and no association is left half open."""
    stuck = True
    pair = bench(server_random=lambda length: bytes(length) if stuck else bytes(range(length)))
    aarq = pair.aarq(calling_authentication_value=AuthenticationValue(bytes(16)))
    with pytest.raises(LocalProtocolError):
        pair.hit(aarq.encode())
    assert pair.server.state is State.IDLE
    assert isinstance(pair.server_module.ops[-1], Discard)
    stuck = False
    pair.begin()
    pair.finish()


def test_a_module_without_the_key_opens_nothing(bench: Any, names: dict[str, Any]) -> None:
    pair = bench(mechanism=Mechanism.LLS, context=ApplicationContext.LN)
    octets = pair.aarq().encode()
    pair.server_module.keys.discard(names["SECRET"])
    with pytest.raises(KeyUnavailable):
        pair.hit(octets)
    assert pair.server.state is State.IDLE
    pair.server_module.keys.keep(names["SECRET"], b"12345678")
    pair.works()


def test_a_server_whose_counter_is_used_up_opens_nothing(bench: Any, names: dict[str, Any]) -> None:
    """KL-IC-01: it stops protecting; it does not start again at 0."""
    pair = bench()
    pair.begin()
    pair.server_counters.raise_to(names["GUEK"], 0xFFFFFFFE)
    octets = pair.ask(pair.client.authenticate())
    with pytest.raises(LocalProtocolError):
        pair.hit(octets)
    assert pair.server.state is State.IDLE
    assert pair.server_counters.next_to_send(names["GUEK"]) == 0xFFFFFFFF
    used = [op.counter for op in pair.server_module.ops if isinstance(op, Seal | Mac)]
    assert 0xFFFFFFFF not in used
    with pytest.raises(LocalProtocolError):
        pair.hit(pair.aarq().encode())
    assert pair.server.state is State.IDLE
