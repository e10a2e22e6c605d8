"""Every association-result and diagnostic that a rule yields, and the AARQ that provokes it.

Diagnostics 4 and 7 to 10 are about fields that no rule reads: they are ignored (R-AA-5).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import AssociationOpened
from dlms.association.knobs import Knobs, Unasked
from dlms.association.state import State

LN, NONE = {"context": ApplicationContext.LN}, {"mechanism": Mechanism.NONE}
LLS = {"mechanism": Mechanism.LLS}
ACCEPTED = AssociationResult.ACCEPTED
PERMANENT = AssociationResult.REJECTED_PERMANENT
TRANSIENT = AssociationResult.REJECTED_TRANSIENT


class Case(NamedTuple):
    """What the server is, what differs from a right AARQ, and the codes of the AARE."""

    server: dict[str, Any]
    aarq: dict[str, Any]
    result: AssociationResult
    diagnostic: UserDiagnostic | ProviderDiagnostic
    busy: bool = False


USERS = {"server": {"users": frozenset((3, 200))}}
REJECTING = {"server": {"knobs": Knobs(unknown_user=Unasked.REJECT)}}
CASES: dict[str, Case] = {
    "accepted": Case({**LN, **NONE}, {}, ACCEPTED, UserDiagnostic.NULL),
    "HLS, pass 2": Case(LN, {}, ACCEPTED, UserDiagnostic.AUTHENTICATION_REQUIRED),
    "busy": Case(LN, {}, TRANSIENT, UserDiagnostic.NO_REASON_GIVEN, busy=True),
    "xDLMS context refused": Case(
        {**LN, **NONE}, {"user_information": None}, PERMANENT, UserDiagnostic.NO_REASON_GIVEN
    ),
    "other context": Case(
        LN,
        {"application_context_name": ApplicationContext.SN.oid},
        PERMANENT,
        UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
    ),
    "title too short": Case(
        LN,
        {"calling_ap_title": b"S1S"},
        PERMANENT,
        UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED,
    ),
    "no certificate": Case(
        {
            **LN,
            "mechanism": Mechanism.HLS_ECDSA,
            "server": {"suite": 1},
            "server_keys": "signing",
        },
        {},
        PERMANENT,
        UserDiagnostic.CALLING_AE_QUALIFIER_NOT_RECOGNIZED,
    ),
    "user not in the list": Case(
        {**LN, **NONE, **USERS},
        {"calling_ae_invocation_id": 4},
        PERMANENT,
        UserDiagnostic.CALLING_AE_INVOCATION_ID_NOT_RECOGNIZED,
    ),
    "no user": Case(
        {**LN, **NONE, **USERS},
        {},
        PERMANENT,
        UserDiagnostic.CALLING_AE_INVOCATION_ID_NOT_RECOGNIZED,
    ),
    "user where there are none": Case(
        {**LN, **NONE, **REJECTING},
        {"calling_ae_invocation_id": 3},
        PERMANENT,
        UserDiagnostic.CALLING_AE_INVOCATION_ID_NOT_RECOGNIZED,
    ),
    "other mechanism": Case(
        LN,
        {"mechanism_name": Mechanism.LLS.oid},
        PERMANENT,
        UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED,
    ),
    "no mechanism": Case(
        LN,
        {"mechanism_name": None},
        PERMANENT,
        UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED,
    ),
    "wrong secret": Case(
        {**LN, **LLS},
        {"calling_authentication_value": AuthenticationValue(b"1234567")},
        PERMANENT,
        UserDiagnostic.AUTHENTICATION_FAILURE,
    ),
    "authentication unit not asked for": Case(
        LN,
        {"sender_acse_requirements": None},
        PERMANENT,
        UserDiagnostic.AUTHENTICATION_REQUIRED,
    ),
    "no version 1": Case(
        {**LN, **NONE},
        {"protocol_version": "0"},
        PERMANENT,
        ProviderDiagnostic.NO_COMMON_ACSE_VERSION,
    ),
}
UNREAD = {4, 7, 8, 9, 10}


def provoke(bench: Any, names: dict[str, Any], case: Case) -> tuple[Any, Aare]:
    kind = dict(case.server)
    if kind.get("server_keys") == "signing":
        kind["server_keys"] = {"signing_key": names["SERVER_SIGNING"]}
    pair = bench(**kind)
    octets = pair.aarq(**case.aarq).encode()
    event = pair.serve(pair.server.receive(octets, busy=case.busy))
    return pair, Aare.decode(event.reply)


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_diagnostic(bench: Any, names: dict[str, Any], case: Case) -> None:
    pair, aare = provoke(bench, names, case)
    assert aare.result is case.result
    assert aare.diagnostic is case.diagnostic
    refused = case.result is not ACCEPTED
    assert (pair.server.state is State.IDLE) is refused
    if refused:  # nothing needless is said
        assert aare.responding_ap_title is aare.mechanism_name is None
        assert aare.responding_authentication_value is None


def test_unreadable_aarq(bench: Any) -> None:
    hit = bench(**LN, **NONE).hit(b"\x60\x01\xa1")
    aare = Aare.decode(hit.reply)
    assert (aare.result, aare.diagnostic) == (PERMANENT, ProviderDiagnostic.NO_REASON_GIVEN)


def test_the_table_is_complete() -> None:
    """Every code but those no rule yields."""
    assert {case.result for case in CASES.values()} == set(AssociationResult)
    user = {c.diagnostic for c in CASES.values() if isinstance(c.diagnostic, UserDiagnostic)}
    assert {int(code) for code in set(UserDiagnostic) - user} == UNREAD


@pytest.mark.parametrize(
    "field",
    [
        {"calling_ap_invocation_id": 1},
        {"called_ap_title": b"MTR"},
        {"called_ap_invocation_id": 1},
        {"called_ae_qualifier": b"x"},
        {"called_ae_invocation_id": 1},
    ],
    ids=str,
)
def test_fields_that_no_rule_reads(bench: Any, field: dict[str, Any]) -> None:
    pair = bench(**LN, **NONE)
    assert isinstance(pair.hit(pair.aarq(**field).encode()).event, AssociationOpened)


def test_a_busy_server_admits_the_same_aarq_later(bench: Any) -> None:
    pair = bench()
    octets = pair.aarq().encode()
    floor = pair.server_counters.floor(pair.keys.guek)
    event = pair.serve(pair.server.receive(octets, busy=True))
    assert event.result is TRANSIENT
    assert pair.server_counters.floor(pair.keys.guek) == floor
    assert pair.hit(octets).event is not None
    assert pair.server.state is State.AUTHENTICATING


def test_a_busy_server_goes_on_serving(bench: Any) -> None:
    pair = bench().connect()
    octets = pair.ask(pair.client.request(_get(pair)))
    event = pair.serve(pair.server.receive(octets, busy=True))
    assert event.confirmed


def _get(pair: Any) -> Any:
    from dlms.xdlms.descriptors import AttributeDescriptor
    from dlms.xdlms.get import GetRequest

    return GetRequest(0x41, AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))


# User identification (APPL_OPEN_2)


@pytest.mark.parametrize(
    ("sent", "user"), [(3, 3), (200, 200), (200 - 256, 200), (199, None), (456, None), (-200, None)]
)
def test_users(bench: Any, sent: int, user: int | None) -> None:
    """Also written as an INTEGER of one octet, which is negative from 128 on."""
    pair = bench(**LN, **NONE, **USERS)
    hit = pair.hit(pair.aarq(calling_ae_invocation_id=sent).encode())
    assert isinstance(hit.event, AssociationOpened) is (user is not None)
    assert pair.server.user == user
    if user is not None:
        pair.serve(pair.server.close())
        assert pair.server.user is None


def test_the_client_says_who_uses_it(bench: Any) -> None:
    pair = bench(**USERS, client={"user": 200}).connect()
    assert pair.server.user == 200
    pair.get()


def test_a_user_is_not_named_to_whoever_has_not_the_secret(bench: Any) -> None:
    """The list cannot be searched without the password."""
    pair = bench(**LN, **LLS, **USERS)
    wrong = AuthenticationValue(b"x")
    aarq = pair.aarq(calling_authentication_value=wrong)
    replies = {
        pair.hit(aarq._replace(calling_ae_invocation_id=user).encode()).reply
        for user in (None, 3, 4)
    }
    assert len(replies) == 1
