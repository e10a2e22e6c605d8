"""The association machine, and both ends put through every state and input."""

from __future__ import annotations

from itertools import product

import pytest

from dlms.association.state import TRANSITIONS, IllegalInput, Input, State, after

# Written by hand: state, then "input -> state" for all that is allowed. All else is refused.
EXPECTED = """
IDLE:           AARQ>ASSOCIATING EXCEPTION>IDLE CLOSED>IDLE
ASSOCIATING:    AARE_ACCEPTED>ASSOCIATED AARE_AUTHENTICATION_REQUIRED>AUTHENTICATING
ASSOCIATING:    AARE_REFUSED>IDLE EXCEPTION>IDLE CLOSED>IDLE
AUTHENTICATING: HLS_PASS_3>VERIFYING HLS_REFUSED>IDLE EXCEPTION>AUTHENTICATING
AUTHENTICATING: AARQ>ASSOCIATING RLRQ>WITHDRAWING CLOSED>IDLE
VERIFYING:      HLS_PASS_4>ASSOCIATED HLS_REFUSED>IDLE EXCEPTION>IDLE CLOSED>IDLE
ASSOCIATED:     REQUEST>ASSOCIATED RESPONSE>ASSOCIATED EXCEPTION>ASSOCIATED
ASSOCIATED:     AARQ>ASSOCIATING RLRQ>RELEASING CLOSED>IDLE
RELEASING:      RLRE>IDLE EXCEPTION>ASSOCIATED CLOSED>IDLE
WITHDRAWING:    RLRE>IDLE EXCEPTION>AUTHENTICATING CLOSED>IDLE
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
    assert after(state, Input.CLOSED) is State.IDLE


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
    assert [pair for pair, following in TRANSITIONS.items() if following is State.RELEASING] == [
        (State.ASSOCIATED, Input.RLRQ)
    ]
