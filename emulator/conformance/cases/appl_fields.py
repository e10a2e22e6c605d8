"""APPL_OPEN_4 to 6: the protocol version, the context, titles and invocation ids of an AARQ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from emulator.conformance.cases.each import Row, asking_to_associate, on_each
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import accepted, pending, rejected
from emulator.conformance.conversing.tree import Node
from emulator.conformance.probing.probe import Change, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

_PERMANENT = AssociationResult.REJECTED_PERMANENT
_WRONG_ARC = 4
"""Which octet of a context's name becomes another arc: 60 85 74 05 *08* 01 xx."""
UNKNOWN_CONTEXT = bytes.fromhex("60857504070203")


def replacing(**fields: Any) -> Change:
    """An AARQ with other fields."""

    def change(aarq: Aarq) -> Aarq:
        return aarq._replace(**fields)

    return change


@conversation("APPL_OPEN_4")
def protocol_version() -> Sequence[Node]:
    return (
        on_each(
            "with-version1",
            asking_to_associate(replacing(protocol_version="100001")),
            accepted(),
            pending(),
        ),
        on_each(
            "without-version1",
            asking_to_associate(replacing(protocol_version="010001")),
            rejected(ProviderDiagnostic.NO_COMMON_ACSE_VERSION, result=_PERMANENT),
        ),
    )


def _other_arc(aarq: Aarq) -> Aarq:
    name = bytearray(aarq.application_context_name)
    name[_WRONG_ARC] ^= 1
    return aarq._replace(application_context_name=bytes(name))


@conversation("APPL_OPEN_5")
def context() -> Sequence[Node]:
    unsupported = rejected(UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED, result=_PERMANENT)
    unknown = replacing(application_context_name=UNKNOWN_CONTEXT)
    return (
        on_each("unknown", asking_to_associate(unknown), unsupported),
        on_each("arc", asking_to_associate(_other_arc), unsupported),
    )


_DUMMIES = replacing(
    called_ap_title=b"\x00" * 8,
    called_ae_qualifier=b"\x00\x01",
    called_ap_invocation_id=1,
    called_ae_invocation_id=2,
    calling_ap_invocation_id=3,
)
_SOME_USER = 7
_SHORT, _LONG = 7, 9


async def _nothing_needless(trial: Trial, row: Row, probe: Probe, seen: Seen) -> Sequence[str]:
    """Titles are said where they matter, and invocation ids where users are identified."""
    aare = seen.message
    assert isinstance(aare, Aare)  # it has been accepted
    problems = []
    if aare.responding_ap_title is not None and not probe.config.needs_title:
        problems.append("the AARE has a responding-AP-title that nothing needs")
    if aare.responding_ae_invocation_id is not None and not row.users:
        problems.append("the AARE has a responding-AE-invocation-id that nothing needs")
    return problems


def _title_of(length: int) -> Change:
    def change(aarq: Aarq) -> Aarq:
        title = aarq.calling_ap_title or b""
        return aarq._replace(calling_ap_title=(title + b"\x00" * length)[:length])

    return change


def _title_matters(row: Row) -> bool:
    """As in :attr:`dlms.association.config.ClientConfig.needs_title`."""
    return row.context.ciphered or row.mechanism.name in ("HLS_GMAC", "HLS_SHA256", "HLS_ECDSA")


def _no_users(row: Row) -> bool:
    return not row.users


@conversation("APPL_OPEN_6")
def titles() -> Sequence[Node]:
    unrecognized = rejected(UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED)
    what = "in which titles matter"
    return (
        on_each(
            "unused",
            asking_to_associate(_DUMMIES, look=_nothing_needless),
            accepted(),
            pending(),
        ),
        on_each(
            "short-title",
            asking_to_associate(_title_of(_SHORT)),
            unrecognized,
            which=_title_matters,
            what=what,
        ),
        on_each(
            "long-title",
            asking_to_associate(_title_of(_LONG)),
            unrecognized,
            which=_title_matters,
            what=what,
        ),
        on_each(
            "no-users",
            asking_to_associate(replacing(calling_ae_invocation_id=_SOME_USER)),
            accepted(),
            pending(),
            rejected(UserDiagnostic.CALLING_AE_INVOCATION_ID_NOT_RECOGNIZED),
            which=_no_users,
            what="without users",
        ),
    )
