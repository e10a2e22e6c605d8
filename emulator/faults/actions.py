"""``fault.list``, ``fault.set`` and ``fault.clear``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.control.arguments import Argument, Kind
from emulator.control.control import Control, Scope
from emulator.faults.catalogue import COUNT, FOR, Catalogue
from emulator.faults.kinds import KINDS
from emulator.faults.on_meter import MeterFaults
from emulator.serving.taps import WAYS

SET = (
    Argument(
        name="name",
        kind=Kind.TEXT,
        required=True,
        help="of a fault in the catalogue, or of a kind",
    ),
    Argument(
        name="parameters",
        kind=Kind.TABLE,
        help="those that are not as the catalogue, else the kind, has them",
    ),
    Argument(
        name="way",
        kind=Kind.TEXT,
        choices=WAYS,
        help="the way to the meter on which it acts; else all on which it can",
    ),
    FOR,
    COUNT,
)
ALL = "all"
CLEAR = (
    Argument(
        name="id",
        kind=Kind.TEXT,
        required=True,
        help=f"of the fault, as fault.set gave it, or '{ALL}'",
    ),
)


def register(
    control: Control, catalogue: Catalogue, meters: Callable[[], Mapping[str, MeterFaults]]
) -> None:
    """``meters`` gives the faults of those that there are now, by name."""

    async def list_(meter: str | None, given: dict[str, Any]) -> dict[str, object]:
        there = meters()
        names = list(there) if meter is None else [meter]
        return {
            "catalogue": [row.to_json() for row in catalogue.rows.values()],
            "kinds": [kind.to_json() for kind in KINDS.values()],
            "active": {name: [one.to_json() for one in there[name].active] for name in names},
        }

    async def set_(meter: str, given: dict[str, Any]) -> dict[str, object]:
        fault = meters()[meter].set(
            given["name"],
            given.get("parameters", {}),
            way=given.get("way"),
            duration=given.get("for_seconds"),
            count=given.get("count"),
        )
        return {**fault.to_json(), "over": fault.is_over}

    async def clear(meter: str, given: dict[str, Any]) -> dict[str, object]:
        faults, id = meters()[meter], given["id"]
        ended = faults.clear_all() if id == ALL else (faults.clear(id),)
        return {"cleared": [fault.id for fault in ended]}

    for action, handler, arguments, scope, text in (
        ("fault.list", list_, (), Scope.EITHER, "what faults there are, and which are set"),
        ("fault.set", set_, SET, Scope.METER, "let something be wrong with a meter"),
        ("fault.clear", clear, CLEAR, Scope.METER, "end one fault of a meter, or all"),
    ):
        control.register(action, handler, arguments=arguments, help=text, meter=scope)
