"""Negative TLS: what the general tests of checks and of planted faults do not see."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from emulator.conformance import built_in
from emulator.conformance.probing.record import Direction, Level
from emulator.conformance.running.result import Verdict

OURS = 1
"""The line of the check; that before it is of the first sanity."""

GROUPS = ("tls-server", "tls-client", "x-tls")


def with_steps() -> list[str]:
    checks = built_in().checks.values()
    return [check.id for check in checks if check.group in GROUPS and check.steps]


async def test_all_are_judged_on_a_meter_that_is_called_and_that_calls(
    bench: Callable[..., Any],
) -> None:
    async with bench("landis_gyr", "tls") as device:
        cases = await device.verdicts(*with_steps())
    passed = {id for id, case in cases.items() if case.verdict is Verdict.PASSED}
    others = {id: case for id, case in cases.items() if id not in passed}
    assert {case.verdict for case in others.values()} == {Verdict.INAPPLICABLE}
    assert len(passed) > 55


async def test_without_an_authority_bad_certificates_cannot_be_judged(
    bench: Callable[..., Any],
) -> None:
    nobody = {"tls.issuer": "", "tls.issuer-key": ""}
    async with bench("landis_gyr", "tls", settings=nobody) as device:
        cases = await device.verdicts("X_TLS_CCERT_EXPIRED", "X_TLS_CCERT_VERIFY")
    assert cases["X_TLS_CCERT_EXPIRED"].verdict is Verdict.INCONCLUSIVE
    assert "tls.issuer" in cases["X_TLS_CCERT_EXPIRED"].reasons[0]
    assert cases["X_TLS_CCERT_VERIFY"].verdict is Verdict.PASSED


async def test_a_device_that_nobody_can_make_call_is_not_judged(
    bench: Callable[..., Any],
) -> None:
    async with bench("landis_gyr", "tls") as device:
        device.runner.target.trigger = None
        cases = await device.verdicts("TLS_A2_FR_09")
    assert cases["TLS_A2_FR_09"].verdict is Verdict.INCONCLUSIVE
    assert "tls.trigger" in cases["TLS_A2_FR_09"].reasons[0]


async def test_records_of_tls_are_in_the_record_and_no_key_is(bench: Callable[..., Any]) -> None:
    async with bench("landis_gyr", "tls") as device:
        case = (await device.verdicts("TLS_B2_FR_18"))["TLS_B2_FR_18"]
    octets = [one for one in case.record if one.level is Level.OCTETS and one.line == OURS]
    hellos = [one for one in octets if one.octets[:3] == b"\x16\x03\x03" and one.octets[5] == 1]
    assert [one.direction for one in hellos] == [Direction.SENT]
    alerts = [one for one in octets if one.octets[:2] == b"\x15\x03"]
    assert [one.direction for one in alerts] == [Direction.RECEIVED]
    assert not any("CLIENT_RANDOM" in one.text for one in case.record)


async def test_the_same_seed_offers_the_same(bench: Callable[..., Any]) -> None:
    hellos = []
    for seed in ("a", "a", "b"):
        async with bench("landis_gyr", "tls", seed=seed) as device:
            case = (await device.verdicts("TLS_B2_GP_04"))["TLS_B2_GP_04"]
        ours = [one for one in case.record if one.line == OURS and one.octets]
        hellos.append(ours[0].octets)
    assert hellos[0] == hellos[1] != hellos[2]


def test_what_is_shown_is_a_chain(pki: Any) -> None:
    from emulator.bent_tls.showing import chain_of

    shown = x509.load_pem_x509_certificates(pki.issue_device(b"12345678").chain_pem)
    der = tuple(one.public_bytes(Encoding.DER) for one in shown)
    broken = der[0][:40] + der[0][56:]
    assert [bytes(one.bytes) for one in chain_of((broken, der[1])).x509List] == [broken, der[1]]


def test_without_tlslite_the_rest_is_there() -> None:
    """In a process of its own: here it has been imported."""
    code = (
        "import sys; sys.modules['tlslite'] = None\n"
        "from emulator.conformance import cases\n"
        "from emulator.conformance.conversing.binding import bound\n"
        "cases.load()\n"
        "assert cases.absent() == {'tlslite'}, cases.absent()\n"
        "assert 'APPL_OPEN_12' in bound() and 'TLS_B2_FR_18' not in bound()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
