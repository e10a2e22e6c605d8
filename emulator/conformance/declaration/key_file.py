"""The key file beside a declaration: its entries (:mod:`emulator.client.key_file`) are the keys of
its associations.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devices.profile.place import Place, Problems
from devices.profile.table import near
from devices.profile.writing import text
from dlms.acse.names import Mechanism
from dlms.security.suites import SUITES
from emulator.client.key_file import NAMES, load
from emulator.client.keys import Keys
from emulator.conformance.declaration.comments import comment_lines
from emulator.conformance.declaration.model import Declaration, DeclaredAssociation
from tls.files import write_private

_ENCRYPTING = ("guek", "gak", "gbek", "kek")
_SECRETS = {
    Mechanism.LLS: "password",
    Mechanism.HLS_MD5: "hls_secret",
    Mechanism.HLS_SHA1: "hls_secret",
    Mechanism.HLS_SHA256: "hls_secret",
    Mechanism.HLS_GMAC: "guek",
    Mechanism.HLS_ECDSA: "signing_key",
}


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
