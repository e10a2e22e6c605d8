"""Each scenario can fail: defects of a meter or client, and the scenarios that notice them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from devices.objects import security_setup
from devices.objects.security_setup import global_keys, key_transfer
from devices.objects.security_setup import policy as policies
from devices.remembering import RememberedSet
from dlms.association import authenticating, proposal
from dlms.association import client as client_core
from dlms.association.server import ServerAssociation
from dlms.cosem.security_setup import Policy
from dlms.security import protect
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind
from dlms.security.ops import CryptoFailure, Unwrap
from dlms.security.spent_keys import Marks
from emulator.faults.presented import Presented
from emulator.fuzz.actions import Plant
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.playing import play
from emulator.memory.meter_memory import MeterMemory

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
    ],
    ids=lambda value: value.fault if isinstance(value, Plant) else "",
)
def test_faults_of_the_emulator_are_noticed(
    plant: Plant, names: list[str], every_scenario: dict[str, Scenario]
) -> None:
    for name in names:
        scenario = every_scenario[name]
        assert any(not result.passed for result in play(scenario, [plant])), name


# Defects that are no faults of the emulator: code that does what it should not --------------------


def floor_before_the_tag(patch: pytest.MonkeyPatch) -> None:
    right = InvocationCounters.check

    def check(self: Any, ek: Any, received: int, max_jump: int | None = None) -> None:
        right(self, ek, received, max_jump)
        self._floor[ek] = max(self._floor.get(ek, 0), received)

    patch.setattr(InvocationCounters, "check", check)


def reset_for_a_new_authentication_key(patch: pytest.MonkeyPatch) -> None:
    right = global_keys.put_in_force

    def put_in_force(call: Any, fresh: Any) -> None:
        fresh = list(fresh)
        right(call, fresh)
        for ref in fresh:
            if ref.kind is KeyKind.GAK:
                counters = call.device.state.counters
                key = call.device.key(ref.scope, KeyKind.GUEK)
                counters.forget(key)
                counters.establish(key)

    patch.setattr(global_keys, "put_in_force", put_in_force)


def any_key_may_come_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(global_keys, "former", lambda call, wanted=(): ())


def half_a_rotation(patch: pytest.MonkeyPatch) -> None:
    def transfer(call: Any, parameter: Any) -> Any:
        wanted = key_transfer.keys_of(parameter)
        kek = call.device.key(key_transfer.about.scope(call), KeyKind.KEK)
        for key_id, wrapped in wanted.items():
            new = global_keys.successor(call, key_id, wanted)
            try:
                yield Unwrap(key_transfer.Use.TRANSFER_KEY, kek, wrapped, new)
            except CryptoFailure:
                return key_transfer.about.REFUSED
            global_keys.put_in_force(call, [new])
        return key_transfer.SUCCESS

    patch.setitem(cast(dict[int, Any], security_setup.BEHAVIOUR.invoke), 2, transfer)


def policies_weaken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Policy, "weakens", lambda self, present: False)
    patch.setattr(policies, "_can_be_kept", lambda call, wanted: True)


def any_action_is_pass_3(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        authenticating,
        "is_pass_3",
        lambda request: type(request).__name__ == "ActionRequest",
    )


def tokens_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    right = RememberedSet.add
    patch.setattr(
        RememberedSet,
        "add",
        lambda self, value: None if isinstance(value, int) else right(self, value),
    )


def associations_outlive_their_release(patch: pytest.MonkeyPatch) -> None:
    def forget(self: ServerAssociation) -> Any:
        return
        yield

    patch.setattr(ServerAssociation, "_forget", forget)


def spent_keys_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Marks, "check", lambda self, mark: None)
    patch.setattr(Marks, "add", lambda self, mark: None)


def sessions_outlive_their_trust(patch: pytest.MonkeyPatch) -> None:
    right = Presented.context

    def context(self: Presented) -> Any:
        if self._trusted is None:
            return right(self)
        credential = next(reversed(self._instead.values()), self._right)
        return self._made.get(credential) or right(self)

    patch.setattr(Presented, "context", context)


def nothing_is_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MeterMemory, "_commit", lambda self: None)


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


def titles_are_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(protect, "_title", lambda context, announced: context.peer_title)


def content_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        protect,
        "decode_ciphered",
        lambda octets, right=protect.decode_ciphered: right(octets)._replace(plain_tag=None),
    )


@pytest.mark.parametrize(
    ("defect", "names"),
    [
        (floor_before_the_tag, ["KL-IC-04"]),
        (reset_for_a_new_authentication_key, ["KL-KT-13"]),
        (any_key_may_come_again, ["KL-KT-15", "KL-KT-16", "KL-KT-17"]),
        (half_a_rotation, ["KL-KT-05"]),
        (policies_weaken, ["KL-KT-32", "KL-KT-33"]),
        (any_action_is_pass_3, ["KL-HL-09"]),
        (tokens_are_forgotten, ["KL-PP-01", "KL-PP-03"]),
        (associations_outlive_their_release, ["KL-PR-13"]),
        (spent_keys_are_forgotten, ["KL-PK-05"]),
        (sessions_outlive_their_trust, ["KL-TL-02"]),
        (nothing_is_kept, ["KL-KT-23", "KL-PP-03"]),
        (client_takes_its_own_challenge, ["KL-HL-01"]),
        (client_takes_any_protection, ["KL-PR-19"]),
        (client_goes_back, ["KL-IC-17/object"]),
        (titles_are_not_looked_at, ["KL-PR-11"]),
        (content_is_not_looked_at, ["KL-PR-09"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_defects_of_code_are_noticed(
    defect: Defect,
    names: list[str],
    every_scenario: dict[str, Scenario],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    defect(monkeypatch)
    for name in names:
        assert any(not result.passed for result in play(every_scenario[name])), name
