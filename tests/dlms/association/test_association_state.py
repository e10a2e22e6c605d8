"""The association machine, and both ends put through every state and input."""

from __future__ import annotations

from itertools import product

import pytest

from dlms.association.state import TRANSITIONS, IllegalInput, Input, State, after

# Written by hand: state, then "input -> state" for all that is allowed. All else is refused.
EXPECTED = """
IDLE:           AARQ>ASSOCIATING EXCEPTION>IDLE CLOSED>IDLE
ASSOCIATING:    AARE_ACCEPTED>ASSOCIATED AARE_AUTHENTICATION_REQUIRED>AUTHENTICATING
ASSOCIATING:    AARE_REFUSED>IDLE AARE_WITHHELD>UNCONFIRMED EXCEPTION>IDLE CLOSED>IDLE
AUTHENTICATING: HLS_PASS_3>VERIFYING HLS_REFUSED>IDLE EXCEPTION>AUTHENTICATING
AUTHENTICATING: AARQ>ASSOCIATING RLRQ>WITHDRAWING CLOSED>IDLE
VERIFYING:      HLS_PASS_4>ASSOCIATED HLS_REFUSED>IDLE EXCEPTION>IDLE CLOSED>IDLE
ASSOCIATED:     REQUEST>ASSOCIATED RESPONSE>ASSOCIATED EXCEPTION>ASSOCIATED
ASSOCIATED:     NOTIFICATION>ASSOCIATED CONFIRMATION>ASSOCIATED
ASSOCIATED:     AARQ>ASSOCIATING RLRQ>RELEASING CLOSED>IDLE
RELEASING:      RLRE>IDLE NOTIFICATION>RELEASING EXCEPTION>ASSOCIATED CLOSED>IDLE
WITHDRAWING:    RLRE>IDLE EXCEPTION>AUTHENTICATING CLOSED>IDLE
UNCONFIRMED:    REQUEST>UNCONFIRMED NOTIFICATION>UNCONFIRMED AARQ>ASSOCIATING
UNCONFIRMED:    CONFIRMATION>UNCONFIRMED RLRQ>IDLE CLOSED>IDLE
PRE_ESTABLISHED: REQUEST>PRE_ESTABLISHED RESPONSE>PRE_ESTABLISHED EXCEPTION>PRE_ESTABLISHED
PRE_ESTABLISHED: NOTIFICATION>PRE_ESTABLISHED CONFIRMATION>PRE_ESTABLISHED
PRE_ESTABLISHED: CLOSED>PRE_ESTABLISHED
"""


def expected() -> dict[tuple[State, Input], State]:
    table = {}
    for line in EXPECTED.strip().splitlines():
        state, rows = line.split(":")
        for row in rows.split():
            event, following = row.split(">")
            table[State[state], Input[event]] = State[following]
    return table


@pytest.mark.parametrize(
    ("state", "event"), list(product(State, Input)), ids=lambda member: member.name
)
def test_full_product(state: State, event: Input) -> None:
    following = expected().get((state, event))
    if following is None:
        with pytest.raises(IllegalInput) as caught:
            after(state, event)
        assert (caught.value.state, caught.value.event) == (state, event)
        assert event.value in str(caught.value)
        assert state.value in str(caught.value)
    else:
        assert after(state, event) is following


def test_table_has_no_row_beyond_the_expectation() -> None:
    assert expected() == TRANSITIONS


@pytest.mark.parametrize("state", State)
def test_every_state_is_left_by_closing(state: State) -> None:
    """But for what no lower layer has opened."""
    following = state if state is State.PRE_ESTABLISHED else State.IDLE
    assert after(state, Input.CLOSED) is following


def test_what_is_pre_established_is_neither_opened_nor_left() -> None:
    rows = [pair for pair in TRANSITIONS.items() if State.PRE_ESTABLISHED in (pair[0][0], pair[1])]
    assert rows
    for (state, _), following in rows:
        assert state is following is State.PRE_ESTABLISHED


def test_an_unconfirmed_association_is_never_a_confirmed_one() -> None:
    """Nor is it ever answered."""
    leaving = {
        event: following
        for (state, event), following in TRANSITIONS.items()
        if state is State.UNCONFIRMED and following is not state
    }
    assert leaving == {
        Input.AARQ: State.ASSOCIATING,
        Input.RLRQ: State.IDLE,
        Input.CLOSED: State.IDLE,
    }
    assert (State.UNCONFIRMED, Input.RESPONSE) not in TRANSITIONS
    assert (State.UNCONFIRMED, Input.EXCEPTION) not in TRANSITIONS


def test_every_way_to_associated_passes_authentication() -> None:
    """No input but an accepting AARE or pass 4 brings a new association about."""
    ways = {
        (state, event)
        for (state, event), following in TRANSITIONS.items()
        if following is State.ASSOCIATED and state is not State.ASSOCIATED
    }
    assert ways == {
        (State.ASSOCIATING, Input.AARE_ACCEPTED),
        (State.VERIFYING, Input.HLS_PASS_4),
        (State.RELEASING, Input.EXCEPTION),  # was associated before the RLRQ
    }
    into = [pair for pair, following in TRANSITIONS.items() if following is State.RELEASING]
    assert into == [(State.ASSOCIATED, Input.RLRQ), (State.RELEASING, Input.NOTIFICATION)]
