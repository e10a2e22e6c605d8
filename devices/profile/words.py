"""What profiles may say because a plug-in says so: :mod:`devices.plugins` fills it in.

Empty in a process without plug-ins. What the package itself knows stands where it belongs.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.cosem import classes
from dlms.cosem.interface_class import InterfaceClass


class Text(NamedTuple):
    """The TOML text of a profile, and the distribution that it comes with."""

    text: str
    origin: str


class Knob(NamedTuple):
    """A setting of a plug-in, which a profile may give. Its type is that of its ``default``."""

    default: bool | int | str
    help: str


TEXTS: dict[str, Text] = {}
ROLES: dict[str, str] = {}
"""By role, the plug-in whose it is."""
CLASSES: dict[tuple[int, int], InterfaceClass] = {}
"""Classes of manufacturers, by class_id and version."""
KNOBS: dict[str, dict[str, Knob]] = {}
"""By plug-in, even where it has none."""


def class_names() -> tuple[str, ...]:
    return (*classes.BY_NAME, *dict.fromkeys(one.name for one in CLASSES.values()))


def class_versions(name: str) -> tuple[InterfaceClass, ...]:
    """All versions of the class of that name, ascending; none if there is no such class."""
    own = [one for one in CLASSES.values() if one.name == name]
    return classes.versions(name) or tuple(sorted(own, key=lambda one: one.version))


def default_class(name: str) -> InterfaceClass | None:
    """The class in the version it has where none is said: of a manufacturer's, the latest."""
    known = classes.BY_NAME.get(name)
    if known is not None:
        return known
    own = class_versions(name)
    return own[-1] if own else None
