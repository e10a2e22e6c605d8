"""APPL_OPEN_7 and X_AARQ_PASSWORD: the authentication functional unit of an AARQ."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.acse.aarq import Aarq
from dlms.acse.codes import UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import Mechanism
from emulator.conformance.cases.appl_fields import replacing
from emulator.conformance.cases.each import Row, asking_to_associate, on_each
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import accepted, rejected
from emulator.conformance.conversing.tree import Expect, Node

UNKNOWN_MECHANISM = bytes.fromhex("60857405080263")
"""Mechanism 99, which nobody has."""
_FAILURE = UserDiagnostic.AUTHENTICATION_FAILURE
_REQUIRED = UserDiagnostic.AUTHENTICATION_REQUIRED


def _authenticated(row: Row) -> bool:
    return row.mechanism is not Mechanism.NONE


def has_lls(row: Row) -> bool:
    return row.mechanism is Mechanism.LLS


def _has_lowest(row: Row) -> bool:
    return row.mechanism is Mechanism.NONE


def wrong_password(aarq: Aarq) -> Aarq:
    """The password with a bit of its last octet flipped; an octet where there is none."""
    value = aarq.calling_authentication_value
    secret = value.octets if value is not None and value.octets else b"\x00"
    wrong = secret[:-1] + bytes((secret[-1] ^ 1,))
    return aarq._replace(calling_authentication_value=AuthenticationValue(wrong))


def _with_authentication(aarq: Aarq) -> Aarq:
    return aarq._replace(
        sender_acse_requirements=True,
        mechanism_name=Mechanism.LLS.oid,
        calling_authentication_value=AuthenticationValue(b"12345678"),
    )


def _authenticating(name: str, change: dict[str, object], *expect: Expect) -> Node:
    what = "with authentication"
    ask = asking_to_associate(replacing(**change))
    return on_each(name, ask, *expect, which=_authenticated, what=what)


@conversation("APPL_OPEN_7")
def authentication_functional_unit() -> Sequence[Node]:
    needed = UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED
    unknown = UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED
    return (
        _authenticating("no-requirements", {"sender_acse_requirements": None}, rejected(_REQUIRED)),
        _authenticating("no-mechanism", {"mechanism_name": None}, rejected(needed)),
        _authenticating(
            "unknown-mechanism", {"mechanism_name": UNKNOWN_MECHANISM}, rejected(unknown)
        ),
        _authenticating(
            "no-value",
            {"calling_authentication_value": None},
            rejected(_REQUIRED),
            rejected(_FAILURE),
        ),
        on_each(
            "wrong-secret",
            asking_to_associate(wrong_password),
            rejected(_FAILURE),
            which=has_lls,
            what="with low level security",
        ),
        on_each(
            "lowest-level",
            asking_to_associate(_with_authentication),
            accepted(),
            which=_has_lowest,
            what="of the lowest level",
        ),
    )


@conversation("X_AARQ_PASSWORD")
def password() -> Sequence[Node]:
    return (
        on_each(
            "password",
            asking_to_associate(wrong_password),
            rejected(_FAILURE),
            which=has_lls,
            what="with low level security",
        ),
    )
