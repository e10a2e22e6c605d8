"""The dispatcher: one place where requests are checked and handed on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from emulator.control import Argument, Control, ControlError, ControlRefused, Kind, Scope
from emulator.control.errors import refused

SIZE = Argument(name="size", kind=Kind.INTEGER, help="how large", least=0, most=9)


async def echo(meter: str | None, arguments: dict[str, Any]) -> dict[str, object]:
    return {"meter": meter, **arguments}


@pytest.fixture
def control() -> Control:
    made = Control(lambda: ("itron", "aclara"))
    for scope in Scope:
        made.register(scope.name, echo, arguments=[SIZE], help="gives it back", meter=scope)
    return made


@pytest.mark.parametrize(
    ("action", "meter", "arguments"),
    [
        ("SANDBOX", None, None),
        ("SANDBOX", None, {}),
        ("SANDBOX", None, {"size": 3}),
        ("METER", "itron", {"size": 3}),
        ("EITHER", "aclara", None),
        ("EITHER", None, {"size": 0}),
    ],
)
async def test_what_is_asked_rightly_is_done(
    action: str, meter: str | None, arguments: dict[str, object] | None, control: Control
) -> None:
    assert await control.call(action, meter, arguments) == {"meter": meter, **(arguments or {})}


@pytest.mark.parametrize(
    ("action", "meter", "arguments", "code", "text"),
    [
        ("x", None, {}, "unknown-action", "no action 'x'; there are: SANDBOX, METER, EITHER"),
        ("METER", "x", {}, "unknown-meter", "no meter 'x'; there are: aclara, itron"),
        ("EITHER", "", {}, "unknown-meter", "no meter ''; there are: aclara, itron"),
        ("METER", None, {}, "bad-argument", "METER is for a meter: say which"),
        ("SANDBOX", "itron", {}, "bad-argument", "SANDBOX is for the sandbox, not for a meter"),
        (
            "SANDBOX",
            None,
            {"size": 10},
            "bad-argument",
            "size is a whole number (at least 0, at most 9), not 10",
        ),
    ],
)
async def test_what_is_asked_wrongly_is_not(
    action: str,
    meter: str | None,
    arguments: dict[str, object],
    code: str,
    text: str,
    control: Control,
) -> None:
    with pytest.raises(ControlError) as caught:
        await control.call(action, meter, arguments)
    assert (caught.value.code, caught.value.text, str(caught.value)) == (code, text, text)
    assert not isinstance(caught.value, ControlRefused)


async def test_many_meters_are_not_all_named() -> None:
    control = Control(lambda: [f"m{number:04}" for number in range(1000)])
    control.register("a", echo, help="", meter=Scope.METER)
    with pytest.raises(ControlError) as caught:
        await control.call("a", "x")
    assert caught.value.text.endswith("m0011, ...")


async def test_a_handler_refuses(control: Control) -> None:
    async def no(meter: str | None, arguments: dict[str, Any]) -> dict[str, object]:
        raise refused("not now")

    control.register("no", no, help="")
    with pytest.raises(ControlRefused) as caught:
        await control.call("no")
    assert (caught.value.code, caught.value.text) == ("refused", "not now")


async def test_a_defect_of_a_handler_is_reported_and_its_words_kept(control: Control) -> None:
    async def bad(meter: str | None, arguments: dict[str, Any]) -> dict[str, object]:
        raise KeyError("an inner secret")

    seen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
    control.register("bad", bad, help="")
    with pytest.raises(ControlRefused) as caught:
        await control.call("bad")
    assert (caught.value.code, caught.value.text) == ("failed", "bad failed: KeyError")
    assert isinstance(seen[0]["exception"], KeyError)


def test_an_action_has_one_handler(control: Control) -> None:
    with pytest.raises(ValueError, match="there is an action 'METER' already"):
        control.register("METER", echo, help="")


def test_actions_are_described(control: Control) -> None:
    rows = control.actions()
    assert [(row.name, row.meter) for row in rows] == [(scope.name, scope) for scope in Scope]
    assert json.loads(json.dumps(rows[1].to_json())) == {
        "name": "METER",
        "meter": "one",
        "arguments": [SIZE.to_json()],
        "help": "gives it back",
    }
