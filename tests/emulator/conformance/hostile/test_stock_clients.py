"""Clients that others wrote, with GMAC and ciphered, as head ends under test.

What they are declared to fail each has been looked at by hand; the reasons say what they did. They
have no task but to read, so that what asks for more is not for them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from emulator.conformance.declaration.model import ExpectedFailure
from emulator.conformance.running.result import Standing, Verdict

CLIENTS = Path(__file__).parent / "clients"
TASKS = frozenset({"read", "block-read", "clock", "profile"})
ANSWER = 2.0

TAKEN = "it takes the value"
GOES_ON = "it goes on, and takes the value"
BOTH = {
    "X_CLI_STOC_EQ": GOES_ON,
    "X_CLI_TITLE": GOES_ON,
    "X_CLI_MECH": GOES_ON,
    "X_CLI_CTX": GOES_ON,
    "X_CLI_CONF_SUPERSET": GOES_ON,
    "X_CLI_INVOKE_ID": TAKEN,
    "X_CLI_PLAIN_RESP": TAKEN,
}
EXPECTED = {
    "gurux_adapter.py": {
        **BOTH,
        "X_CLI_TAG": TAKEN,
        "X_CLI_CT": "it takes what the altered ciphertext deciphers to",
        "X_CLI_REPLAY": TAKEN,
        "X_CLI_IC_BACK": TAKEN,
        "X_CLI_TWO_RESP": "it takes the second answer for that of the next request",
    },
    "cosem_adapter.py": {**BOTH, "X_CLI_BLOCK_NUMBER": TAKEN},
}
RUN = {id for expected in EXPECTED.values() for id in expected} | {
    "X_CLI_IC0", "X_CLI_FCTOS_BAD", "X_CLI_EXC_IC", "X_CLI_CLOCK", "X_CLI_DST", "X_CLI_TEMP_FAIL",
}  # fmt: skip


@pytest.mark.parametrize("adapter", EXPECTED)
async def test_a_stock_client(adapter: str, run_on: Any, x_cli: Any) -> None:
    """It is judged, and stands as it was declared."""
    expected = tuple(ExpectedFailure(id=id, reason=why) for id, why in EXPECTED[adapter].items())
    command = (sys.executable, str(CLIENTS / adapter), "{task}", "{material}")
    runner = run_on(command=command, tasks=TASKS, answer=ANSWER, expected=expected)
    found = {one.id: one async for one in runner.run([check for check in x_cli if check.id in RUN])}
    failed = {id for id, one in found.items() if one.verdict is Verdict.FAILED}
    assert failed == set(EXPECTED[adapter])
    assert all(found[id].standing is Standing.EXPECTED_FAILURE for id in failed)
    others = {id: one.verdict for id, one in found.items() if id not in failed}
    assert others.pop("X_CLI_TEMP_FAIL") is Verdict.INAPPLICABLE
    assert others == dict.fromkeys(others, Verdict.PASSED)
