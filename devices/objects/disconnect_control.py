"""Disconnect control, class 70 (Blue Book 4.5.8): one table of transitions per control mode."""

from __future__ import annotations

from enum import IntEnum

from devices.objects.behaviour import SUCCESS, Behaviour, Call, Invoke, Outcome, computed, number
from devices.outbox import Changed
from dlms.axdr.data import Data, boolean, enum
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor


class ControlState(IntEnum):
    DISCONNECTED = 0
    CONNECTED = 1
    READY_FOR_RECONNECTION = 2


_DISCONNECTED, _CONNECTED, _READY = ControlState

REMOTE_DISCONNECT = {
    mode: {_CONNECTED: _DISCONNECTED, _READY: _DISCONNECTED} for mode in range(1, 8)
}
"""Transitions b and c: in every mode but 0, which has none."""

REMOTE_RECONNECT = {
    1: {_DISCONNECTED: _READY},
    2: {_DISCONNECTED: _CONNECTED},
    3: {_DISCONNECTED: _READY},
    4: {_DISCONNECTED: _CONNECTED},
    5: {_DISCONNECTED: _READY},
    6: {_DISCONNECTED: _READY},
    7: {_DISCONNECTED: _CONNECTED, _READY: _CONNECTED},
}
"""Transition d (to ready) or a (to connected), as the mode has it, and i in mode 7."""

_HIGHEST_MODE = 7


def _state(call: Call) -> ControlState:
    return ControlState(number(call, 3))


def _move(table: dict[int, dict[ControlState, ControlState]]) -> Invoke:
    def move(call: Call, parameter: Data) -> Outcome:
        transitions = table.get(number(call, 4), {})
        state = _state(call)
        after = transitions.get(state)
        if after is None:
            # Where the method leads is where the relay is: nothing to do is no failure.
            done = state in transitions.values()
            return SUCCESS if done else Outcome(ActionResult.OTHER_REASON)
        call.device.store(call.row, 3, enum(after))
        what = AttributeDescriptor(call.row.interface_class.class_id, call.row.instance, 3)
        call.device.outbox.announce(Changed(what))
        return SUCCESS

    return move


def _write_mode(call: Call, value: Data) -> DataAccessResult:
    assert isinstance(value.value, int)
    if value.value > _HIGHEST_MODE:
        return DataAccessResult.OTHER_REASON
    call.device.store(call.row, 4, value)
    return DataAccessResult.SUCCESS


BEHAVIOUR = Behaviour(
    read={
        2: computed(lambda call: boolean(_state(call) is ControlState.CONNECTED)),
        3: computed(lambda call: enum(_state(call))),
    },
    write={4: _write_mode},
    invoke={1: _move(REMOTE_DISCONNECT), 2: _move(REMOTE_RECONNECT)},
)
