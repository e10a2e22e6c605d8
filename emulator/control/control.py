"""The actions of a sandbox by name: the command line, a socket, a broker, whoever asks, asks here.

Here, and nowhere else, it is checked what they ask: the action, the meter, each argument.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

from emulator.control.arguments import Argument, shown, taken
from emulator.control.errors import (
    BAD_ARGUMENT,
    FAILED,
    UNKNOWN_ACTION,
    UNKNOWN_METER,
    ControlError,
    ControlRefused,
)
from emulator.journal import StoreError

Handler: TypeAlias = Callable[[Any, dict[str, Any]], Awaitable[dict[str, object]]]
"""Is given the name of the meter, or ``None``, and the arguments that were given, checked. What it
returns is JSON. It raises :class:`~emulator.control.errors.ControlError` for what it refuses.
"""

_NAMED = 12
"""Meters that are named to whoever has asked for one that is not there."""


class Scope(Enum):
    """Whether an action is about a meter."""

    SANDBOX = "none"
    METER = "one"
    EITHER = "one or none"


class ActionRow(NamedTuple):
    """An action, for those who show or document it."""

    name: str
    meter: Scope
    arguments: tuple[Argument, ...]
    help: str

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "meter": self.meter.value,
            "arguments": [argument.to_json() for argument in self.arguments],
            "help": self.help,
        }


class Control:
    """``meters`` gives the names of the meters that there are now."""

    def __init__(self, meters: Callable[[], Collection[str]]) -> None:
        self._meters = meters
        self._actions: dict[str, tuple[ActionRow, Handler]] = {}

    def register(
        self,
        action: str,
        handler: Handler,
        *,
        arguments: Sequence[Argument] = (),
        help: str,
        meter: Scope = Scope.SANDBOX,
    ) -> None:
        """Offer ``action``. ``ValueError`` if there is one of that name."""
        if action in self._actions:
            raise ValueError(f"there is an action {action!r} already")
        self._actions[action] = ActionRow(action, meter, tuple(arguments), help), handler

    def actions(self) -> tuple[ActionRow, ...]:
        return tuple(row for row, _ in self._actions.values())

    async def call(
        self, action: str, meter: str | None = None, arguments: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        """Do it, and give what became of it. :class:`ControlError` with a stable code if not."""
        found = self._actions.get(action)
        if found is None:
            known = ", ".join(self._actions)
            raise ControlError(UNKNOWN_ACTION, f"no action {shown(action)}; there are: {known}")
        row, handler = found
        self._check_meter(row, meter)
        given = taken(row.arguments, arguments or {})
        try:
            return await handler(meter, given)
        except ControlError:
            raise
        except StoreError as error:
            raise ControlRefused(FAILED, f"{action} failed: {error}") from error
        except Exception as error:
            context = {"message": f"action {action} failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            raise ControlRefused(FAILED, f"{action} failed: {type(error).__name__}") from error

    def _check_meter(self, row: ActionRow, meter: str | None) -> None:
        if meter is None:
            if row.meter is Scope.METER:
                raise ControlError(BAD_ARGUMENT, f"{row.name} is for a meter: say which")
            return
        if row.meter is Scope.SANDBOX:
            raise ControlError(BAD_ARGUMENT, f"{row.name} is for the sandbox, not for a meter")
        names = self._meters()
        if meter not in names:
            some = ", ".join(sorted(names)[:_NAMED])
            more = ", ..." if len(names) > _NAMED else ""
            raise ControlError(UNKNOWN_METER, f"no meter {shown(meter)}; there are: {some}{more}")
