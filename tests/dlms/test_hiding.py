"""A secret field is not shown, and all others are."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.hiding import repr_without
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import InitiateRequest


class Pair(NamedTuple):
    name: str
    key: bytes | None = None


def test_the_rest_is_shown_as_ever() -> None:
    assert repr_without(Pair("a", b"secret"), "key") == "Pair(name='a')"
    assert repr_without(Pair("a", b"open"), "name") == "Pair(key=b'open')"


SECRET = b"dedicated"
AARE = Aare(
    application_context_name=b"*",
    result=AssociationResult.ACCEPTED,
    diagnostic=UserDiagnostic.NULL,
    user_information=SECRET,
)
INITIATE = InitiateRequest(
    conformance=Conformance.GET, client_max_receive_pdu_size=500, dedicated_key=SECRET
)


@pytest.mark.parametrize(
    ("apdu", "hidden"),
    [
        (Aarq(application_context_name=b"*", user_information=SECRET), "user_information"),
        (AARE, "user_information"),
        (INITIATE, "dedicated_key"),
    ],
)
def test_apdus_hide_what_may_be_or_hold_a_key(
    apdu: Aarq | Aare | InitiateRequest, hidden: str
) -> None:
    for text in (repr(apdu), str(apdu), f"{apdu}"):
        assert repr(SECRET) not in text
        shown = [name for name in apdu._fields if f"{name}=" in text]
        assert shown == [name for name in apdu._fields if name != hidden]
