"""Pointing the runner at a meter that others wrote: stock gurux-dlms, over the wrapper and HDLC.

What it does wrong is not our business here: that a draft and a report come of it is, and that
nothing of ours breaks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from emulator.client.keys import Keys
from emulator.conformance.declaration import load
from emulator.conformance.declaration.key_file import save

PASSWORD = b"12345678"
WAYS = ("tcp", "hdlc")
FAILED_OR_NOT = {0, 1}
ALL_WAYS = ("COSEM_MANDATORY_3", "X_OBJ_OBIS", "X_OBJ_STRUCTURE")
CHECKS = {
    "tcp": ("appl", "cosem", "x-wrapper", "x-aarq", "x-blocks", "x-objects", "X_ACL*"),
    "hdlc": ("APPL_OPEN_*", "HDLC_ADDRESS_*", "HDLC_FRAME_N*", *ALL_WAYS),
}
PASSES = {
    "tcp": (*ALL_WAYS, "X_WPDU_VER", "X_WPDU_SPLIT", "X_AARQ_PASSWORD", "X_ACL_RIGHTS"),
    "hdlc": (*ALL_WAYS, "HDLC_ADDRESS_P1", "HDLC_FRAME_N3"),
}


@pytest.fixture
def gurux(foreign: Callable[..., Any]) -> Callable[[str], Any]:
    return partial(foreign, "gurux_meter.py")


def filled_in(path: Path) -> Path:
    """The draft with what no meter can say: the password of one association, short times. The
    ciphered association goes: test_foreign_gurux_secured.py has a meter for those.
    """
    text = path.read_text("utf-8")
    head, reader = text.split("[associations.client1_server1]\n")
    reader, ciphered = reader.split("[associations.client2_server1]\n")
    tail = ciphered[ciphered.index("# fill in: [[writes]]") :]
    keys = path.with_name("keys.toml")
    save(keys, {"reader": Keys(password=PASSWORD)}, "Of a meter for tests.")
    head = head.replace("[way]\n", f'key_file = "{keys}"\n\n[way]\n', 1)
    times = "[timing]\nanswer = 0.3\nsilence = 0.05\npatience = 1.0\n\n"
    head = head.replace("[logical_devices]\n", f"{times}[logical_devices]\n", 1)
    reader = '[associations.client1_server1]\nkeys = "reader"\n' + reader
    path.write_text(head + reader + tail, "utf-8")
    return path


def verdicts(document: dict[str, Any]) -> dict[str, str]:
    return {case["id"]: case["verdict"] for case in document["cases"]}


@pytest.mark.parametrize("way", WAYS)
def test_a_draft_of_a_foreign_meter(way: str, gurux: Callable[[str], Any], tmp_path: Path) -> None:
    declaration = load(gurux(way).draft(tmp_path))
    assert [one.name for one in declaration.associations] == [
        "public",
        "client1_server1",
        "client2_server1",
    ]
    assert [(one.sap, one.name) for one in declaration.logical_devices] == [
        (1, b"GRX0000000000001")
    ]
    assert declaration.title == b"GRX\x00\x00\x00\x00\x01"


@pytest.mark.parametrize("way", WAYS)
def test_checks_of_a_foreign_meter(way: str, gurux: Callable[[str], Any], tmp_path: Path) -> None:
    meter = gurux(way)
    status, document = meter.run(filled_in(meter.draft(tmp_path)), *CHECKS[way])
    found = verdicts(document)
    assert status in FAILED_OR_NOT
    assert {id for id, verdict in found.items() if verdict == "ERROR"} == set()
    assert {id: found[id] for id in PASSES[way]} == dict.fromkeys(PASSES[way], "PASSED")
    assert [case["id"] for case in document["cases"] if untold(case)] == []
    (opening,) = (case for case in document["cases"] if case["id"] == "APPL_OPEN_1")
    assert [step["verdict"] for step in opening["steps"]][:2] == ["PASSED", "PASSED"]


def untold(case: dict[str, Any]) -> bool:
    """Whether it is not said why a case is not plainly PASSED."""
    return case["verdict"] not in ("PASSED", "INFORMATIONAL") and not case["reasons"]


def test_a_draft_as_it_is(gurux: Callable[[str], Any], tmp_path: Path) -> None:
    """Nothing is held against a device for keys that the tester has not got: what can be asked
    without is, and the rest is INCONCLUSIVE.
    """
    meter = gurux("tcp")
    checks = ("X_OBJ_OBIS", "APPL_OPEN_12", "SYMSEC_0_BasicCap_1", "X_ACL_PROTECTION")
    _, document = meter.run(meter.draft(tmp_path), *checks)
    found = verdicts(document)
    assert found["X_OBJ_OBIS"] == "PASSED"
    assert found["APPL_OPEN_12"] in ("PASSED", "NON_STRICT")
    assert found["X_ACL_PROTECTION"] == found["SYMSEC_0_BasicCap_1"] == "INCONCLUSIVE"
