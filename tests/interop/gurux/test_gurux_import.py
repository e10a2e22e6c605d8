"""A meter is read by gurux-dlms, saved as XML, imported, run, read again: the same values."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from gurux_dlms.GXDLMSException import GXDLMSException

from devices.profile import Profile, load_text
from dlms.cosem import obis
from emulator.importing.gurux import import_dump

FIXTURE = Path(__file__).parents[3] / "fixtures" / "dumps" / "aclara_s1sp.xml"

# What a meter computes, or has come to be since it was made; and the text that says which it is.
MOVING = {
    "Clock": {"Time", "Status"},
    "Register": {"Value"},
    "ExtendedRegister": {"Value", "Status", "CaptureTime"},
    "DemandRegister": {"CurrentAverageValue", "LastAverageValue", "Status", "CaptureTime"}
    | {"StartTimeCurrent"},
    "ProfileGeneric": {"Buffer", "EntriesInUse"},
    "DisconnectControl": {"OutputState"},
    "Account": {"CurrentCreditInUse", "CurrentCreditStatus", "AvailableCredit", "AmountToClear"}
    | {"AggregatedDebt"},
    "Credit": {"Status"},
    "Charge": {"TotalAmountPaid", "LastCollectionTime", "LastCollectionAmount"}
    | {"TotalAmountRemaining"},
    "Token": {"Token", "Time", "Descriptions", "Status", "Data"},
    "SecuritySetup": {"ServerSystemTitle"},
}  # fmt: skip


def dumped(
    gurux: Any, meter: Any, association: str, path: Path, unread: list[tuple[str, int]]
) -> bytes:
    """What ``GXDLMSObjectCollection.save`` writes after everything was read that can be; the rest
    goes to ``unread``.
    """
    session = gurux(meter, association)
    items = session.objects()
    for item in items:
        # A profile's buffer can be read only after its capture objects.
        for number in range(item.getAttributeCount(), 0, -1):
            if item.getAccess(number) & 1:
                try:
                    session.read(item, number)
                except GXDLMSException:
                    unread.append((item.logicalName, number))
    items.save(str(path))
    return path.read_bytes()


def still(document: bytes, computed: set[str]) -> dict[tuple[str, str], dict[str, str]]:
    """By class and logical name, the XML of each part that does not change by itself."""
    found = {}
    for node in ET.fromstring(document):
        kind = node.tag.removeprefix("GXDLMS")
        name = node.findtext("LN") or ""
        skipped = MOVING.get(kind, set())
        if name in computed:
            skipped = skipped | {"Value", "SapAssignmentList"}  # of one meter and of one moment
        found[kind, name] = {
            part.tag: ET.canonicalize(ET.tostring(part), strip_text=True)
            for part in node
            if part.tag not in skipped
        }
    return found


def imported(document: bytes, name: str) -> Profile:
    made = import_dump(document, "dump.xml", name)
    return load_text(made.text, "made.toml")


@pytest.mark.parametrize("association", ["reader", "s1sp", "dco"])
def test_read_saved_imported_and_read_again(
    meter: Any, gurux: Any, place: Any, tmp_path: Path, association: str
) -> None:
    unread: list[tuple[str, int]] = []
    first = dumped(gurux, meter, association, tmp_path / "first.xml", unread)
    assert unread == []
    made = import_dump(first, "dump.xml", "again")
    profile = load_text(made.text, "made.toml")
    current = next(
        name
        for name, row in profile.associations.items()
        if row.config.client_sap == meter.profile.associations[association].config.client_sap
    )
    second = dumped(gurux, place(profile), current, tmp_path / "second.xml", unread)
    # What it does not say is what was left out, and the profile says so.
    for name, number in unread:
        code = obis.text(obis.parse(name))
        assert any(
            line.startswith(code) and f"attribute {number} " in line for line in made.left_out
        )
    gone = {name for name, _ in unread}
    computed = {
        ".".join(map(str, row.instance))
        for row in profile.objects.values()
        if row.role or row.interface_class.name == "SAP assignment"
    }
    was, now = still(first, computed), still(second, computed)
    # It may see the keys and counters of associations that were added besides.
    assert was.keys() <= now.keys()
    added = {name for _, name in now.keys() - was.keys()}
    assert all(name.startswith("0.0.43.") for name in added)
    for key, parts in was.items():
        if key[1] not in gone:
            assert now[key] == parts
    assert len(gone) < len(was) / 4


def test_the_head_end_works_with_it(meter: Any, gurux: Any, place: Any, tmp_path: Path) -> None:
    """What an S1SP can read is an account, a supply, and Instructions for both."""
    document = dumped(gurux, meter, "s1sp", tmp_path / "dump.xml", [])
    profile = imported(document, "again")
    assert profile.instructions.keys() == meter.profile.instructions.keys()
    assert profile.currency_scale == meter.profile.currency_scale
    assert profile.flag_id == meter.profile.flag_id
    assert profile.server_sap == meter.profile.server_sap
    assert profile.title_prefix == meter.profile.title_prefix
    assert profile.associations["s1sp"].config.policy == (
        meter.profile.associations["s1sp"].config.policy
    )


def test_the_dump_in_the_fixtures() -> None:
    """Made by this very test's ``dumped``, from our own meter (fixtures/dumps/SOURCES.md)."""
    profile = imported(FIXTURE.read_bytes(), "again")
    names = [node.findtext("LN") or "" for node in ET.fromstring(FIXTURE.read_bytes())]
    assert len(names) > 15
    assert {obis.parse(name) for name in names} <= profile.objects.keys()
