"""Features of a device under test: those that follow from what is declared, and ``[features]``.

What follows cannot be declared otherwise. What is only likely (TLS 1.2 where there is TLS) stands
until ``[features]`` says something else; what nothing says anything about is down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from devices.profile.place import Place, Problems
from devices.profile.table import Table, near
from dlms.acse.names import Mechanism, Referencing
from dlms.xdlms.conformance import Conformance
from emulator.conformance.catalogue.applicability import Applicability, parse
from emulator.conformance.catalogue.words import Words
from emulator.conformance.declaration.model import (
    Declaration,
    DeclaredAssociation,
    WayKind,
)
from emulator.conformance.declaration.ways import HDLC_KINDS

PUBLIC_CLIENT = 16
"""Client SAP of the public client (GB Ed. 8, 4.5.3.3)."""

_LN, _SN = Referencing.LOGICAL_NAME, Referencing.SHORT_NAME
_BITS = {
    "get": (_LN, Conformance.GET),
    "set": (_LN, Conformance.SET),
    "access": (_LN, Conformance.ACCESS),
    "read": (_SN, Conformance.READ),
    "write": (_SN, Conformance.WRITE),
    "get.blocks": (_LN, Conformance.GET | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ),
    "set.blocks": (_LN, Conformance.SET | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE),
    "action.blocks": (_LN, Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_ACTION),
}
"""Services, by the way of naming that has them and the bits that they take."""
_EITHER = {
    "gbt": (Conformance.GENERAL_BLOCK_TRANSFER,),
    "lists": (Conformance.MULTIPLE_REFERENCES,),
    "selective": (Conformance.SELECTIVE_ACCESS, Conformance.PARAMETERIZED_ACCESS),
}
_NEEDS = {
    "hdlc.segmented": "hdlc",
    "hdlc.ui": "hdlc",
    "push.protected": "push",
    "general.signing": "general and suite >= 1",
    "key.transfer": "ciphered or hls",
    "key.agreement": "suite >= 1",
    "key.pairs": "suite >= 1",
    "certificates": "suite >= 1",
    "policy": "ciphered",
    "secret.change": "hls",
    "tls.mutual": "tls.server or tls.client",
    "tls.1.2": "tls.server or tls.client",
    "tls.1.3": "tls.server or tls.client",
}
"""What can be so only where something else is."""


_TASKS = {
    "block-read": "get.blocks",
    "clock": "clock",
    "profile": "profiles",
    "rotate-keys": "key.transfer",
    "change-secret": "secret.change",
    "image": "image",
}
"""What a head end can do that does a task."""


class Derived(NamedTuple):
    """``settled`` follows from what is declared, ``likely`` stands unless it is contradicted."""

    settled: Mapping[str, int]
    likely: Mapping[str, int]

    @property
    def all(self) -> dict[str, int]:
        """Those that are up."""
        return {name: value for name, value in {**self.likely, **self.settled}.items() if value}


def derived(declaration: Declaration) -> Derived:
    """What the rest of a declaration says of its features; its own are not looked at."""
    tls = declaration.way.kind is WayKind.TLS
    is_client = bool(declaration.client.command)
    settled: dict[str, int] = {
        "server": not is_client,
        "client": is_client,
        **_ways(declaration, is_client),
    }
    of_rows = {
        **_associations(declaration.associations),
        "lds": _logical_devices(declaration),
        "test-data": bool(declaration.writes),
        "sta": bool(declaration.sta),
        "image": bool(declaration.image),
    }
    likely: dict[str, int] = {}
    if is_client:
        # The associations of a head end are with meters, one of which is ours: what it can do
        # besides is its own to say.
        tasks = {_TASKS[task]: True for task in declaration.client.tasks if task in _TASKS}
        likely = {**of_rows, **tasks}
    else:
        settled |= of_rows
    likely |= {
        "hdlc.segmented": bool(settled["hdlc"]),
        "tls.client": tls and is_client,
        "tls.mutual": tls and bool(declaration.way.certificate),
        "tls.1.2": tls,
        "tls.ecdhe": tls,
    }
    return Derived(settled, likely)


def _ways(declaration: Declaration, is_client: bool) -> dict[str, int]:
    kind, hdlc = declaration.way.kind, declaration.way.kind in HDLC_KINDS
    return {
        "hdlc": hdlc,
        "hdlc.address": declaration.hdlc.address if hdlc else 0,
        "hdlc.inactivity": math.ceil(declaration.hdlc.inactivity) if hdlc else 0,
        "wrapper": not hdlc,
        "tcp": kind in (WayKind.TCP, WayKind.TLS),
        "tls.server": kind is WayKind.TLS and not is_client,
    }


def _associations(rows: tuple[DeclaredAssociation, ...]) -> dict[str, int]:
    mechanisms = {one.mechanism for one in rows}
    ciphered = [one for one in rows if one.context.ciphered]
    return {
        "ln": any(one.context.referencing is _LN for one in rows),
        "sn": any(one.context.referencing is _SN for one in rows),
        "plain": len(ciphered) < len(rows),
        "ciphered": bool(ciphered),
        "public": any(one.client_sap == PUBLIC_CLIENT for one in rows),
        "lls": Mechanism.LLS in mechanisms,
        "hls": any(one.is_hls for one in mechanisms),
        "hls.sha256": Mechanism.HLS_SHA256 in mechanisms,
        "hls.ecdsa": Mechanism.HLS_ECDSA in mechanisms,
        "clients": len({one.client_sap for one in rows}),
        "users": any(one.users for one in rows),
        "release": any(one.release for one in rows),
        "release.protected": any(one.protected_release for one in rows),
        "suite": max((one.suite for one in rows), default=0),
        "dedicated": any(one.dedicated for one in rows),
        "general": any(one.conformance & Conformance.GENERAL_PROTECTION for one in ciphered),
        **{
            name: any(
                one.context.referencing is naming and one.conformance & bits == bits for one in rows
            )
            for name, (naming, bits) in _BITS.items()
        },
        **{
            name: any(one.conformance & bit for one in rows for bit in bits)
            for name, bits in _EITHER.items()
        },
    }


def _logical_devices(declaration: Declaration) -> int:
    """Those that are named, and those that associations are of besides."""
    named = {one.sap for one in declaration.logical_devices}
    return len(named | {one.server_sap for one in declaration.associations})


def read_features(table: Table, found: Derived, words: Words, place: Place) -> dict[str, int]:
    """All that are up, with ``[features]`` on top of what follows.

    :class:`~devices.profile.ProfileError` has all that are wrong.
    """
    features = found.all
    problems = Problems()
    for name, value in values(table, words, place).items():
        with problems.collected():
            here = place.at(name)
            if value != found.settled.get(name, value):
                raise here.error(
                    f"contradicts what is declared: {_shown(found.settled[name], name, words)}"
                    " follows from it"
                )
            features[name] = value
    problems.settle()
    for name, value in table.items():
        if value and name in _NEEDS:
            with problems.collected():
                unmet = _expression(name, words).unmet(features)
                if unmet:
                    raise place.at(name).error(", ".join(unmet))
    problems.settle()
    return {name: value for name, value in features.items() if value}


def values(table: Table, words: Words, place: Place) -> dict[str, int]:
    """What ``[features]`` says, whatever else is declared. All that is no feature, or no value of
    one, is in the error.
    """
    found = {}
    problems = Problems()
    for name, written in table.items():
        with problems.collected():
            found[name] = _value(name, written, words, place.at(name))
    problems.settle()
    return found


def _expression(name: str, words: Words) -> Applicability:
    return parse(_NEEDS[name], words.flags, words.numbers)


def _value(name: str, written: object, words: Words, place: Place) -> int:
    known = words.features.get(name)
    if known is None:
        hint = near(name, words.features)
        raise place.error(f"no feature {name!r}{hint}; keys with a dot are quoted")
    if known.is_number:
        if isinstance(written, bool) or not isinstance(written, int) or written < 0:
            raise place.error(f"a whole number is needed ({known.says}), not {written!r}")
    elif not isinstance(written, bool):
        raise place.error(f"true or false is needed ({known.says}), not {written!r}")
    return written


def _shown(value: int, name: str, words: Words) -> str:
    return str(int(value)) if words.features[name].is_number else str(bool(value)).lower()


def said(declaration: Declaration, words: Words) -> dict[str, int]:
    """What ``[features]`` has to say for a declaration to have its features: those that differ from
    what follows, in the order of the catalogue's words.
    """
    there = derived(declaration).all
    return {
        name: int(declaration.features.get(name, 0))
        if one.is_number
        else bool(declaration.features.get(name, 0))
        for name, one in words.features.items()
        if int(declaration.features.get(name, 0)) != int(there.get(name, 0))
    }
