"""Pass 4 of HLS at the client (reference X_CLI_FCTOS_BAD, KL-HL-13)."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.acse.names import ApplicationContext
from dlms.association.events import (
    AssociationOpened,
    AuthenticationFailed,
)
from dlms.association.state import State
from dlms.axdr.data import octet_string, unsigned
from dlms.xdlms.action import ActionResponse
from dlms.xdlms.codes import ActionResult, DataAccessResult

SERVER_TITLE = b"MTR\0\0\0\0\1"
CLIENT_TITLE = b"S1S\0\0\0\0\1"


def pass_4(pair: Any, returned: Any, result: ActionResult = ActionResult.SUCCESS) -> bytes:
    apdu = ActionResponse(0x41, result, returned).encode()
    return pair.from_server(apdu) if pair.client_config.context.ciphered else apdu


def f_of_server(pair: Any, challenge: bytes, **changes: Any) -> bytes:
    counter = pair.server_counters.burn(pair.keys.guek)
    result: bytes = pair.f(challenge, counter, **{"title": SERVER_TITLE, **changes})
    return result


PASS_4: dict[str, Any] = {
    "missing": lambda pair: None,
    "access result": lambda pair: DataAccessResult.OTHER_REASON,
    "another type": lambda pair: unsigned(1),
    "empty": lambda pair: octet_string(b""),
    "short": lambda pair: octet_string(f_of_server(pair, pair.client._proposed.challenge)[:16]),
    "long": lambda pair: octet_string(f_of_server(pair, pair.client._proposed.challenge) + b"\0"),
    "zeros": lambda pair: octet_string(bytes(17)),
    "f(StoC)": lambda pair: octet_string(f_of_server(pair, pair.client._accepted.challenge)),
    "our own f(StoC)": lambda pair: octet_string(
        f_of_server(pair, pair.client._accepted.challenge, title=CLIENT_TITLE)
    ),
    "our title": lambda pair: octet_string(
        f_of_server(pair, pair.client._proposed.challenge, title=CLIENT_TITLE)
    ),
    "SC 30": lambda pair: octet_string(
        f_of_server(pair, pair.client._proposed.challenge, control=0x30)
    ),
    "flipped": lambda pair: octet_string(
        (lambda f: f[:-1] + bytes((f[-1] ^ 1,)))(f_of_server(pair, pair.client._proposed.challenge))
    ),
}


@pytest.mark.parametrize("make", PASS_4.values(), ids=list(PASS_4))
@pytest.mark.parametrize("context", [ApplicationContext.LN, ApplicationContext.LN_CIPHERED])
@pytest.mark.parametrize("dedicated", [False, True], ids=["global", "dedicated"])
def test_wrong_pass_4(bench: Any, context: ApplicationContext, dedicated: bool, make: Any) -> None:
    """X_CLI_FCTOS_BAD, KL-HL-13: success alone opens nothing."""
    if dedicated and not context.ciphered:
        dedicated = False
    pair = bench(context=context, dedicated=dedicated)
    pair.begin()
    pair.ask(pair.client.authenticate())
    event = pair.ask(pair.client.receive(pass_4(pair, make(pair))))
    assert isinstance(event, AuthenticationFailed)
    assert pair.client.state is State.IDLE
    assert not pair.client.conformance
    pair.works()


def test_right_pass_4(bench: Any) -> None:
    """So that the test above fails for the right reason."""
    pair = bench()
    pair.begin()
    pair.ask(pair.client.authenticate())
    f = octet_string(f_of_server(pair, pair.client._proposed.challenge))
    event = pair.ask(pair.client.receive(pass_4(pair, f)))
    assert isinstance(event, AssociationOpened)


def test_pass_4_that_shares_its_counter_with_f(bench: Any) -> None:
    """R-IC-9 holds for the server too: one vector for two messages."""
    pair = bench()
    pair.begin()
    pair.ask(pair.client.authenticate())
    counter = pair.server_counters.next_to_send(pair.keys.guek)
    f = octet_string(pair.f(pair.client._proposed.challenge, counter, title=SERVER_TITLE))
    octets = pair.from_server(
        ActionResponse(0x41, ActionResult.SUCCESS, f).encode(), counter=counter
    )
    assert isinstance(pair.ask(pair.client.receive(octets)), AuthenticationFailed)


def test_refusal_in_pass_4_ends_it(bench: Any) -> None:
    pair = bench()
    pair.begin()
    pair.ask(pair.client.authenticate())
    octets = pass_4(pair, None, ActionResult.READ_WRITE_DENIED)
    assert isinstance(pair.ask(pair.client.receive(octets)), AuthenticationFailed)
    assert pair.client.state is State.IDLE
