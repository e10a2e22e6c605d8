"""The meter takes or says something else than it should, by a rule over octets.

For what a meter does wrong that no other kind is about. What a rule matches is lower-case
hexadecimal, two digits to an octet; a match begins at an octet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from devices.answering.asking import Answerable
from dlms.errors import CodecError
from dlms.security.ciphered import is_ciphered
from dlms.security.general_ciphering import GENERAL_CIPHERING
from dlms.security.ops import CryptoOp, Open, Seal, Use
from dlms.xdlms import registry
from dlms.xdlms.registry import AnyResponse
from emulator.control.arguments import Argument
from emulator.control.arguments import Kind as ArgumentKind
from emulator.control.errors import ControlError, bad_argument
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind, Parameter
from emulator.faults.kinds.parameters import ASSOCIATION, choice, direction
from emulator.faults.kinds.reframing import FRAMES
from emulator.serving.taps import Parcel, Place
from emulator.serving.workings import Execute

_PLACES = {
    ("octets", "in"): Place.OCTETS_IN,
    ("octets", "out"): Place.OCTETS_OUT,
    ("apdu", "in"): Place.APDU_IN,
    ("apdu", "out"): Place.APDU_OUT,
    ("plain", "in"): Place.APDU_IN,
    ("plain", "out"): Place.APDU_OUT,
}
_SEALED = (Use.PROTECT_RESPONSE, Use.ASSOCIATION)
_OPENED = (Use.OPEN_REQUEST, Use.ASSOCIATION)


def _pattern(fault: Fault) -> re.Pattern[str]:
    try:
        return re.compile(fault["match"])
    except re.error as error:
        raise bad_argument(f"match is a regular expression: {error}") from None


def _rule(fault: Fault) -> Callable[[bytes], list[bytes]]:
    """What becomes of octets, none, one or two, by the parameters of the fault."""
    pattern, into, how = _pattern(fault), fault["into"], fault["how"]
    reframe = FRAMES[fault["frame"]]

    def rewritten(match: re.Match[str]) -> str:
        return match.group() if match.start() % 2 else match.expand(into)

    def rule(octets: bytes) -> list[bytes]:
        text = octets.hex()
        if not any(match.start() % 2 == 0 for match in pattern.finditer(text)):
            return [octets]
        if how == "drop":
            return []
        if how == "double":
            return [octets, octets]
        changed = pattern.sub(rewritten, text)
        try:
            return [reframe(bytes.fromhex(changed))]
        except ValueError:
            return [octets]  # the template gives no octets: the fault does nothing

    return rule


def rewrite(fault: Fault) -> None:
    rule = _rule(fault)
    plain, where = fault["of"] == "plain", fault["direction"]

    def pass_on(parcel: Parcel) -> Iterable[Parcel]:
        if plain and parcel.octets and _is_hidden(parcel.octets[0]):
            return (parcel,)
        after = rule(parcel.octets)
        if after == [parcel.octets]:
            return (parcel,)
        fault.has_acted(f"{len(parcel.octets)} octets became {sum(map(len, after))}", parcel)
        return tuple(parcel._replace(octets=octets) for octets in after)

    def compute(op: CryptoOp, execute: Execute) -> Any:
        if where == "out" and isinstance(op, Seal):
            op = op._replace(payload=_changed(op, op.payload)) if op.use in _SEALED else op
        result = execute(op)
        if where == "in" and isinstance(op, Open) and op.use in _OPENED:
            return _changed(op, result)
        return result

    def _changed(op: Seal | Open, payload: Any) -> Any:
        if not isinstance(payload, bytes) or not _concerns(fault, op):
            return payload
        after = rule(payload)
        if len(after) != 1 or after[0] == payload:
            return payload
        fault.has_acted("what is beneath the protection became something else")
        return after[0]

    fault.tap(_PLACES[fault["of"], where], pass_on)
    if plain:
        fault.detour(compute)


def _is_hidden(tag: int) -> bool:
    return is_ciphered(tag) or tag == GENERAL_CIPHERING


def _concerns(fault: Fault, op: Seal | Open) -> bool:
    only = fault["association"]
    return not fault.is_over and (not only or op.ek.scope == only)


def say(fault: Fault) -> None:
    pattern, answer = _pattern(fault), _octets(fault)

    def turn_away(parcel: Parcel) -> Iterable[Parcel]:
        if not pattern.match(parcel.octets.hex()):
            return (parcel,)
        fault.has_acted("an APDU is answered in the meter's place", parcel)
        return () if answer is None else (parcel._replace(answer=answer),)

    def respond(request: Answerable, association: str) -> AnyResponse | None:
        only = fault["association"]
        if fault.is_over or (only and association != only) or answer is None:
            return None
        if not pattern.match(request.encode().hex()):
            return None
        response = _response(answer, request)
        fault.has_acted(f"{type(request).__name__} is answered in the meter's place")
        return response

    if fault["of"] == "plain":
        if answer is None:
            raise bad_argument("beneath protection there is always an answer: give one")
        fault.answer(respond)
    else:
        fault.tap(Place.APDU_IN, turn_away)


def _octets(fault: Fault) -> bytes | None:
    try:
        return None if fault["answer"] is None else bytes.fromhex(fault["answer"])
    except ValueError:
        raise bad_argument("answer is hexadecimal, two digits to an octet") from None


def _response(answer: bytes, request: Answerable) -> AnyResponse:
    """The answer as a response to that request: with its invoke-id. :class:`ControlError` if it is
    none.
    """
    try:
        response: Any = registry.decode(answer)
    except CodecError as error:
        raise ControlError("bad-argument", f"answer is no response: {error}") from None
    invoke = getattr(request, "invoke", None)
    fitting: AnyResponse = response if invoke is None else response._replace(invoke=invoke)
    return fitting


_MATCH = Parameter(
    Argument(
        name="match",
        kind=ArgumentKind.TEXT,
        required=True,
        help="a regular expression over the octets in lower-case hexadecimal",
    ),
    ".",
)

KINDS = (
    Kind(
        name="rewrite",
        place="APDU, octets or what is beneath protection, in or out",
        help="what a rule matches becomes something else",
        seen="what the rule makes of it; in: a meter that takes for right what is wrong",
        begin=rewrite,
        parameters=(
            direction(),
            choice(
                "of",
                ("apdu", "octets", "plain"),
                "apdu",
                "APDUs as they are sent; octets at once; APDUs beneath their protection",
            ),
            _MATCH,
            Parameter(
                Argument(
                    name="into",
                    kind=ArgumentKind.TEXT,
                    help="a template for what matches, with \\1 and so on for its groups",
                ),
                "",
            ),
            choice(
                "how",
                ("replace", "drop", "double"),
                "replace",
                "what matches is replaced; or all of it goes no further, or goes twice",
            ),
            choice(
                "frame",
                tuple(FRAMES),
                "as-is",
                "whether lengths and check sequences are put right behind the change",
            ),
            ASSOCIATION,
        ),
    ),
    Kind(
        name="say",
        place="APDU in, or beneath protection",
        help="an APDU that a rule matches is answered in the meter's place",
        seen="that answer, or none; the meter has done nothing of what was asked",
        begin=say,
        parameters=(
            choice("of", ("apdu", "plain"), "apdu", "as they are sent, or beneath protection"),
            _MATCH,
            Parameter(
                Argument(
                    name="answer",
                    kind=ArgumentKind.TEXT,
                    help="in hexadecimal; else silence",
                )
            ),
            ASSOCIATION,
        ),
    ),
)
