"""The conversations, a file for each part of a group of the catalogue.

Importing a file binds its conversations; :func:`load` imports them all.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

_EXTRAS = ("tlslite", "asn1crypto")
"""Packages of the extra ``conformance``, which conversations with TLS need."""

_absent: set[str] = set()


@cache
def load() -> None:
    """Bind all conversations, but those that need a package which is not installed. Twice is
    once.
    """
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        try:
            import_module(module.name)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in _EXTRAS:
                raise
            _absent.add(package)


def absent() -> frozenset[str]:
    """The packages without which some conversations could not be bound."""
    return frozenset(_absent)
