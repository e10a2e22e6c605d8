"""``[exclusions]`` and ``[expected]``: what is not to be run, and what is known to fail.

[exclusions]
X_GBT = "the manual warns of lost blocks"     # an id, alias, group or glob of ids
"HDLC_ADDRESS_*" = "one station on the line"

[expected]
APPL_DATA_LN_N1 = "answers by an exception; firmware 2.4 mends it"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from devices.profile.place import Place, Problems
from devices.profile.table import Table, near
from emulator.conformance.catalogue.check import Check
from emulator.conformance.catalogue.holdings import Catalogue, UnknownCheck
from emulator.conformance.catalogue.words import text_of
from emulator.conformance.declaration.model import Exclusion, ExpectedFailure

_GLOB = frozenset("*?[")


def matched(pattern: str, catalogue: Catalogue) -> tuple[Check, ...]:
    """The checks that a pattern means: a group by its name, a glob over ids, or what
    :meth:`Catalogue.find` takes. :class:`UnknownCheck` if there are none.
    """
    if pattern in catalogue.words.groups:
        return catalogue.of_group(pattern)
    if not _GLOB & set(pattern):
        return catalogue.find(pattern)
    found = tuple(one for one in catalogue if fnmatchcase(one.id.upper(), pattern.upper()))
    if not found:
        hint = near(pattern.strip("*?").upper(), list(catalogue.checks))
        raise UnknownCheck(f"no check's id is like {pattern!r}{hint}")
    return found


def excluded(exclusions: Sequence[Exclusion], catalogue: Catalogue) -> Mapping[str, str]:
    """Why a check is not to be run, by id. :class:`UnknownCheck` for a pattern without one."""
    reasons: dict[str, str] = {}
    for one in exclusions:
        for check in matched(one.pattern, catalogue):
            reasons.setdefault(check.id, one.reason)
    return reasons


def read_exclusions(table: Table, catalogue: Catalogue, place: Place) -> tuple[Exclusion, ...]:
    """:class:`~devices.profile.ProfileError` has all that are wrong."""
    found = []
    problems = Problems()
    for pattern in table:
        with problems.collected():
            try:
                matched(pattern, catalogue)
            except UnknownCheck as error:
                hint = near(pattern, list(catalogue.words.groups))
                raise place.at(pattern).error(f"{error}{hint}") from None
            found.append(Exclusion(pattern=pattern, reason=text_of(table, pattern, place)))
    problems.settle()
    return tuple(found)


def read_expected(
    table: Table, exclusions: Sequence[Exclusion], catalogue: Catalogue, place: Place
) -> tuple[ExpectedFailure, ...]:
    """By id, whatever name is written. What is not run cannot be expected to fail."""
    found: dict[str, ExpectedFailure] = {}
    left_out = excluded(exclusions, catalogue)
    problems = Problems()
    for name in table:
        with problems.collected():
            here = place.at(name)
            id = _one(name, catalogue, here)
            if id in left_out:
                raise here.error(f"is not run, by [exclusions]: {left_out[id]}")
            if id in found:
                raise here.error(f"{id} is there already")
            found[id] = ExpectedFailure(id=id, reason=text_of(table, name, place))
    problems.settle()
    return tuple(found.values())


def _one(name: str, catalogue: Catalogue, place: Place) -> str:
    try:
        checks = catalogue.find(name)
    except UnknownCheck as error:
        raise place.error(str(error)) from None
    if len(checks) > 1:
        ids = ", ".join(one.id for one in checks)
        raise place.error(f"stands for several checks; name each: {ids}")
    return checks[0].id
