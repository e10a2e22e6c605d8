"""The plug-in of ``docs/plugin-example``, installed as it is, in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.failures import Exit

EXAMPLE = Path(__file__).parents[2] / "docs" / "plugin-example"
ROOT = EXAMPLE.parents[1]
PATIENCE = 120.0
_INSTALL = "import setuptools; setuptools.setup()"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the example in it: its module, and what setuptools makes of its
    pyproject.toml. (pip would need the package ``wheel``, or the network.)
    """
    source = tmp_path_factory.mktemp("source") / "example"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    site = tmp_path_factory.mktemp("site")
    steps = ["build_py", "--build-lib", str(site), "install_egg_info", "--install-dir", str(site)]
    subprocess.run(
        [sys.executable, "-c", _INSTALL, "-q", *steps], cwd=source, check=True, capture_output=True
    )
    return site


def environment(*folders: Path) -> dict[str, str]:
    path = os.pathsep.join(map(str, (ROOT, *folders)))
    return {**os.environ, "PYTHONPATH": path}


def command(*arguments: str, folders: tuple[Path, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emulator.cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment(*folders),
    )


def test_its_meter_is_listed(site: Path) -> None:
    done = command("profiles", "--json", folders=(site,))
    assert (done.returncode, done.stderr) == (Exit.DONE, "")
    rows = {row["name"]: row for row in json.loads(done.stdout)["profiles"]}
    assert rows["acme"]["manufacturer"] == "Acme"
    assert rows.keys() - {"acme"} == {
        row["name"]
        for row in json.loads(command("profiles", "--json", folders=()).stdout)["profiles"]
    }


@pytest.fixture(scope="module")
def workspace(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("up") / "workspace"
    up = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "emulator.cli.main",
            "up",
            "acme",
            "--json",
            "--workspace",
            str(path),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(site),
    )
    assert up.stdout is not None
    for line in up.stdout:
        if '"workspace": ' in line:  # what happens at the meters may be printed before
            break
    yield path
    up.send_signal(signal.SIGINT)
    _, err = up.communicate(timeout=PATIENCE)
    assert (up.returncode, err) == (Exit.DONE, "")


def read(site: Path, workspace: Path, *name: str) -> Any:
    done = command("read", "acme", *name, "--json", "--workspace", str(workspace), folders=(site,))
    assert (done.returncode, done.stderr) == (Exit.DONE, "")
    return json.loads(done.stdout)


def test_a_client_reads_what_it_computes(site: Path, workspace: Path) -> None:
    """The mean is the profile's 12 degrees, and it swings by 5 and what is the meter's own."""
    shown = read(site, workspace, "0-0:96.9.0.255")
    assert shown["unit"] == "°C"
    assert 7.0 <= float(shown["value"]) <= 17.9


def test_a_client_reads_its_own_class(site: Path, workspace: Path) -> None:
    assert read(site, workspace, "0-0:128.0.0.255")["value"] == 0


def test_without_it_the_meter_is_not_understood(workspace: Path) -> None:
    done = command("read", "acme", "--workspace", str(workspace), folders=())
    assert done.returncode == Exit.USAGE
    assert "plugins.acme: no such plug-in is in use" in done.stderr


def test_one_that_is_broken_is_left_out(site: Path, tmp_path: Path) -> None:
    """A line with the distribution's name; the others go on."""
    (tmp_path / "broken-2.5.dist-info").mkdir()
    (tmp_path / "broken-2.5.dist-info" / "METADATA").write_text("Name: broken\nVersion: 2.5\n")
    points = "[cosemlab.devices]\nbroken = broken_meters:PLUGIN\n"
    (tmp_path / "broken-2.5.dist-info" / "entry_points.txt").write_text(points)
    (tmp_path / "broken_meters.py").write_text("raise RuntimeError('not today')\n")
    done = command("profiles", "--json", folders=(site, tmp_path))
    assert done.returncode == Exit.DONE
    assert done.stderr == (
        "cosemlab: plug-in 'broken' of broken 2.5 is left out: RuntimeError: not today\n"
    )
    assert "acme" in done.stdout


def test_its_profile_is_wrong(tmp_path: Path) -> None:
    """The list goes on without it, and says so."""
    (tmp_path / "odd-1.dist-info").mkdir()
    (tmp_path / "odd-1.dist-info" / "METADATA").write_text("Name: odd\nVersion: 1\n")
    points = "[cosemlab.devices]\nodd = odd_meters\n"
    (tmp_path / "odd-1.dist-info" / "entry_points.txt").write_text(points)
    (tmp_path / "odd_meters.py").write_text(
        "profiles = {'odd': 'name = 5'}\nclasses = ()\nbehaviours = {}\nroles = {}\nknobs = {}\n"
    )
    done = command("profiles", folders=(tmp_path,))
    assert done.returncode == Exit.USAGE
    assert "cosemlab: odd 1/odd.toml:1: name: a string is needed, not 5\n" in done.stderr
    assert "landis_gyr" in done.stdout
