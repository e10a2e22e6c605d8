"""``[client]``: a head end under test, as a command that is run once for each check.

[client]
command = ["my-head-end", "--meter", "{host}:{port}", "--told", "{material}", "{task}"]
tasks = ["read", "clock"]
"""

from __future__ import annotations

import string

from devices.profile.place import Place
from devices.profile.table import Table, one_of, only
from emulator.conformance.declaration.fields import each, word
from emulator.conformance.declaration.model import DeclaredClient

TASKS = ("read", "block-read", "clock", "profile", "rotate-keys", "change-secret", "image")
FIELDS = ("host", "port", "task", "material")


def client(row: Table, place: Place) -> DeclaredClient:
    """:class:`~devices.profile.ProfileError` if it could not be run so."""
    only(row, {"command", "tasks"}, place)
    command = each(row, "command", _part, place)
    if row and not command:
        raise place.at("command").error("the program and its arguments are needed")
    asked = {name for one in command for name in _fields(one)}
    tasks = each(row, "tasks", lambda one, where: one_of(word(one, where), TASKS, where), place)
    if row and not tasks:
        raise place.at("tasks").error(f"at least one is needed, of {', '.join(TASKS)}")
    if len(tasks) > 1 and "task" not in asked:
        raise place.at("command").error("has no {task}, and there are several tasks")
    if row and not asked & {"port", "material"}:
        raise place.at("command").error(
            "has neither {port} nor {material}: our meter listens where it can"
        )
    return DeclaredClient(command=command, tasks=frozenset(tasks))


def _part(one: object, place: Place) -> str:
    text = word(one, place)
    try:
        found = _fields(text)
    except ValueError as error:
        raise place.error(f"{error}; a brace is written twice") from None
    for name in found:
        one_of(name, FIELDS, place)
    return text


def _fields(text: str) -> list[str]:
    """What stands in braces, as :meth:`str.format` reads it."""
    return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
