"""The machine that AALpy learns of our client core, with us as the meter."""

from __future__ import annotations

import pytest

from dlms.association.client import ClientAssociation
from dlms.association.state import Input
from emulator.fuzz.learning.client_side import client_of, learned_client, tabled_client
from emulator.fuzz.learning.mealy import difference, minimal


@pytest.mark.parametrize("association", ["public", "reader", "md5"])
def test_client_is_the_machine_of_the_table(association: str) -> None:
    subject = client_of(association)
    learned, table = learned_client(subject, extra=1), tabled_client(subject)
    assert difference(learned, table) is None
    assert len(learned.states) == len(minimal(table).states)


def test_client_that_takes_any_pass_4_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from dlms.association import authenticating

    def takes(response, carrier, known, inner):  # type: ignore[no-untyped-def]
        return ""
        yield

    monkeypatch.setattr(authenticating, "judge_pass_4", takes)
    subject = client_of("md5")
    found = difference(learned_client(subject, extra=0), tabled_client(subject))
    assert found is not None
    assert found.word[-1] is Input.HLS_REFUSED
    assert (found.left, found.right) == ("AssociationOpened", "AuthenticationFailed")


def test_client_that_skips_the_authentication_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = ClientAssociation.request

    def eager(self, request):  # type: ignore[no-untyped-def]
        from dlms.association.state import State

        if self.state is State.AUTHENTICATING:
            self.state = State.ASSOCIATED
        return (yield from begin(self, request))

    monkeypatch.setattr(ClientAssociation, "request", eager)
    subject = client_of("md5")
    found = difference(learned_client(subject, extra=0), tabled_client(subject))
    assert found is not None
    assert found.word == (Input.AARQ, Input.AARE_AUTHENTICATION_REQUIRED, Input.REQUEST)
    assert found.left == "sent"


def test_client_that_ciphers_is_not_learned_here() -> None:
    with pytest.raises(ValueError, match="ciphered"):
        client_of("dco")
