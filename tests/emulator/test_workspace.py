"""The folder of a sandbox: private, made once, the same when it is opened again."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from devices.profile import load, profile_of, read
from emulator.head_end.party import TITLES
from emulator.meter_address import MeterAddress
from emulator.policy import Actor
from emulator.requests.user import TITLES as USERS
from emulator.workspace import SECRET_LENGTH, Workspace, WorkspaceError
from tls.certificates import new_key
from tls.pki import CLIENT, SERVER

METERS = [
    MeterAddress("itron", 3, b"ITRB\0\0\0\3", "127.0.0.1", 4001, 4002),
    MeterAddress("secure", 5, b"EHL\1\0\0\0\5", "127.0.0.1", 4003, 4004),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("workspaces") / "deep" / "down"
    Workspace(path)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_directories_and_secrets_are_private(made: Path) -> None:
    for directory in (made, made / "pki", made / "parties"):
        assert mode(directory) == 0o700
    secrets = [made / "fleet.secret", *made.rglob("*.key")]
    assert sorted(path.relative_to(made).as_posix() for path in secrets) == [
        "fleet.secret",
        "parties/s1sp.key",
        "pki/issuing.key",
        "pki/root.key",
    ]
    for path in secrets:
        assert mode(path) == 0o600


def test_no_private_key_is_in_another_file(made: Path) -> None:
    for path in made.rglob("*"):
        if path.is_file() and path.suffix != ".key":
            assert b"PRIVATE KEY" not in path.read_bytes()


def test_opened_again_it_is_the_same(made: Path) -> None:
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    one, two = Workspace(made), Workspace(made)
    assert one.fleet_secret == two.fleet_secret
    assert len(one.fleet_secret) == SECRET_LENGTH
    assert one.pki.root.certificate == two.pki.root.certificate
    credentials = [workspace.credential(Actor.S1SP) for workspace in (one, two)]
    assert credentials[0].chain_pem == credentials[1].chain_pem
    assert credentials[0].system_title == TITLES[Actor.S1SP]
    after = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    assert before == after


def test_two_workspaces_share_no_secret(made: Path, tmp_path: Path) -> None:
    one, two = Workspace(made), Workspace(tmp_path / "other")
    assert one.fleet_secret != two.fleet_secret
    assert one.pki.root.certificate != two.pki.root.certificate


@pytest.mark.parametrize(
    "name", [".", "fleet.secret", "pki/root.key", "pki/issuing.key"], ids=lambda name: name
)
def test_what_others_can_read_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "workspace"
    Workspace(path)
    target = path / name
    for bits in (0o040, 0o004, 0o020):
        original = mode(target)
        target.chmod(original | bits)
        with pytest.raises(PermissionError, match="others must have no access"):
            Workspace(path)
        target.chmod(original)
    Workspace(path)


def test_a_credential_that_others_can_read_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    workspace.credential(Actor.S1SP)
    (workspace.path / "parties" / "s1sp.key").chmod(0o640)
    with pytest.raises(PermissionError):
        workspace.credential(Actor.S1SP)


def test_the_dco_has_no_certificate_for_tls(made: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Workspace(made).credential(Actor.DCO)


def test_users_are_made_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    enrolled = workspace.enrolment()
    assert set(USERS.values()) <= set(enrolled.users)
    assert Workspace(workspace.path).enrolment() == enrolled
    for name, eui in USERS.items():
        assert workspace.user(name).eui == eui
        assert mode(workspace.path / "users" / f"{name}.key") == 0o600


def test_half_made_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "workspace"
    Workspace(path)
    (path / "fleet.secret").unlink()
    with pytest.raises(WorkspaceError, match="half made"):
        Workspace(path)


def test_no_sandbox_is_up(made: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"no sandbox is up in .*: start one with"):
        Workspace(made).meters()


def test_announced_and_withdrawn(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    workspace.announce(METERS, {})
    assert Workspace(workspace.path).meters() == {meter.name: meter for meter in METERS}
    workspace.announce(METERS[:1], {"itron": read("itron")})
    assert list(workspace.meters()) == ["itron"]
    profile = profile_of(Workspace(workspace.path).document("itron"))
    assert profile.objects == load("itron").objects
    workspace.withdraw()
    with pytest.raises(WorkspaceError):
        workspace.meters()
    workspace.withdraw()  # nothing there any more is no failure


def test_secrets_do_not_show(made: Path) -> None:
    workspace = Workspace(made)
    shown = f"{workspace!r} {workspace.pki!r} {workspace.credential(Actor.S1SP)!r}"
    assert "PRIVATE KEY" not in shown
    assert workspace.fleet_secret.hex() not in shown
    assert repr(workspace.fleet_secret) not in shown


@pytest.mark.parametrize(
    ("of", "title", "purpose"),
    [
        (lambda one, key: one.module_chain(Actor.S1SP, key), Actor.S1SP, CLIENT),
        (lambda one, key: one.module_chain(Actor.DCO, key), Actor.DCO, CLIENT),
        (lambda one, key: one.listener_module_chain(key), Actor.S1SP, SERVER),
    ],
    ids=["S1SP", "DCO", "listener"],
)
def test_a_key_in_a_module_is_certified_once(
    made: Path, of: Callable[..., Any], title: Actor, purpose: Any
) -> None:
    first, second = (new_key().public_key() for _ in range(2))
    chain = of(Workspace(made), first)
    assert chain.leaf.public_key() == first
    assert chain.system_title == TITLES[title]
    usage = chain.leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [purpose]
    assert of(Workspace(made), first) == chain
    assert of(Workspace(made), second).leaf.public_key() == second
    assert not list(made.rglob("*.new"))
