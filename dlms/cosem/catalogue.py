"""What OBIS codes mean, and the names by which people ask for them (Blue Book Part 1, clause 7).

The words are in ``catalogue.toml`` beside this file, read once when first needed. A name is that of
a row or of a rule, then the channel (group B) and the billing period (group F) where they are not
the usual ones::

    1-0:1.8.0.255   active_energy_import
    1-0:1.8.2.255   active_energy_import_tariff_2
    1-1:32.7.0.255  voltage_l1_channel_1
    0-0:43.1.1.255  invocation_counter_1
    1-0:1.6.0.12    active_power_import_maximum_billing_12

Every code has a description, not every code a name. A name stands for one code, and
:func:`lookup` gives it back.
"""

from __future__ import annotations

import difflib
import functools
import importlib.resources
import re
import tomllib
from typing import NamedTuple

from dlms.cosem import obis
from dlms.cosem.catalogue_rows import CHANNEL, MAX_CHANNEL, Rows
from dlms.cosem.catalogue_rules import Named, Rules

CURRENT = 0xFF
"""Group F of what is not a value of a past billing period."""
MAX_NAME = 120
"""Characters of a name that is looked up; no name is longer, and near matches cost time."""

_CACHED = 4096
"""Codes whose names are remembered; no object list is longer than that."""
_NEAR = 5
_BILLED = (0, 98)
"""Groups C of abstract objects whose group F is a billing period; of others it is not."""
_SUFFIXES = re.compile(r"(.+?)(?:_channel_(\d{1,3}))?(?:_billing_(\d{1,3}))?")


class _Catalogue(NamedTuple):
    media: dict[int, str]
    rows: Rows
    rules: Rules
    aliases: dict[str, bytes]


@functools.cache
def _catalogue() -> _Catalogue:
    source = importlib.resources.files("dlms.cosem").joinpath("catalogue.toml")
    table = tomllib.loads(source.read_text("utf-8"))
    return _Catalogue(
        {int(number): text for number, text in table["media"].items()},
        Rows(table["objects"]),
        Rules(table["electricity"], table["gas"]),
        {name: obis.parse(code) for name, code in table["aliases"].items()},
    )


@functools.lru_cache(_CACHED)
def _named(code: bytes) -> Named | None:
    """Name, text and class of ``code`` with its channel and billing period."""
    catalogue = _catalogue()
    row = catalogue.rows.find(code)
    billing = ""
    if row is None and code[5] != CURRENT and (code[0] or code[2] in _BILLED):
        billing = str(code[5])
        code = code[:5] + bytes((CURRENT,))
        row = catalogue.rows.find(code)
    if row is not None:
        numbers = row.numbers(code)
        found = Named(
            row.name_of(code),
            " ".join((row.text, *map(str, numbers))),
            row.class_id,
        )
        channel = code[CHANNEL] != row.groups[CHANNEL][0]
    else:
        rule = catalogue.rules.find(code)
        if rule is None or code[CHANNEL] > MAX_CHANNEL:
            return None
        found = rule
        channel = code[CHANNEL] != 0
    name, text, class_id = found
    if channel:
        name, text = f"{name}_channel_{code[CHANNEL]}", f"{text}, channel {code[CHANNEL]}"
    if billing:
        name, text = f"{name}_billing_{billing}", f"{text}, {_billing(int(billing))}"
    return Named(name, text, class_id)


def _billing(period: int) -> str:
    if period < 100:
        return f"billing period {period}"
    if 100 < period < 126:
        return f"last billing period {period - 100}"
    return "most recent billing periods" if period == 126 else f"F {period}"


def name(code: bytes) -> str | None:
    """The name of a code, or ``None`` if the catalogue has none. ``ValueError`` if not 6 octets."""
    found = _named(_checked(code))
    return None if found is None else found.name


def usual_class(code: bytes) -> int | None:
    """The class_id of objects that usually have this logical name, or ``None``."""
    found = _named(_checked(code))
    return None if found is None else found.class_id


def describe(code: bytes) -> str:
    """What a code means, in words: ``active energy import, total, tariff 1``.

    A code without a name is described by its groups. ``ValueError`` if it has not six octets.
    """
    found = _named(_checked(code))
    if found is not None:
        return found.text
    a, b, c, d, e, f = code
    medium = _catalogue().media.get(a, f"medium {a}")
    ranges = 128 <= b <= 199 or 128 <= c <= 199 or c == 240
    if ranges or any(128 <= group <= 254 for group in (d, e, f)):
        return f"{medium}, manufacturer specific, {obis.text(code)}"
    return f"{medium}, not in the catalogue, {obis.text(code)}"


def lookup(wanted: str | bytes) -> bytes:
    """The code that is meant: by name, as text (F is 255 if left out) or as six octets.

    ``KeyError`` if there is no such name or no such code; its message names those that are near.
    """
    if isinstance(wanted, bytes):
        if len(wanted) != 6:
            raise KeyError(f"{wanted.hex()} is no OBIS code of six octets")
        return wanted
    try:
        return obis.parse(wanted)
    except ValueError:
        pass
    slug = re.sub(r"[\s-]+", "_", wanted.strip().lower())
    code = _by_name(slug) if len(slug) <= MAX_NAME else None
    if code is None:
        raise KeyError(_unknown(wanted, slug))
    return code


def _by_name(slug: str) -> bytes | None:
    catalogue = _catalogue()
    match = _SUFFIXES.fullmatch(slug)
    if match is None:
        return None
    base, channel, billing = match[1], int(match[2] or 0), int(match[3] or CURRENT)
    if channel > 0xFF or billing > 0xFF:
        return None
    alias = catalogue.aliases.get(slug)
    if alias is not None:
        return alias
    code = catalogue.rules.code(base)
    if code is None:
        code = _of_row(base, channel)
    elif channel:
        code = bytes((code[0], channel, *code[2:]))
    if code is None:
        return None
    if match[3]:
        code = code[:5] + bytes((billing,))
    return code if name(code) == slug else None


def _of_row(base: str, channel: int) -> bytes | None:
    """The code of a row's name with, perhaps, one or two numbers behind it."""
    rows = _catalogue().rows.by_name
    exact = rows.get(base)
    if exact is not None:
        code = exact.code([], channel)
        if code is not None:
            return code
    for cut in (1, 2):
        parts = base.rsplit("_", cut)
        row = rows.get(parts[0])
        if row is not None and all(part.isdecimal() for part in parts[1:]):
            return row.code([int(part) for part in parts[1:]], channel)
    return None


def names() -> tuple[str, ...]:
    """A name for each row (that of its lowest code) and each rule, and the aliases."""
    catalogue = _catalogue()
    rows = (row.name_of(row.lowest()) for row in catalogue.rows.by_name.values())
    return (*catalogue.rules.bases, *rows, *catalogue.aliases)


def _unknown(wanted: str, slug: str) -> str:
    """Why nothing was found: names that begin so, else names that are near."""
    shown = wanted if len(wanted) <= MAX_NAME else wanted[:MAX_NAME] + "..."
    known = names()
    begin = [one for one in known if slug and one.startswith(slug)]
    begin.sort(key=lambda one: one.count("_"))
    if begin:
        return f"{shown!r} may be {', '.join(begin[:_NEAR])}"
    near = difflib.get_close_matches(slug[:MAX_NAME], known, _NEAR)
    hint = f"; near are {', '.join(near)}" if near else ""
    return f"{shown!r} is no OBIS code and no name of one{hint}"


def _checked(code: bytes) -> bytes:
    if len(code) != 6:
        raise ValueError(f"an OBIS code has 6 octets, not {len(code)}")
    return code
