"""Disconnect control, class 70 (Blue Book 4.5.8): the relay of :mod:`devices.supply`."""

from __future__ import annotations

from devices import supply
from devices.objects.behaviour import SUCCESS, Behaviour, Call, Invoke, Outcome, computed, number
from devices.supply import ControlState
from dlms.axdr.data import Data, boolean, enum
from dlms.xdlms.codes import ActionResult, DataAccessResult

_DISCONNECT, _RECONNECT = "bc", "adi"
"""Transitions of the two methods; which of them there is depends on the control mode."""


def _state(call: Call) -> ControlState:
    return supply.state_of(call.device, call.row)


def _move(letters: str) -> Invoke:
    def move(call: Call, parameter: Data) -> Outcome:
        mode, state = number(call, 4), _state(call)
        if letters is _DISCONNECT:
            # Opened by the back office, whyever it was open before: no credit will arm it.
            call.device.state.figures.pop(supply.WITHHELD, None)
        after = supply.destination(mode, state, letters)
        if after is None:
            # Where the method leads is where the relay is: nothing to do is no failure.
            done = state in supply.ends(mode, letters)
            return SUCCESS if done else Outcome(ActionResult.OTHER_REASON)
        supply.put(call.device, call.row, after, call.now)
        return SUCCESS

    return move


def _write_mode(call: Call, value: Data) -> DataAccessResult:
    assert isinstance(value.value, int)
    if value.value > supply.HIGHEST_MODE:
        return DataAccessResult.OTHER_REASON
    call.device.store(call.row, 4, value)
    supply.note_conditions(call.device, call.now)
    return DataAccessResult.SUCCESS


BEHAVIOUR = Behaviour(
    read={
        2: computed(lambda call: boolean(_state(call) is ControlState.CONNECTED)),
        3: computed(lambda call: enum(_state(call))),
    },
    write={4: _write_mode},
    invoke={1: _move(_DISCONNECT), 2: _move(_RECONNECT)},
)
