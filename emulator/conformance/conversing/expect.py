"""What may come back, by the words of the catalogue ([answers] in index.toml).

Each function makes an alternative for a conversation; its arguments narrow it down.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.acse.release import Rlre
from dlms.axdr.data import Data
from dlms.errors import CodecError
from dlms.words import word
from dlms.xdlms.action import ActionResponse
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.get import GetResponse
from dlms.xdlms.read import ReadResponse
from dlms.xdlms.set import SetResponse
from dlms.xdlms.write import WriteResponse
from emulator.conformance.conversing.tree import Expect, Mismatch, Node
from emulator.conformance.probing.seen import Seen, What

Diagnostic = UserDiagnostic | ProviderDiagnostic


def _is(what: What, answer: str) -> Expect:
    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        return None if seen.what is what else Mismatch(what.value, str(seen), _first(seen))

    return Expect(answer, judge)


def _first(seen: Seen) -> int | None:
    """The octet at fault where something came in the place of nothing."""
    return 0 if seen.octets else None


def silence() -> Expect:
    return _is(What.SILENCE, "silence")


def closed() -> Expect:
    return _is(What.CLOSED, "closed")


# Associations -----------------------------------------------------------------------------------


def _accepting(answer: str, diagnostic: Diagnostic | None, then: tuple[Node, ...]) -> Expect:
    expected = "an AARE that accepts"
    if diagnostic is not None:
        expected += f" ({word(diagnostic)})"

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        aare = seen.message
        if not isinstance(aare, Aare):
            return Mismatch(expected, str(seen), _first(seen))
        if aare.result is not AssociationResult.ACCEPTED:
            said = f"{word(aare.result)}, {word(aare.diagnostic)}"
            return Mismatch(expected, f"an AARE that rejects: {said}", _at(seen, _RESULT))
        if diagnostic is not None and aare.diagnostic is not diagnostic:
            said = f"an AARE that accepts ({word(aare.diagnostic)})"
            return Mismatch(expected, said, _at(seen, _DIAGNOSTIC))
        if seen.problems:
            return Mismatch(f"{expected} and that may be taken", "; ".join(seen.problems))
        return None

    return Expect(answer, judge, then)


def accepted(*then: Node) -> Expect:
    """The association is there, without more passes."""
    return _accepting("accepted", UserDiagnostic.NULL, then)


def pending(*then: Node) -> Expect:
    """It accepts, and awaits pass 3."""
    return _accepting("pending", UserDiagnostic.AUTHENTICATION_REQUIRED, then)


def rejected(*diagnostics: Diagnostic, result: AssociationResult | None = None) -> Expect:
    """An AARE that rejects, with one of these diagnostics if there are any."""
    wanted = " or ".join(word(one) for one in diagnostics)
    expected = f"an AARE that rejects: {wanted}" if wanted else "an AARE that rejects"
    if result is not None:
        expected += f", {word(result)}"

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        aare = seen.message
        if not isinstance(aare, Aare):
            return Mismatch(expected, str(seen), _first(seen))
        said = f"{word(aare.result)}, {word(aare.diagnostic)}"
        if aare.result is AssociationResult.ACCEPTED:
            return Mismatch(expected, f"an AARE that accepts ({said})", _at(seen, _RESULT))
        if result is not None and aare.result is not result:
            return Mismatch(expected, said, _at(seen, _RESULT))
        if diagnostics and not any(aare.diagnostic is one for one in diagnostics):
            return Mismatch(expected, said, _at(seen, _DIAGNOSTIC))
        return None

    return Expect("rejected", judge)


def initiate_error(code: int) -> Expect:
    """An AARE that rejects, and whose user-information is 0E 01 06 and that code."""
    expected = f"an AARE that rejects, with ConfirmedServiceError 0E 01 06 {code:02X}"

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        aare = seen.message
        if not isinstance(aare, Aare):
            return Mismatch(expected, str(seen), _first(seen))
        if aare.result is AssociationResult.ACCEPTED:
            return Mismatch(expected, "an AARE that accepts", _at(seen, _RESULT))
        information = aare.user_information or b""
        try:
            error = ConfirmedServiceError.decode(information)
        except CodecError as why:
            actual = f"user-information {information.hex(' ') or 'absent'} ({why})"
            return Mismatch(expected, actual, _at(seen, _USER_INFORMATION))
        if error.encode() != bytes((0x0E, 1, 6, code)):
            actual = f"ConfirmedServiceError {information.hex(' ')}"
            return Mismatch(expected, actual, _at(seen, _USER_INFORMATION))
        return None

    return Expect("initiate-error", judge)


def released() -> Expect:
    """An RLRE; on HDLC the UA of DISC, by ``facts["released"]``."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if isinstance(seen.message, Rlre) or seen.facts.get("released"):
            return None
        return Mismatch("an RLRE, or the UA of DISC", str(seen), _first(seen))

    return Expect("released", judge)


# Services ---------------------------------------------------------------------------------------


def exception(state: int | None = None, service: int | None = None) -> Expect:
    """An ExceptionResponse, with these errors if they are said."""
    expected = "an ExceptionResponse"
    if state is not None or service is not None:
        codes = ("any" if one is None else f"{one}" for one in (state, service))
        expected += " (state-error {}, service-error {})".format(*codes)

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        said = seen.message
        if not isinstance(said, ExceptionResponse):
            return Mismatch(expected, str(seen), _first(seen))
        if state is not None and said.state_error != state:
            return Mismatch(expected, f"state-error {word(said.state_error)}", 1)
        if service is not None and said.service_error != service:
            return Mismatch(expected, f"service-error {word(said.service_error)}", 2)
        return None

    return Expect("exception", judge)


def service_error(accepts: Callable[[ConfirmedServiceError], bool] | None = None) -> Expect:
    """A ConfirmedServiceError (of short names, or in the place of an InitiateResponse)."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        said = seen.message
        if not isinstance(said, ConfirmedServiceError):
            return Mismatch("a ConfirmedServiceError", str(seen), _first(seen))
        if accepts is not None and not accepts(said):
            return Mismatch("another ConfirmedServiceError", repr(said), 0)
        return None

    return Expect("service-error", judge)


def data_error(*codes: int) -> Expect:
    """A data-access-result other than success; one of these if there are any."""
    wanted = " or ".join(word(DataAccessResult(code)) for code in codes)
    expected = f"data-access-result {wanted or 'other than success'}"

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        result = data_result(seen)
        if result is None:
            return Mismatch(expected, str(seen), _first(seen))
        if result is DataAccessResult.SUCCESS or (codes and result not in codes):
            return Mismatch(expected, f"data-access-result {word(result)}", _last(seen))
        return None

    return Expect("data-error", judge)


def action_error(*codes: int) -> Expect:
    """An action-result other than success; one of these if there are any."""
    wanted = " or ".join(word(ActionResult(code)) for code in codes)
    expected = f"action-result {wanted or 'other than success'}"

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        said = seen.message
        if not isinstance(said, ActionResponse):
            return Mismatch(expected, str(seen), _first(seen))
        if said.result is ActionResult.SUCCESS or (codes and said.result not in codes):
            return Mismatch(expected, f"action-result {word(said.result)}", _last(seen))
        return None

    return Expect("action-error", judge)


def value(accepts: Callable[[Any], str] | Data | None = None) -> Expect:
    """The value that is asked for: any, this one, or one of which ``accepts`` says nothing against
    (it gives what is wrong, or nothing).
    """

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.what is What.FOUND:
            return _no_problems(seen)
        got = data_of(seen)
        if got is None:
            return Mismatch("a value", str(seen), _first(seen))
        if isinstance(accepts, Data):
            if got != accepts:
                return Mismatch(f"{accepts}", f"{got}", _last(seen))
        elif accepts is not None and (wrong := accepts(got)):
            return Mismatch("the right value", wrong, _last(seen))
        return None

    return Expect("value", judge)


def done() -> Expect:
    """Success: a value, a result of success, or what was found is without problems."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.what is What.FOUND:
            return _no_problems(seen)
        if is_success(seen) and not seen.problems:
            return None
        return Mismatch("success", "; ".join(seen.problems) or str(seen), _first(seen))

    return Expect("done", judge)


def refused() -> Expect:
    """An error of any kind, or silence, or the end of the connection. That nothing has changed, the
    sender finds out: ``problems``; and where it tells of several outcomes, ``facts["answer"]``.
    """

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.problems and seen.what is What.FOUND:
            return _no_problems(seen)
        if seen.facts.get("answer", "refused") != "refused":
            return Mismatch("an error, or silence", str(seen))
        if seen.what in (What.SILENCE, What.CLOSED, What.FOUND) or is_refusal(seen):
            return None
        return Mismatch("an error, or silence", str(seen), _first(seen))

    return Expect("refused", judge)


def alive() -> Expect:
    """The association is there: a read works."""
    return Expect("alive", value().judge)


def gone() -> Expect:
    """The association is not there: a read is refused."""
    return Expect("gone", refused().judge)


def protected(least: int | None = None) -> Expect:
    """A response that opened, protected as its request at the least (``facts["asked"]``, or
    ``least``).
    """

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.what is What.FOUND:
            return _no_problems(seen)
        if seen.message is None:
            return Mismatch("a protected response that opens", str(seen), _first(seen))
        if is_refusal(seen):
            return Mismatch("a protected response", str(seen), _first(seen))
        asked = seen.facts.get("asked", least)
        given = 0 if seen.protection is None else int(seen.protection)
        if not given or (asked is not None and int(asked) & ~given):
            return Mismatch("protected at least as its request", f"protection {given:02X}", 0)
        return None

    return Expect("protected", judge)


# What a sender has found out --------------------------------------------------------------------


def found(answer: str) -> Expect:
    """For words whose meaning the sender has looked at itself (agrees, within, once, bounded ...):
    it has found no problems. Where it tells of several outcomes, ``facts["answer"]`` says which.
    """

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        came = seen.facts.get("answer", answer)
        if came != answer:
            return Mismatch(answer, "; ".join((str(came), *seen.problems)))
        if seen.what is not What.FOUND:
            return Mismatch(answer, str(seen), _first(seen))
        return _no_problems(seen)

    return Expect(answer, judge)


def _no_problems(seen: Seen) -> Mismatch | None:
    return Mismatch("nothing amiss", "; ".join(seen.problems)) if seen.problems else None


# Of responses -----------------------------------------------------------------------------------


def data_of(seen: Seen) -> Data | None:
    """The value in a response, if it has one."""
    said = seen.message
    if isinstance(said, GetResponse) and isinstance(said.result, Data):
        return said.result
    if isinstance(said, ReadResponse) and len(said.results) == 1:
        result = said.results[0]
        return result if isinstance(result, Data) else None
    if isinstance(said, ActionResponse) and isinstance(said.returned, Data):
        return said.returned
    return None


def data_result(seen: Seen) -> DataAccessResult | None:
    """The data-access-result in a response; SUCCESS where there is a value."""
    said = seen.message
    if isinstance(said, GetResponse):
        return said.result if isinstance(said.result, DataAccessResult) else _SUCCESS
    if isinstance(said, SetResponse):
        return said.result
    if isinstance(said, ReadResponse | WriteResponse) and len(said.results) == 1:
        result = said.results[0]
        return result if isinstance(result, DataAccessResult) else _SUCCESS
    other = getattr(said, "result", None)
    return other if isinstance(other, DataAccessResult) else None


_SUCCESS = DataAccessResult.SUCCESS


def is_success(seen: Seen) -> bool:
    said = seen.message
    if isinstance(said, ActionResponse):
        return said.result is ActionResult.SUCCESS
    return data_result(seen) is DataAccessResult.SUCCESS


def is_refusal(seen: Seen) -> bool:
    """Whether an APDU says no, in any of the ways there are."""
    said = seen.message
    if isinstance(said, ExceptionResponse | ConfirmedServiceError):
        return True
    if isinstance(said, Aare):
        return said.result is not AssociationResult.ACCEPTED
    if isinstance(said, ActionResponse):
        return said.result is not ActionResult.SUCCESS
    result = data_result(seen)
    return result is not None and result is not DataAccessResult.SUCCESS


# Where an octet is ------------------------------------------------------------------------------

_RESULT, _DIAGNOSTIC, _USER_INFORMATION = 0xA2, 0xA3, 0xBE


def _at(seen: Seen, tag: int) -> int | None:
    """Where the element of that tag is in an AARE, in its short form of lengths."""
    octets, position = seen.octets, 2
    while position + 1 < len(octets):
        if octets[position] == tag:
            return position
        position += 2 + octets[position + 1]
    return None


def _last(seen: Seen) -> int | None:
    """The last octet of a plain response, where its result is; of a ciphered one nothing."""
    is_plain = seen.octets and seen.octets == seen.plain
    return len(seen.octets) - 1 if is_plain else None


def any_of(answer: str, *alternatives: Expect) -> Expect:
    """One word of the catalogue for several forms."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        mismatches = []
        for one in alternatives:
            mismatch = one.judge(trial, seen)
            if mismatch is None:
                return None
            mismatches.append(mismatch)
        expected = ", or ".join(one.expected for one in mismatches)
        return Mismatch(expected, mismatches[0].actual, mismatches[0].offset)

    return Expect(answer, judge)


def within(codes: Container[int]) -> Callable[[Data], str]:
    """For :func:`value`: an integer among these."""

    def accepts(data: Data) -> str:
        return "" if data.value in codes else f"{data} is not among {codes}"

    return accepts
