"""Which checks are meant."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from emulator.conformance.catalogue.check import Check
from emulator.conformance.catalogue.holdings import Catalogue

_WILD = frozenset("*?[")


def chosen(catalogue: Catalogue, patterns: Sequence[str]) -> tuple[Check, ...]:
    """All that a pattern means, in the order of the catalogue; without one, all that there are.

    A pattern is a group, ``GROUP/ID``, a pattern of ids as of file names, or what
    :meth:`Catalogue.find` takes. :class:`~.holdings.UnknownCheck` if there is no such check.
    """
    if not patterns:
        return tuple(catalogue)
    found = {check.id for pattern in patterns for check in _meant(catalogue, pattern)}
    return tuple(check for check in catalogue if check.id in found)


def matches(pattern: str, check: Check) -> bool:
    """Whether a group, an id, an alias or a pattern of ids means that check."""
    upper = pattern.upper()
    return pattern == check.group or any(
        fnmatchcase(name.upper(), upper) for name in (check.id, *check.aliases)
    )


def _meant(catalogue: Catalogue, pattern: str) -> Sequence[Check]:
    if pattern in catalogue.words.groups:
        return catalogue.of_group(pattern)
    group, slash, rest = pattern.partition("/")
    if slash and group in catalogue.words.groups:
        return [check for check in _meant(catalogue, rest) if check.group == group]
    if _WILD.isdisjoint(pattern):
        return catalogue.find(pattern)
    return [check for check in catalogue if matches(pattern, check)]
