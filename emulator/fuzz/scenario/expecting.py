"""Whether what came of a step is what was expected."""

from __future__ import annotations

from collections.abc import Mapping

from dlms.axdr.data import Data
from dlms.axdr.encoding import encode
from emulator.fuzz.scenario.model import Expected
from emulator.fuzz.target import Facts, Seen


def problems(expected: Expected, seen: Seen, before: Facts, after: Facts) -> tuple[str, ...]:
    """What is not as expected, in words; empty if all is."""
    found: list[str] = []
    if expected.outcomes and seen.outcome not in expected.outcomes:
        wanted = " or ".join(sorted(one.value for one in expected.outcomes))
        found.append(f"{seen.outcome.value} ({seen.says}), {wanted} was expected")
    found += [
        f"{seen.says!r} does not say {word!r}" for word in expected.says if word not in seen.says
    ]
    if expected.state == "same" and before.digest != after.digest:
        found.append("what the meter remembers has changed")
    if expected.state == "changed" and before.digest == after.digest:
        found.append("what the meter remembers has not changed")
    if expected.value is not None and not _same(expected.value, seen.value):
        found.append(f"the value is {seen.value}, {expected.value} was expected")
    for what, wanted_counts, was, now in (
        ("the floor", expected.floor, before.floors, after.floors),
        ("the next counter", expected.send, before.sends, after.sends),
        ("the version", expected.version, before.versions, after.versions),
    ):
        found += _counted(what, wanted_counts, was, now)
    for client, wanted_agree in expected.agree.items():
        if after.agree.get(client) is not wanted_agree:
            found.append(f"both ends of {client} have {'not ' * wanted_agree}the same keys")
    for client, wanted_open in expected.open.items():
        if (client in after.open) is not wanted_open:
            found.append(f"the association of {client} is {'not ' * wanted_open}open")
    told = after.happened[len(before.happened) :]
    found += [f"the meter does not note {one!r}" for one in expected.happened if one not in told]
    if expected.balance is not None:
        balance = after.balance
        found += _counted(
            "the balance",
            {"account": expected.balance},
            {"account": before.balance or 0},
            {"account": 0 if balance is None else balance},
        )
    fresh = after.breaches[len(before.breaches) :]
    found += [breach for breach in fresh if not breach.startswith(expected.breaches or ("-",))]
    found += [
        f"{name} should not hold any more"
        for name in expected.breaches
        if not any(breach.startswith(name) for breach in fresh)
    ]
    return tuple(found)


def _counted(
    what: str,
    wanted: Mapping[str, int | str],
    before: Mapping[str, int],
    after: Mapping[str, int],
) -> list[str]:
    found = []
    for name, count in wanted.items():
        was, now = before.get(name, 0), after.get(name, 0)
        if isinstance(count, str):
            count = was if count == "same" else was + int(count)
        if now != count:
            found.append(f"{what} of {name} is {now} (it was {was}), {count} was expected")
    return found


def _same(wanted: Data, value: Data | None) -> bool:
    return value is not None and encode(wanted) == encode(value)
