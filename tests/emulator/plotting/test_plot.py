"""Pictures: the numbers in them, that they are pictures, and what makes none."""

from __future__ import annotations

import datetime as dt
import json
import sys
import xml.etree.ElementTree as ET
from decimal import Decimal
from pathlib import Path

import pytest

from devices.metrology import Quantity, cumulative
from devices.profile import load
from emulator.cli.main import main
from emulator.plotting.alone import live_alone
from emulator.plotting.drawing import NoPicture, draw
from emulator.plotting.series import Series, Used, between

BEGIN = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
HALF_HOUR = dt.timedelta(minutes=30)
SEED_OF_FIRST = 1


def test_consumption_is_what_lies_between_readings() -> None:
    moments = [BEGIN + n * HALF_HOUR for n in range(5)]
    readings = list(zip(moments, map(Decimal, (10, 12, 12, 3, 4)), strict=True))
    assert between(readings) == [
        Used(moments[0], moments[1], Decimal(2)),
        Used(moments[1], moments[2], Decimal(0)),
        Used(moments[3], moments[4], Decimal(1)),
    ]
    assert between([]) == between(readings[:1]) == []


def test_a_meter_alone_uses_what_the_load_model_says_until_it_is_cut_off() -> None:
    profile = load("secure")
    series = live_alone(profile, SEED_OF_FIRST, BEGIN, 31, Decimal(30))
    cut = next(moment for moment, what in series.events if what == "supply-interrupted")
    assert BEGIN < cut < BEGIN + dt.timedelta(days=31)
    from devices.device import Device

    seed = Device(profile, SEED_OF_FIRST).seed
    used = cumulative(seed, Quantity.IMPORT, cut) - cumulative(seed, Quantity.IMPORT, BEGIN)
    assert sum(one.amount for one in series.used) == Decimal(used).scaleb(-3)
    assert all(one.amount == 0 for one in series.used if one.begin >= cut)
    assert series.credit[0] == (BEGIN, Decimal(30))
    assert dict(series.credit)[cut] <= 0
    assert len(series.used) == 48 * 31


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_files_are_pictures(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"meter{suffix}"
    arguments = ["plot", "landis_gyr", "--alone", "2026-03-01", "--out", str(path)]
    assert main([*arguments, "--days", "2", "--credit", "1"]) == 0
    octets = path.read_bytes()
    if suffix == ".png":
        assert octets[:8] == b"\x89PNG\r\n\x1a\n"
    else:
        root = ET.fromstring(octets)
        assert root.tag.endswith("svg")
        assert len(root.findall(".//{*}path")) > 96  # a column for each half-hour


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.svg"
    assert main(["plot", "secure", "--alone", "2026-03-01", "--out", str(path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["file"], shown["half_hours"], shown["credit"]) == (str(path), 672, 673)


def test_another_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", "secure", "--alone", "2026-03-01", "--out", str(tmp_path / "a.gif")]) == 2
    assert "a picture is .png or .svg" in capsys.readouterr().err


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(NoPicture, match=r"cosemlab\[plot\]"):
        draw(Series("m", "kWh", [], []), tmp_path / "a.png")


@pytest.mark.parametrize("days", ["0", "396", "x"])
def test_days_out_of_range(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["plot", "secure", "--alone", "2026-03-01", "--days", days])
    assert stop.value.code == 2
