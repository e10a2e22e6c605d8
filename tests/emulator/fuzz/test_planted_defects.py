"""Each scenario can fail: defects of a meter or client, and the scenarios that notice them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dlms.association import client as client_core
from dlms.association import proposal
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from emulator.fuzz.actions import Plant
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.playing import play

Defect = Callable[[pytest.MonkeyPatch], None]


def planted(name: str, **parameters: Any) -> Plant:
    return Plant(fault=name, parameters=tuple(parameters.items()))


@pytest.mark.parametrize(
    ("plant", "names"),
    [
        (planted("careless", how="any-tag"), ["KL-IC-04", "KL-PR-05", "KL-KT-27", "KL-PR-08"]),
        (planted("careless", how="any-secret"), ["KL-HL-12", "KL-HL-07/wrong first"]),
        (planted("careless", how="stale-random"), ["KL-HL-04"]),
        (planted("careless", how="any-wrapping"), ["KL-KT-01", "KL-KT-04", "KL-KT-05"]),
        (
            planted("forget", association="dco", counter="floor"),
            ["KL-IC-06", "KL-IC-07", "KL-IC-08", "KL-HL-18", "KL-TL-10"],
        ),
        (
            planted("forget", association="dco", counter="send"),
            ["KL-IC-06", "KL-KT-13"],
        ),
        (
            planted("configured", association="dco", changes={"policy": 0}),
            ["KL-PR-06", "KL-PR-15/policy", "KL-PR-18"],
        ),
        (
            planted(
                "configured", association="dco", changes={"knobs": {"inner_counter": "IGNORE"}}
            ),
            ["KL-IC-19/strict"],
        ),
        (
            planted(
                "configured",
                association="dco",
                changes={"knobs": {"key_in_force": "NEXT_ASSOCIATION"}},
            ),
            ["KL-KT-10", "KL-KT-12/at once", "KL-IC-05"],
        ),
        (planted("counter-before-tag"), ["KL-IC-04"]),
        (planted("same-ephemeral"), ["KL-PK-03"]),
        (planted("counted-challenge"), ["KL-HL-04"]),
        (planted("echoed-challenge"), ["KL-HL-04"]),
        (planted("counter-equal"), ["KL-IC-06", "KL-IC-07"]),
        (planted("counter-wraps"), ["KL-IC-02"]),
        (planted("floor-in-memory"), ["KL-IC-14"]),
        (planted("send-in-memory"), ["KL-IC-14"]),
        (planted("counter-goes-on"), ["KL-KT-14", "KL-IC-05"]),
        (planted("reset-before-answer"), ["KL-KT-10"]),
        (planted("reset-before-key"), ["KL-KT-23"]),
        (planted("reset-for-new-gak"), ["KL-KT-13"]),
        (planted("floor-by-association"), ["KL-IC-09"]),
        (planted("floor-by-connection"), ["KL-HL-18"]),
        (planted("half-array"), ["KL-KT-05"]),
        (planted("last-of-two"), ["KL-KT-06"]),
        (planted("unknown-id"), ["KL-KT-07/unknown keys"]),
        (planted("used-key-again"), ["KL-KT-15", "KL-KT-16", "KL-KT-17"]),
        (planted("former-kek"), ["KL-KT-09"]),
        (planted("new-kek-at-once"), ["KL-KT-08"]),
        (planted("short-key-padded"), ["KL-KT-03"]),
        (planted("answer-under-new-keys"), ["KL-KT-10"]),
        (planted("former-key"), ["KL-KT-12/at once"]),
        (planted("late-write"), ["KL-KT-23", "KL-PP-03"]),
        (planted("key-and-version"), ["KL-KT-23"]),
        (planted("old-secret"), ["KL-HL-16"]),
        (planted("policy-weakened"), ["KL-KT-32", "KL-KT-33"]),
        (planted("before-pass-3"), ["KL-HL-08"]),
        (planted("any-action"), ["KL-HL-09"]),
        (planted("outlives-release"), ["KL-PR-13"]),
        (planted("pending-for-ever"), ["KL-HL-14"]),
        (planted("dedicated-survives"), ["KL-PR-13"]),
        (planted("short-tag"), ["KL-PR-05"]),
        (planted("title-unchecked"), ["KL-PR-11"]),
        (planted("content-unchecked"), ["KL-PR-09"]),
        (planted("weaker-than-policy"), ["KL-PR-06"]),
        (planted("message-key-again"), ["KL-PK-05"]),
        (planted("resumed-after-revocation"), ["KL-TL-02"]),
        (planted("tokens-in-memory"), ["KL-PP-03"]),
        (planted("former-token-key"), ["KL-PP-02"]),
    ],
    ids=lambda value: value.fault if isinstance(value, Plant) else "",
)
def test_faults_of_the_emulator_are_noticed(
    plant: Plant, names: list[str], every_scenario: dict[str, Scenario]
) -> None:
    for name in names:
        scenario = every_scenario[name]
        assert any(not result.passed for result in play(scenario, [plant])), name


# Defects of a client, which has no faults to be set --------------------------------------------


def client_takes_its_own_challenge(patch: pytest.MonkeyPatch) -> None:
    def judge(aare: Any, own: bytes, config: Any) -> bytes:
        return bytes(aare.responding_authentication_value.octets)

    patch.setattr(proposal, "judge_challenge", judge)


def client_takes_any_protection(patch: pytest.MonkeyPatch) -> None:
    right = client_core.take

    def take(octets: bytes, general: Any, config: Any, *rest: Any) -> Any:
        return (yield from right(octets, general, replace(config, protection=Protection(0)), *rest))

    patch.setattr(client_core, "take", take)


def client_goes_back(patch: pytest.MonkeyPatch) -> None:
    def raise_to(self: InvocationCounters, ek: Any, value: int) -> None:
        self._next[ek] = value

    patch.setattr(InvocationCounters, "raise_to", raise_to)


@pytest.mark.parametrize(
    ("defect", "names"),
    [
        (client_takes_its_own_challenge, ["KL-HL-01"]),
        (client_takes_any_protection, ["KL-PR-19"]),
        (client_goes_back, ["KL-IC-17/object"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_defects_of_a_client_are_noticed(
    defect: Defect,
    names: list[str],
    every_scenario: dict[str, Scenario],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    defect(monkeypatch)
    for name in names:
        assert any(not result.passed for result in play(every_scenario[name])), name
