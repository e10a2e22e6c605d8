"""The conversations, a file for each part of a group of the catalogue.

Importing a file binds its conversations; :func:`load` imports them all.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module


@cache
def load() -> None:
    """Bind all conversations. Twice is once."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        import_module(module.name)
