"""The key file: for its owner only, and nothing of it in errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profile import ProfileError
from emulator.client.keys import Keys
from emulator.conformance.declaration import Declaration, key_file, parse

Write = Callable[[str], Path]
SECRET = "5EC4E7" * 5 + "00"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str) -> Path:
        path = tmp_path / "keys.toml"
        path.write_text(text)
        path.chmod(0o600)
        return path

    return make


def refused(path: Path) -> str:
    with pytest.raises(ProfileError) as caught:
        key_file.load(path)
    text = str(caught.value)
    assert SECRET[:4] not in text
    assert caught.value.__cause__ is None
    return text


def test_keys(write: Write) -> None:
    path = write(f'[a]\nguek = "{SECRET}"\ngak = "00"\n[b]\npassword = "6162"\n')
    assert key_file.load(path) == {
        "a": Keys(guek=bytes.fromhex(SECRET), gak=b"\0"),
        "b": Keys(password=b"ab"),
    }


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_others_may_not_have_access(write: Write, mode: int) -> None:
    path = write("[a]\n")
    path.chmod(mode)
    with pytest.raises(PermissionError, match=rf"keys.toml has mode {mode:04o}: others must"):
        key_file.load(path)


def test_no_file(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refused(tmp_path / "keys.toml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'[a]\nguek = "{SECRET}0"\n', "keys.toml:2: a.guek: hexadecimal digits"),
        (f'[a]\nguek = ["{SECRET}"]\n', "a.guek: hexadecimal digits"),
        (f'[a]\nguek = ""\ngak = "{SECRET}"', "a.guek: is empty"),
        (f'[a]\ngeuk = "{SECRET}"\n', "a.geuk: unknown key (did you mean 'guek'?)"),
        (f'a = "{SECRET}"\n', "a: a table of keys is needed"),
        (f'[a]\nguek = "{SECRET}\n', "is no TOML (at line 2"),
        (f"[a]\nguek = {SECRET}\n", "is no TOML (at line 2"),
        (f"[a]\nguek = 0x{SECRET}{SECRET}\n", "a.guek: hexadecimal digits"),
        (f'[a]\nguek = "{SECRET}"\nguek = "{SECRET}"\n', "is no TOML (at line 3"),
        (f"[a]\n{SECRET} = 1\n{SECRET} = 2\n", "is no TOML"),
    ],
)
def test_what_is_wrong_is_not_shown(write: Write, text: str, says: str) -> None:
    assert says in refused(write(text))


def test_all_that_is_wrong_is_said(write: Write) -> None:
    text = refused(write(f'[a]\nguek = "x"\n[b]\nfoo = "{SECRET}"\n'))
    assert [line.split(":")[1] for line in text.splitlines()] == ["2", "4"]


def declared(path: Path, row: str = "", entry: str = "a") -> Declaration:
    return parse(
        f"""\
name = "dut"
key_file = "{path}"
[way]
kind = "tcp"
host = "x"
port = 1
[associations.management]
client_sap = 1
context = "LN_CIPHERED"
mechanism = "HLS_GMAC"
conformance = ["GET"]
keys = "{entry}"
{row}
[associations.public]
client_sap = 16
context = "LN"
mechanism = "NONE"
conformance = ["GET"]
"""
    )


def test_keys_by_association(write: Write) -> None:
    path = write(f'[a]\nguek = "{SECRET}"\ngak = "{SECRET}"\n')
    found = key_file.of(declared(path))
    assert found["management"].guek == bytes.fromhex(SECRET)
    assert found["public"] == Keys()


@pytest.mark.parametrize(
    ("text", "row", "entry", "says"),
    [
        (f'[a]\nguek = "{SECRET}"\n', "", "a", "a.gak: is needed by association management"),
        (f'[ab]\nguek = "{SECRET}"\n', "", "a", "no such entry (did you mean 'ab'?)"),
        ('[a]\nguek = "5EC4"\ngak = "00"\n', "", "a", "a.guek: has 2 octets, not the 16 of suite"),
        (
            f'[a]\nguek = "{SECRET}"\ngak = "{SECRET}"\n',
            "suite = 2",
            "a",
            "a.guek: has 16 octets, not the 32 of suite 2",
        ),
    ],
)
def test_keys_that_do_not_do(write: Write, text: str, row: str, entry: str, says: str) -> None:
    with pytest.raises(ProfileError) as caught:
        key_file.of(declared(write(text), row, entry))
    assert says in str(caught.value)
    assert SECRET[:4] not in str(caught.value)


def test_no_keys_are_needed() -> None:
    """Then there need not be a key file."""
    text = "name='x'\n[way]\nkind='tcp'\nhost='x'\nport=1\n[associations.p]\nclient_sap=16\n"
    text += "context='LN'\nmechanism='NONE'\nconformance=[]\n"
    assert key_file.of(parse(text)) == {"p": Keys()}


keys = st.builds(Keys, guek=st.none() | st.binary(min_size=1), password=st.binary(min_size=1))


@given(st.dictionaries(st.text(min_size=1), keys, max_size=3), st.text(max_size=20))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, found: dict[str, Keys], head: str
) -> None:
    path = tmp_path_factory.mktemp("keys") / "keys.toml"
    key_file.save(path, found, head)
    assert path.stat().st_mode & 0o777 == 0o600
    assert key_file.load(path) == found
    with pytest.raises(FileExistsError):
        key_file.save(path, {})
