"""``customer``: the buttons and the keypad of a meter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from devices.life.hands import Press
from dlms.words import word, words
from emulator.control.arguments import Argument, Kind
from emulator.control.control import Control, Scope
from emulator.control.errors import bad_argument, refused
from emulator.mains import Mains

PRESSES = words(Press)
_TOKEN = "token"

CUSTOMER = (
    Argument(
        name="what",
        kind=Kind.TEXT,
        required=True,
        choices=(*PRESSES, _TOKEN),
        help="which button is pressed, or that a token is keyed in",
    ),
    Argument(name="digits", kind=Kind.TEXT, help="the digits of the token, as they are keyed in"),
)


def register(control: Control, meters: Callable[[], Mapping[str, Mains]]) -> None:
    async def customer(meter: str, given: dict[str, Any]) -> dict[str, object]:
        mains, what, digits = meters()[meter], given["what"], given.get("digits")
        if (what == _TOKEN) is (digits is None):
            raise bad_argument(f"{what} {'needs' if what == _TOKEN else 'has no'} digits")
        if not mains.are_on:
            raise refused(f"{meter} has no mains")
        if digits is None:
            return {"pressed": what, "done": mains.press(PRESSES[what])}
        try:
            return {"token": word(mains.key_in(digits.encode("ascii", "replace")))}
        except LookupError as error:
            raise refused(str(error)) from None

    control.register(
        "customer",
        customer,
        arguments=CUSTOMER,
        help="what a customer does at the meter: a button is pressed, a token keyed in",
        meter=Scope.METER,
    )
