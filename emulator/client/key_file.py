"""A file of keys: octets by name, for its owner's eyes only.

[management]
guek = "000102030405060708090A0B0C0D0E0F"
gak = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"

Each entry has keys as :class:`~emulator.client.keys.Keys` names them, in hexadecimal. In the place
of a public key there may be a certificate (DER) that has it. No error shows any of what the file
says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from devices.profile.place import Place, Problems
from devices.profile.table import only
from dlms.security.ops import VerificationFailed
from emulator import toml_file
from emulator.client.keys import PUBLIC, Keys
from emulator.modules import certificate_fields as certificates
from emulator.modules import curves
from tls.files import check_private

_LONGEST_POINT = 96
"""Octets of ``x ‖ y`` on P-384; a certificate has some hundreds."""
NAMES = tuple(one.name for one in fields(Keys))


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
        if key in PUBLIC and len(found[key]) > _LONGEST_POINT:
            found[key] = _public_of(found[key], place.at(key))
    return Keys(**found)


def _public_of(der: bytes, place: Place) -> bytes:
    """The key of a certificate. Who issued it and until when is not looked at: it stands in the
    file, as a bare key would.
    """
    try:
        key, _ = certificates.key_of(certificates.load(der))
    except VerificationFailed:
        raise place.error("is no public key x ‖ y, and no certificate (DER) that has one") from None
    return curves.public_octets(key)
