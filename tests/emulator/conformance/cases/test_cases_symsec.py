"""SYMSEC: keys that change and come back, policies that stay, and what is left behind."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.objects.security_setup import global_keys
from dlms.security.control import Protection
from emulator.conformance.declaration import key_file
from emulator.conformance.probing.record import Direction, Level
from emulator.conformance.running.kept_keys import keep
from emulator.conformance.running.result import CaseResult, Verdict

TRANSFERS = ("SYMSEC_0_Key_Tx_P1", "SYMSEC_0_Key_Tx_P2", "SYMSEC_0_Key_Tx_P3")
AFTERWARDS = "SYMSEC_0_BasicCap_1"


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meters that take keys that they have had, as most do."""
    monkeypatch.setattr(global_keys, "former", lambda call, wanted=(): ())


def transferred(case: CaseResult) -> list[bytes]:
    """What was sent to the Security setup, beneath its protection."""
    return [
        entry.octets
        for entry in case.record
        if entry.direction is Direction.SENT
        and entry.level is Level.PLAIN
        and entry.octets[:1] == b"\xc3"
        and entry.octets[3:5] == b"\x00\x40"
    ]


@pytest.mark.parametrize("way", ["tcp", "hdlc"])
async def test_the_first_keys_come_back(
    way: str, bench: Callable[..., Any], forgetful: None
) -> None:
    async with bench("laboratory", way) as device:
        target = device.runner.target
        before = target.keys("dco")
        cases = await device.verdicts(*TRANSFERS, AFTERWARDS)
        assert {case.verdict for case in cases.values()} == {Verdict.PASSED}
        assert target.keys("dco") == before
        assert not target.changed
        assert all(transferred(cases[id]) for id in TRANSFERS)


async def test_a_meter_that_takes_no_key_twice(bench: Callable[..., Any], tmp_path: Path) -> None:
    """It keeps the new ones; whoever owns it finds them in a file, and nowhere else."""
    async with bench("laboratory") as device:
        target = device.runner.target
        before = target.keys("dco")
        assert keep(target, tmp_path / "meter.toml") is None
        cases = await device.verdicts(*TRANSFERS, AFTERWARDS)
        assert [cases[id].verdict for id in TRANSFERS] == [Verdict.NON_STRICT] * len(TRANSFERS)
        assert cases[AFTERWARDS].verdict is Verdict.PASSED
        assert target.changed == {"dco"}
        now = target.keys("dco")
        assert (now.guek, now.gak, now.kek) != (before.guek, before.gak, before.kek)
        assert now.kek == before.kek
        path = keep(target, tmp_path / "meter.toml")
        assert path is not None
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert key_file.load(path)["dco"] == now
        another = keep(target, tmp_path / "meter.toml")
        assert another not in (None, path)
        for case in cases.values():
            for key in (before.guek, before.gak, before.kek, now.guek, now.gak):
                assert key is not None
                assert key.hex() not in repr(case)
                assert all(key not in entry.octets for entry in case.record)


async def test_a_case_that_fails_gives_the_keys_back(
    bench: Callable[..., Any], forgetful: None
) -> None:
    """Under the old authentication key there is an association still: the case ends there."""
    async with bench("laboratory") as device:
        target = device.runner.target
        before = target.keys("dco")
        fault = device.meter.faults.set("careless", {"how": "any-tag", "association": "dco"})
        failed = (await device.verdicts(TRANSFERS[1]))[TRANSFERS[1]]
        device.meter.faults.clear(fault.id)
        assert failed.verdict is Verdict.FAILED
        assert [step.step for step in failed.steps] == ["transfer", "with-new", "with-old"]
        assert target.keys("dco") == before
        assert (await device.verdicts(AFTERWARDS))[AFTERWARDS].verdict is Verdict.PASSED


async def test_an_answer_that_is_lost_leaves_nobody_out(
    bench: Callable[..., Any], forgetful: None
) -> None:
    """The meter has the new keys and has not said so: the tester finds out which it has."""
    async with bench("laboratory") as device:
        target = device.runner.target
        before = target.keys("dco")
        given = {"of": "plain", "direction": "out", "match": "^c701..0000$", "into": "c701410300"}
        counted = device.meter.faults.set("rewrite", given, count=1)
        case = (await device.verdicts(TRANSFERS[0]))[TRANSFERS[0]]
        assert counted.acted == 1
        assert case.verdict is Verdict.FAILED
        assert target.keys("dco") == before
        assert (await device.verdicts(AFTERWARDS))[AFTERWARDS].verdict is Verdict.PASSED


async def test_the_same_seed_sends_the_same_keys(bench: Callable[..., Any]) -> None:
    sent = []
    for seed in ("1", "1", "2"):
        async with bench("laboratory", seed=seed) as device:
            cases = await device.verdicts(TRANSFERS[0])
            sent.append(transferred(cases[TRANSFERS[0]])[0])
    assert sent[0] == sent[1] != sent[2]


async def test_what_was_activated_is_declared_from_then_on(bench: Callable[..., Any]) -> None:
    ids = [f"SYMSEC_0_SecPol_{number}" for number in (1, 2, 3)]
    async with bench("laboratory") as device:
        before = {row.name: row.policy for row in device.runner.target.declaration.associations}
        cases = await device.verdicts(*ids, AFTERWARDS)
        after = {row.name: row.policy for row in device.runner.target.declaration.associations}
        assert {case.verdict for case in cases.values()} == {Verdict.PASSED}
        raised = {name: policy for name, policy in after.items() if policy != before[name]}
        # The third strengthens what the first has made.
        assert sorted(raised.values()) == [Protection.ENCRYPTED, Protection.BOTH]
        for name, policy in raised.items():
            row = device.meter.device.profile.associations[name]
            assert device.meter.device.policy(row).request == policy


async def test_a_policy_that_is_stronger_is_left_alone(bench: Callable[..., Any]) -> None:
    async with bench("aclara") as device:
        case = (await device.verdicts("SYMSEC_0_SecPol_1"))["SYMSEC_0_SecPol_1"]
        assert case.verdict is Verdict.INAPPLICABLE
        assert "not taken back" in case.reasons[0]


async def test_wrong_writes_change_nothing_for_good(bench: Callable[..., Any]) -> None:
    """Not even in a meter that takes them: the value is written back."""
    id = "SYMSEC_0_SecDataX_N1"
    async with bench("laboratory") as device:
        (sta1, _) = device.runner.target.declaration.sta
        row = device.runner.target.declaration.association(sta1.association)
        fault = device.meter.faults.set("careless", {"how": "any-tag", "association": row.name})
        where, values = sta1.attribute, device.meter.device.state.values
        assert (where.instance, where.attribute) not in values
        failed = (await device.verdicts(id))[id]
        fault.end()
        assert failed.verdict is Verdict.FAILED
        sent = [e.octets for e in failed.record if e.level is Level.PLAIN]
        assert any(octets[:1] == b"\xc1" for octets in sent)
        # It has been written, and again: what is there is what was there first.
        assert values[where.instance, where.attribute] != sta1.value


async def test_sta_must_be_declared(bench: Callable[..., Any]) -> None:
    async with bench("laboratory", features={"sta": 1}) as device:
        target = device.runner.target
        target.declaration = replace(target.declaration, sta=())
        cases = await device.verdicts("SYMSEC_0_SecDataX_P1", "SYMSEC_0_SecDataX_N1")
        assert {case.verdict for case in cases.values()} == {Verdict.INCONCLUSIVE}
        assert all("STA1" in case.reasons[0] for case in cases.values())
