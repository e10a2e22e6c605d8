"""Plug-ins: what a manufacturer's meter does that a profile, which is data, cannot say.

A distribution offers an object of the form :class:`Plugin` under the entry point group
``cosemlab.devices``::

    [project.entry-points."cosemlab.devices"]
    acme = "acme_meters:PLUGIN"

One that cannot be used is left out as a whole, with a :class:`PluginError` that names the
distribution; the others, and all that does not need it, go on. A plug-in is code that runs with
all rights of the process: install those you trust. ``docs/plugin-example`` is a complete one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any, NamedTuple, Protocol, runtime_checkable

from devices.objects import registry, roles
from devices.objects.behaviour import Behaviour, Call
from devices.profile import sources, words
from devices.profile.model import ROLES
from devices.profile.words import Knob, Text
from dlms.axdr.data import Data
from dlms.cosem.interface_class import InterfaceClass

__all__ = ["GROUP", "Found", "Knob", "Plugin", "PluginError", "install", "install_all", "installed"]

GROUP = "cosemlab.devices"
FIRST_PRIVATE_CLASS = 8192
"""Class ids from 8192 to 32767 are manufacturers' own (Blue Book 4.1.5)."""
_LAST_PRIVATE_CLASS = 32767
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]*")


class PluginError(Exception):
    """A plug-in that is left out: which, of what distribution, and why."""


@runtime_checkable
class Plugin(Protocol):
    """What an entry point gives. A mapping or a sequence may be empty; none may be left out."""

    profiles: Mapping[str, str]
    """TOML texts by the name under which they are loaded. They may extend those of the package."""
    classes: Sequence[InterfaceClass]
    """Classes of the manufacturer's, with ids from 8192 to 32767. Profiles use them by name."""
    behaviours: Mapping[int, Behaviour]
    """What those classes do, by class_id; one without a behaviour shows what is stored."""
    roles: Mapping[str, Callable[[Call], Data]]
    """Values that are computed, of Data and Register objects whose ``role`` in the profile is this
    word. All that a value may depend on is in the :class:`~devices.objects.behaviour.Call`: the
    meter, its seed and state, the true time. It must not look at a clock or a file itself.
    """
    knobs: Mapping[str, Knob]
    """Settings by name. A profile gives them as ``[plugins.NAME]``, where NAME is that of the
    entry point, and a behaviour finds them in ``call.device.profile.knobs[NAME]``.
    """


class Found(NamedTuple):
    """An entry point: its name, the distribution it comes with, and what loads it."""

    name: str
    distribution: str
    load: Callable[[], Any]


def installed() -> tuple[Found, ...]:
    """The entry points of all distributions that Python finds, by name."""
    found = []
    for point in metadata.entry_points(group=GROUP):
        dist = point.dist
        origin = "an unknown distribution" if dist is None else f"{dist.name} {dist.version}"
        found.append(Found(point.name, origin, point.load))
    return tuple(sorted(found, key=lambda one: (one.name, one.distribution)))


def install_all(found: Iterable[Found]) -> tuple[PluginError, ...]:
    """Install each; those that cannot be are left out, and why is returned."""
    errors = []
    for one in found:
        try:
            install(one)
        except PluginError as error:
            errors.append(error)
    return tuple(errors)


def install(found: Found) -> None:
    """Load a plug-in and let profiles use it. Nothing of it is used if anything is wrong with it:
    :class:`PluginError`.
    """
    try:
        plugin = found.load()
    except Exception as error:  # whatever a stranger's module raises when it is imported
        raise _left_out(found, f"{type(error).__name__}: {error}") from error
    try:
        problem = _wrong_with(found.name, plugin)
    except Exception as error:  # its parts are not even mappings, or what they have in them is odd
        problem = f"{type(error).__name__}: {error}"
    if problem is not None:
        raise _left_out(found, problem)
    words.KNOBS[found.name] = dict(plugin.knobs)
    words.CLASSES.update({(one.class_id, one.version): one for one in plugin.classes})
    registry.BEHAVIOURS.update({one.class_id: Behaviour() for one in plugin.classes})
    registry.BEHAVIOURS.update(plugin.behaviours)
    words.ROLES.update(dict.fromkeys(plugin.roles, found.name))
    roles.ROLES.update(plugin.roles)
    words.TEXTS.update({n: Text(text, found.distribution) for n, text in plugin.profiles.items()})


def _left_out(found: Found, problem: str) -> PluginError:
    return PluginError(f"plug-in {found.name!r} of {found.distribution} is left out: {problem}")


def _wrong_with(name: str, plugin: object) -> str | None:
    """What is wrong with a plug-in by itself or beside those that are there; ``None`` if nothing.

    Its profiles are checked when they are loaded, like those of the package.
    """
    if not isinstance(plugin, Plugin):
        missing = [part for part in Plugin.__annotations__ if not hasattr(plugin, part)]
        return f"it has no {', '.join(missing)}"
    if not _WORD.fullmatch(name):
        return "its name is not of small letters, digits, _ and -"
    if name in words.KNOBS:
        return "another plug-in has this name"
    return (
        _wrong_class(plugin.classes)
        or _wrong_behaviour(plugin.behaviours, {one.class_id for one in plugin.classes})
        or _wrong_role(plugin.roles)
        or _wrong_profile(plugin.profiles)
        or _wrong_knob(plugin.knobs)
    )


def _wrong_class(given: Sequence[object]) -> str | None:
    for one in given:
        if not isinstance(one, InterfaceClass):
            return f"classes: {one!r} is no InterfaceClass"
        if not FIRST_PRIVATE_CLASS <= one.class_id <= _LAST_PRIVATE_CLASS:
            return f"class {one.class_id} is not in {FIRST_PRIVATE_CLASS}..{_LAST_PRIVATE_CLASS}"
        taken = {known.class_id for known in words.CLASSES.values()}
        if one.class_id in taken or one.name in words.class_names():
            return f"class {one.class_id}, {one.name!r}, is there already"
    return None


def _wrong_behaviour(given: Mapping[int, object], own: set[int]) -> str | None:
    for class_id, behaviour in given.items():
        if class_id not in own:
            return f"behaviours: class {class_id} is none of its own classes"
        if not isinstance(behaviour, Behaviour):
            return f"behaviours: {behaviour!r} is no Behaviour"
    return None


def _wrong_role(given: Mapping[str, object]) -> str | None:
    for role, compute in given.items():
        if not _WORD.fullmatch(role):
            return f"role {role!r} is not of small letters, digits, _ and -"
        if role in ROLES or role in words.ROLES:
            return f"role {role!r} is there already"
        if not callable(compute):
            return f"role {role!r} is no function"
    return None


def _wrong_profile(given: Mapping[str, object]) -> str | None:
    for name, text in given.items():
        if name in sources.every() or name in sources.BASES:
            return f"profile {name!r} is there already"
        if not _WORD.fullmatch(name) or not isinstance(text, str):
            return f"profile {name!r} is not a text under a name of small letters, digits, _ and -"
    return None


def _wrong_knob(given: Mapping[str, object]) -> str | None:
    for name, knob in given.items():
        if not isinstance(knob, Knob) or not isinstance(knob.default, bool | int | str):
            return f"knob {name!r} is no Knob with a default that is a flag, a number or a string"
    return None
