"""Requests and answers of the control socket: a line of JSON each.

{"id": 1, "action": "power", "meter": "itron", "arguments": {"what": "off"}}
{"id": 1, "ok": true, "result": {"power": "off", "back": null}}
{"id": 1, "ok": false, "error": {"code": "unknown-meter", "text": "no meter 'itron'; ..."}}
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from emulator.control.arguments import MAX_TEXT, shown
from emulator.control.errors import MALFORMED, ControlError, control_error

MAX_REQUEST = 65_536
"""Octets of a line: an action has a few arguments of a few hundred characters."""

MAX_ANSWER = 1 << 24
"""Octets: the status of a meter is two hundred, so this is a fleet of eighty thousand."""

_LONGEST_NAME = 100
"""Octets of a socket's path; the system takes 107, or 103."""

Id: TypeAlias = str | int | None
"""What the client calls its request; it is in the answer."""


class RequestLine(NamedTuple):
    """What one line asks for, as far as it can be seen without knowing the actions."""

    id: Id
    action: str
    meter: str | None
    arguments: Mapping[str, object]


def encode(message: Mapping[str, object]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def answer(id_: Id, result: Mapping[str, object]) -> bytes:
    return encode({"id": id_, "ok": True, "result": result})


def refusal(id_: Id, error: ControlError) -> bytes:
    return encode({"id": id_, "ok": False, "error": {"code": error.code, "text": error.text}})


def id_of(line: bytes) -> Id:
    """What a line is called, if that can be made out; to be said with whatever is wrong with it."""
    try:
        found = _object(line).get("id")
    except ControlError:
        return None
    return found if _is_id(found) else None


def request(line: bytes) -> RequestLine:
    """:class:`~emulator.control.errors.ControlError` if it is none."""
    there = _object(line)
    for name in there:
        if name not in RequestLine._fields:
            known = ", ".join(RequestLine._fields)
            raise _malformed(f"a request has no {shown(name)}; it has: {known}")
    action, meter, arguments = there.get("action"), there.get("meter"), there.get("arguments")
    if not _is_id(there.get("id")):
        raise _malformed("id is text or a whole number")
    if not isinstance(action, str):
        raise _malformed("action is the name of an action")
    if meter is not None and not isinstance(meter, str):
        raise _malformed("meter is the name of a meter, or null")
    if arguments is not None and not isinstance(arguments, dict):
        raise _malformed("arguments are an object")
    return RequestLine(there.get("id"), action, meter, arguments or {})


def result(line: bytes) -> dict[str, object]:
    """What an answer holds; its error is raised."""
    there = _object(line)
    error = there.get("error")
    if isinstance(error, dict):
        raise control_error(str(error.get("code")), str(error.get("text")))
    found = there.get("result")
    if not isinstance(found, dict):
        raise _malformed("the answer has no result")
    return found


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A name of a socket that the system takes, however long ``path`` is."""
    if len(os.fsencode(path)) <= _LONGEST_NAME:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _object(line: bytes) -> dict[str, Any]:
    try:
        there = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _malformed("a line is an object in JSON") from None
    if not isinstance(there, dict):
        raise _malformed("a line is an object in JSON")
    return there


def _no_number(text: str) -> None:
    raise ValueError(text)


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 1 << 63
    return value is None


def _malformed(text: str) -> ControlError:
    return ControlError(MALFORMED, text)
