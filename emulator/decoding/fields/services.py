"""Fields of GET, SET and ACTION in all their forms (GB Ed. 8, 9.3.6 to 9.3.8 and 9.5)."""

from __future__ import annotations

from dlms.cosem import classes
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.decoding.fields.cutting import Cutter, Subject
from emulator.decoding.fields.saying import class_name, logical_name, named, one_of, presence, size
from emulator.decoding.fields.values import data, shape_of

GET, SET, ACTION = 0xC0, 0xC1, 0xC3
GOT, WAS_SET, ACTED = 0xC4, 0xC5, 0xC7
REQUESTS, RESPONSES = (GET, SET, ACTION), (GOT, WAS_SET, ACTED)
FORMS = {
    GET: {1: "normal", 2: "next", 3: "with-list"},
    SET: {
        1: "normal",
        2: "with-first-datablock",
        3: "with-datablock",
        4: "with-list",
        5: "with-list-and-first-datablock",
    },
    ACTION: {
        1: "normal",
        2: "next-pblock",
        3: "with-list",
        4: "with-first-pblock",
        5: "with-list-and-first-pblock",
        6: "with-pblock",
    },
    GOT: {1: "normal", 2: "with-datablock", 3: "with-list"},
    WAS_SET: {
        1: "normal",
        2: "datablock",
        3: "last-datablock",
        4: "last-datablock-with-list",
        5: "with-list",
    },
    ACTED: {1: "normal", 2: "with-pblock", 3: "with-list", 4: "next-pblock"},
}
_ASSOCIATION_SN, _ASSOCIATION_LN = 12, 15
_SECRETS = (
    (AttributeDescriptor, _ASSOCIATION_LN, 7),
    (MethodDescriptor, _ASSOCIATION_LN, 2),
    (MethodDescriptor, _ASSOCIATION_SN, 5),
)
"""What takes a secret in clear: the attribute secret, and the methods that change it."""


def is_secret(subject: Subject) -> bool:
    """Whether what is written there is a password."""
    return (type(subject), subject.class_id, subject[2]) in _SECRETS


def request(cutter: Cutter, tag: int) -> None:
    """Behind the tag."""
    choice = _head(cutter, tag)
    match tag, choice:
        case (0xC0, 1):
            attribute(cutter)
            _selection(cutter)
        case (0xC0, 2) | (0xC3, 2):
            cutter.take(4, "block number")
        case (0xC0, 3):
            _attributes(cutter)
        case (0xC1, 1):
            found = attribute(cutter)
            _selection(cutter)
            data(cutter, "data", shape_of(found), secret=is_secret(found))
        case (0xC1, 2):
            attribute(cutter)
            _selection(cutter)
            block(cutter)
        case (0xC1, 4):
            _values(cutter, _attributes(cutter), "data")
        case (0xC1, 5):
            _attributes(cutter)
            block(cutter)
        case (0xC1, 3) | (0xC3, 6):
            block(cutter)
        case (0xC3, 1):
            invoked = method(cutter)
            if cutter.take(1, "parameters", presence)[0]:
                data(cutter, "data", shape_of(invoked), secret=is_secret(invoked))
        case (0xC3, 3):
            _values(cutter, _methods(cutter), "data")
        case (0xC3, 4):
            method(cutter)
            block(cutter)
        case (0xC3, 5):
            _methods(cutter)
            block(cutter)
        case _:
            # What is written may be a secret, and in which octets is not told.
            cutter.rest("content", secret=tag != GET)


def response(cutter: Cutter, tag: int) -> None:
    """Behind the tag."""
    choice = _head(cutter, tag)
    match tag, choice:
        case (0xC4, 1):
            result(cutter, "", cutter.subject(0))
        case (0xC4, 2):
            _last(cutter)
            if cutter.take(1, "choice", one_of({0: "raw-data", 1: "data-access-result"}))[0]:
                cutter.take(1, "data-access-result", named(DataAccessResult))
            else:
                cutter.string("raw data", size)
        case (0xC4, 3):
            for number in range(_count(cutter, "results")):
                result(cutter, f"[{number}]", cutter.subject(number))
        case (0xC5, 1):
            cutter.take(1, "result", named(DataAccessResult))
        case (0xC5, 2) | (0xC7, 4):
            cutter.take(4, "block number")
        case (0xC5, 3):
            cutter.take(1, "result", named(DataAccessResult))
            cutter.take(4, "block number")
        case (0xC5, 4) | (0xC5, 5):
            for number in range(_count(cutter, "results")):
                cutter.take(1, f"result[{number}]", named(DataAccessResult))
            if choice == 4:
                cutter.take(4, "block number")
        case (0xC7, 1):
            _acted(cutter, "", cutter.subject(0))
        case (0xC7, 2):
            block(cutter, secret=False)
        case (0xC7, 3):
            for number in range(_count(cutter, "responses")):
                _acted(cutter, f"[{number}]", cutter.subject(number))
        case _:
            cutter.rest("content")


def _head(cutter: Cutter, tag: int) -> int:
    choice = cutter.take(1, "choice", one_of(FORMS[tag]))[0]
    cutter.take(1, "invoke-id-and-priority", invoke)
    return choice


def invoke(octets: bytes) -> str:
    octet = octets[0]
    high = ", high priority" if octet & 0x80 else ""
    return f"{octets.hex()}: id {octet & 15}, {_SERVICE[octet >> 6 & 1]}{high}"


_SERVICE = ("unconfirmed", "confirmed")


def attribute(cutter: Cutter) -> AttributeDescriptor:
    return AttributeDescriptor(*_descriptor(cutter, "attribute"))


def method(cutter: Cutter) -> MethodDescriptor:
    return MethodDescriptor(*_descriptor(cutter, "method"))


def _descriptor(cutter: Cutter, member: str) -> tuple[int, bytes, int]:
    """Class, logical name, and the number of an ``attribute`` or a ``method``, by its name."""
    class_id = int.from_bytes(cutter.take(2, "class id", class_name), "big")
    instance = cutter.take(6, "logical name", logical_name)
    row = classes.BY_ID.get(class_id)

    def name(octets: bytes) -> str:
        number = octets[0]
        if row is None:
            return str(number)
        found = row.attribute(number) if member == "attribute" else row.method(number)
        return f"{number} ({found.name})" if found else str(number)

    return class_id, instance, cutter.take(1, member, name)[0]


def _selection(cutter: Cutter) -> None:
    if cutter.take(1, "selective access", presence)[0]:
        cutter.take(1, "selector")
        data(cutter, "access parameters")


def _attributes(cutter: Cutter) -> list[Subject]:
    found: list[Subject] = []
    for _ in range(_count(cutter, "attributes")):
        found.append(attribute(cutter))
        with cutter.deeper():
            _selection(cutter)
    return found


def _methods(cutter: Cutter) -> list[Subject]:
    return [method(cutter) for _ in range(_count(cutter, "methods"))]


def _values(cutter: Cutter, subjects: list[Subject], name: str) -> None:
    hides = any(map(is_secret, subjects))
    for number in range(_count(cutter, "values")):
        about = subjects[number] if number < len(subjects) else None
        secret = is_secret(about) if about is not None else hides
        # A secret has the one name by which it is known as such.
        data(cutter, name if secret else f"{name}[{number}]", shape_of(about), secret=secret)


def _count(cutter: Cutter, of: str) -> int:
    return cutter.length(f"number of {of}")


def _last(cutter: Cutter) -> None:
    cutter.take(1, "last block", one_of({0: "no", 1: "yes", 0xFF: "yes"}))
    cutter.take(4, "block number")


def block(cutter: Cutter, *, secret: bool = True) -> None:
    """A piece of what may be a secret, if it was written."""
    _last(cutter)
    cutter.string("block data", size, secret=secret)


def result(cutter: Cutter, number: str, about: Subject | None) -> None:
    """A Get-Data-Result."""
    if cutter.take(1, f"choice{number}", one_of({0: "data", 1: "data-access-result"}))[0]:
        cutter.take(1, f"data-access-result{number}", named(DataAccessResult))
    else:
        data(cutter, f"data{number}", shape_of(about, returned=True))


def _acted(cutter: Cutter, number: str, about: Subject | None) -> None:
    cutter.take(1, f"result{number}", named(ActionResult))
    if cutter.take(1, f"return parameters{number}", presence)[0]:
        result(cutter, number, about)
