"""What has to be reached: the protocol, and what of a device concerns keys."""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]

DEVICE = (
    "devices/certificates.py",
    "devices/handed_keys.py",
    "devices/state.py",
    "devices/token.py",
    "devices/objects/association_ln.py",
    "devices/objects/association_rights.py",
    "devices/objects/association_sn.py",
    "devices/objects/association_users.py",
    "devices/objects/token_gateway.py",
)
FOLDERS = ("dlms", "devices/objects/security_setup")
DATA_MODEL = (
    "dlms/cosem/catalogue*.py",
    "dlms/cosem/classes.py",
    "dlms/cosem/fitting.py",
    "dlms/cosem/interface_class.py",
    "dlms/cosem/obis.py",
    "dlms/cosem/quantity.py",
    "dlms/cosem/rows.py",
    "dlms/cosem/shape.py",
    "dlms/cosem/tables/*.py",
    "dlms/cosem/typed.py",
    "dlms/cosem/units.py",
    "dlms/cosem/writing.py",
)
"""Not in scope: what a COSEM class is, in tables that are read once, and how people write values.
No octets of a peer come there."""


class Place(NamedTuple):
    """A line by what it says: its ``file``, the function it is in (``Class.method``), and its text.
    Numbers of lines change with every change above them.
    """

    file: str
    function: str
    text: str


def files() -> tuple[str, ...]:
    """All in scope, from the root of the repository."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    found += [ROOT / name for name in DEVICE]
    names = sorted(path.relative_to(ROOT).as_posix() for path in found)
    return tuple(one for one in names if not any(fnmatch(one, left) for left in DATA_MODEL))


@cache
def functions(file: str) -> dict[int, str]:
    """By the number of each line that is in a function, the name of the innermost one. What runs
    when a module is imported is no matter of fuzzing.
    """
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    found: dict[int, str] = {}

    def walk(node: ast.AST, names: tuple[str, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            inner = names
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = (*names, child.name)
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                first, last = child.body[0].lineno, child.end_lineno or child.lineno
                found.update(dict.fromkeys(range(first, last + 1), ".".join(inner)))
            walk(child, inner)

    walk(tree, ())
    return found


@cache
def _text(file: str) -> tuple[str, ...]:
    return tuple((ROOT / file).read_text("utf-8").splitlines())


def place(file: str, line: int) -> Place:
    return Place(file, functions(file)[line], _text(file)[line - 1].strip())
