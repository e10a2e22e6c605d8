"""The key file beside a declaration: octets of keys by name, for its owner's eyes only.

[management]
guek = "000102030405060708090A0B0C0D0E0F"
gak = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"

Each entry has keys as :class:`~emulator.client.keys.Keys` names them, in hexadecimal. No error
shows any of what the file says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from devices.profile.place import Place, Problems
from devices.profile.table import near, only
from devices.profile.writing import text
from dlms.acse.names import Mechanism
from dlms.security.suites import SUITES
from emulator import toml_file
from emulator.client.keys import Keys
from emulator.conformance.declaration.comments import comment_lines
from emulator.conformance.declaration.model import Declaration, DeclaredAssociation
from tls.files import check_private, write_private

NAMES = tuple(one.name for one in fields(Keys))
_ENCRYPTING = ("guek", "gak", "gbek", "kek")
_SECRETS = {
    Mechanism.LLS: "password",
    Mechanism.HLS_MD5: "hls_secret",
    Mechanism.HLS_SHA1: "hls_secret",
    Mechanism.HLS_SHA256: "hls_secret",
    Mechanism.HLS_GMAC: "guek",
    Mechanism.HLS_ECDSA: "signing_key",
}


def load(path: Path) -> Mapping[str, Keys]:
    """:class:`~devices.profile.ProfileError` says of each entry that is wrong where it is, and not
    what it says. ``PermissionError`` for a file that others than its owner can get at.
    """
    try:
        check_private(path)
    except PermissionError:
        raise
    except OSError as error:
        raise Place(str(path)).error(f"cannot be read: {error.strerror}") from None
    try:
        table, place = toml_file.read(path)
    except ValueError as error:
        raise Place(str(path)).error(_without_octets(error)) from None
    found = {}
    problems = Problems()
    for name, row in table.items():
        with problems.collected():
            found[name] = _entry(row, place.at(name))
    problems.settle()
    return found


def _without_octets(error: ValueError) -> str:
    """Where TOML is wrong; a message of the parser may quote what stands there."""
    where = str(error).rpartition("(at ")[2].rstrip(")")
    return f"is no TOML (at {where})" if where.startswith("line ") else "cannot be read as TOML"


def _entry(row: object, place: Place) -> Keys:
    if not isinstance(row, dict):
        raise place.error("a table of keys is needed: [NAME], and a line for each key")
    only(row, set(NAMES), place)
    found = {}
    for key, written in row.items():
        try:
            found[key] = bytes.fromhex(written)
        except (ValueError, TypeError):
            raise place.at(key).error("hexadecimal digits in a string are needed") from None
        if not found[key]:
            raise place.at(key).error("is empty; leave it out")
    return Keys(**found)


def of(declaration: Declaration) -> Mapping[str, Keys]:
    """The keys of its associations by their names; those without keys have none.

    As :func:`load`, and :class:`~devices.profile.ProfileError` where an entry is missing, or lacks
    a key that the association cannot do without, or has one of another length than its suite.
    """
    named = [one for one in declaration.associations if one.keys]
    if not named:
        return {one.name: Keys() for one in declaration.associations}
    path = Path(declaration.key_file)
    there = load(path)
    problems = Problems()
    found = {one.name: Keys() for one in declaration.associations}
    for one in named:
        with problems.collected():
            place = Place(str(path), (one.keys,))
            if one.keys not in there:
                hint = near(one.keys, there)
                raise place.error(f"no such entry{hint}; association {one.name} names it")
            _check(one, there[one.keys], place)
            found[one.name] = there[one.keys]
    problems.settle()
    return found


def needed(one: DeclaredAssociation) -> tuple[str, ...]:
    """Names of the keys without which an association cannot be opened."""
    names = [_SECRETS[one.mechanism]] if one.mechanism in _SECRETS else []
    if one.context.ciphered:
        names.append("guek")
        if one.policy.AUTHENTICATED & one.policy:
            names.append("gak")
    if one.mechanism is Mechanism.HLS_GMAC:
        names.append("gak")
    if one.mechanism is Mechanism.HLS_ECDSA:
        names.append("peer_public")
    return tuple(dict.fromkeys(names))


def _check(one: DeclaredAssociation, keys: Keys, place: Place) -> None:
    length = SUITES[one.suite].key_length
    for name in needed(one):
        if getattr(keys, name) is None:
            raise place.at(name).error(f"is needed by association {one.name}, and missing")
    for name in _ENCRYPTING:
        key: bytes | None = getattr(keys, name)
        if key is not None and len(key) != length:
            raise place.at(name).error(
                f"has {len(key)} octets, not the {length} of suite {one.suite}"
            )


def render(keys: Mapping[str, Keys], head: str = "") -> str:
    """The text of a key file; ``head`` are comments before the keys."""
    lines = list(comment_lines(head))
    for name, one in keys.items():
        lines += ["", f"[{_quoted(name)}]"]
        for key in NAMES:
            octets = getattr(one, key)
            if octets is not None:
                lines.append(f'{key} = "{octets.hex().upper()}"')
    return "\n".join(lines).lstrip("\n") + "\n"


def _quoted(name: str) -> str:
    return name if name.isascii() and name.replace("_", "a").isalnum() else text(name)


def save(path: Path, keys: Mapping[str, Keys], head: str = "") -> None:
    """A new file of mode 0600. ``FileExistsError`` if there is one: keys may be in it."""
    write_private(path, render(keys, head).encode("utf-8"))
