"""Fields of ACCESS, of services of short names, and of notifications (GB Ed. 8, 9.5)."""

from __future__ import annotations

from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.decoding.fields import services
from emulator.decoding.fields.cutting import Cutter, Subject
from emulator.decoding.fields.saying import moment, named, one_of, presence, size
from emulator.decoding.fields.values import data, shape_of

_SPECIFICATIONS = {
    1: "access-request-get",
    2: "access-request-set",
    3: "access-request-action",
    4: "access-request-get-with-selection",
    5: "access-request-set-with-selection",
}
_VARIABLES = {
    2: "variable-name",
    4: "parameterized-access",
    5: "block-number-access",
    6: "read-data-block-access",
    7: "write-data-block-access",
}


def access_request(cutter: Cutter) -> None:
    _long_invoke(cutter)
    subjects = _specifications(cutter)
    _values(cutter, subjects, written=True)


def access_response(cutter: Cutter) -> None:
    _long_invoke(cutter)
    subjects: list[Subject | None] = list(cutter.subjects)
    if cutter.take(1, "access-request-specification", presence)[0]:
        subjects = _specifications(cutter)
    _values(cutter, subjects, written=False)
    for number in range(cutter.length("number of results")):
        kind = cutter.take(1, f"service[{number}]", one_of({1: "get", 2: "set", 3: "action"}))[0]
        codes = ActionResult if kind == 3 else DataAccessResult
        cutter.take(1, f"result[{number}]", named(codes))


def data_notification(cutter: Cutter) -> None:
    _long_invoke(cutter)
    data(cutter, "notification-body")


def confirmation(cutter: Cutter) -> None:
    _long_invoke(cutter)


def event_notification(cutter: Cutter) -> None:
    if cutter.take(1, "time", presence)[0]:
        cutter.string("time", moment)
    found = services.attribute(cutter)
    data(cutter, "attribute-value", shape_of(found))


def information_report(cutter: Cutter) -> None:
    if cutter.take(1, "current-time", presence)[0]:
        cutter.string("current-time", lambda octets: octets.decode("latin-1"))
    _variables(cutter)
    _listed(cutter, secret=False)


def read_request(cutter: Cutter) -> None:
    _variables(cutter)


def write_request(cutter: Cutter) -> None:
    _variables(cutter)
    # What a short name stands for is not told by it: a secret may be.
    _listed(cutter, secret=True)


def read_response(cutter: Cutter) -> None:
    words = {0: "data", 1: "data-access-error", 2: "data-block-result", 3: "block-number"}
    for number in range(cutter.length("number of results")):
        choice = cutter.take(1, f"choice[{number}]", one_of(words))[0]
        if choice == 0:
            data(cutter, f"data[{number}]")
        elif choice == 1:
            cutter.take(1, f"data-access-error[{number}]", named(DataAccessResult))
        elif choice == 2:
            _short_block(cutter)
        else:
            cutter.take(2, "block number")


def write_response(cutter: Cutter) -> None:
    words = {0: "success", 1: "data-access-error", 2: "block-number"}
    for number in range(cutter.length("number of results")):
        choice = cutter.take(1, f"choice[{number}]", one_of(words))[0]
        if choice == 1:
            cutter.take(1, f"data-access-error[{number}]", named(DataAccessResult))
        elif choice == 2:
            cutter.take(2, "block number")


def _long_invoke(cutter: Cutter) -> None:
    cutter.take(4, "long-invoke-id-and-priority", _long)
    cutter.string("date-time", moment)


def _long(octets: bytes) -> str:
    number = int.from_bytes(octets, "big")
    said = [f"id {number & 0xFFFFFF}", "confirmed" if number >> 30 & 1 else "unconfirmed"]
    said += ["break-on-error"] if number >> 29 & 1 else []
    said += ["self-descriptive"] if number >> 28 & 1 else []
    said += ["high priority"] if number >> 31 & 1 else []
    return ", ".join(said)


def _specifications(cutter: Cutter) -> list[Subject | None]:
    found: list[Subject | None] = []
    for number in range(cutter.length("number of specifications")):
        choice = cutter.take(1, f"specification[{number}]", one_of(_SPECIFICATIONS))[0]
        with cutter.deeper():
            found.append(services.method(cutter) if choice == 3 else services.attribute(cutter))
            if choice in (4, 5):
                cutter.take(1, "selector")
                data(cutter, "access parameters")
    return found


def _values(cutter: Cutter, subjects: list[Subject | None], *, written: bool) -> None:
    for number in range(cutter.length("number of data")):
        about = subjects[number] if number < len(subjects) else None
        secret = written and about is not None and services.is_secret(about)
        shape = shape_of(about, returned=not written)
        if written and isinstance(about, AttributeDescriptor) and cutter.reader.peek("data") == 0:
            shape = shape_of(None)
        data(cutter, "data" if secret else f"data[{number}]", shape, secret=secret)


def _variables(cutter: Cutter) -> None:
    for number in range(cutter.length("number of specifications")):
        choice = cutter.take(1, f"variable[{number}]", one_of(_VARIABLES))[0]
        with cutter.deeper():
            if choice in (2, 4):
                cutter.take(2, "variable name", lambda octets: f"{octets.hex().upper()}h")
            if choice == 4:
                cutter.take(1, "selector")
                data(cutter, "parameter", secret=True)
            elif choice == 5:
                cutter.take(2, "block number")
            elif choice == 6:
                _short_block(cutter)
            elif choice == 7:
                cutter.take(1, "last block")
                cutter.take(2, "block number")


def _short_block(cutter: Cutter) -> None:
    cutter.take(1, "last block")
    cutter.take(2, "block number")
    cutter.string("raw data", size)


def _listed(cutter: Cutter, *, secret: bool) -> None:
    for number in range(cutter.length("number of data")):
        data(cutter, f"data[{number}]", secret=secret)
