"""What may come back of services, by the words of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dlms.axdr.data import Data
from dlms.words import word
from dlms.xdlms.action import ActionResponse
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from emulator.conformance.conversing.expect_basics import no_problems
from emulator.conformance.conversing.responses import (
    data_of,
    data_result,
    first_octet,
    is_refusal,
    is_success,
    last_octet,
)
from emulator.conformance.conversing.tree import Expect, Mismatch
from emulator.conformance.probing.seen import Seen, What


def exception(state: int | None = None, service: int | None = None) -> Expect:
    """An ExceptionResponse, with these errors if they are said."""
    expected = "an ExceptionResponse"
    if state is not None or service is not None:
        codes = ("any" if one is None else f"{one}" for one in (state, service))
        expected += " (state-error {}, service-error {})".format(*codes)

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        said = seen.message
        if not isinstance(said, ExceptionResponse):
            return Mismatch(expected, str(seen), first_octet(seen))
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
            return Mismatch("a ConfirmedServiceError", str(seen), first_octet(seen))
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
            return Mismatch(expected, str(seen), first_octet(seen))
        if result is DataAccessResult.SUCCESS or (codes and result not in codes):
            return Mismatch(expected, f"data-access-result {word(result)}", last_octet(seen))
        return None

    return Expect("data-error", judge)


def action_error(*codes: int) -> Expect:
    """An action-result other than success; one of these if there are any."""
    wanted = " or ".join(word(ActionResult(code)) for code in codes)
    expected = f"action-result {wanted or 'other than success'}"

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        said = seen.message
        if not isinstance(said, ActionResponse):
            return Mismatch(expected, str(seen), first_octet(seen))
        if said.result is ActionResult.SUCCESS or (codes and said.result not in codes):
            return Mismatch(expected, f"action-result {word(said.result)}", last_octet(seen))
        return None

    return Expect("action-error", judge)


def value(accepts: Callable[[Any], str] | Data | None = None) -> Expect:
    """The value that is asked for: any, this one, or one of which ``accepts`` says nothing against
    (it gives what is wrong, or nothing).
    """

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.what is What.FOUND:
            return no_problems(seen)
        got = data_of(seen)
        if got is None:
            return Mismatch("a value", str(seen), first_octet(seen))
        if isinstance(accepts, Data):
            if got != accepts:
                return Mismatch(f"{accepts}", f"{got}", last_octet(seen))
        elif accepts is not None and (wrong := accepts(got)):
            return Mismatch("the right value", wrong, last_octet(seen))
        return None

    return Expect("value", judge)


def done() -> Expect:
    """Success: a value, a result of success, or what was found is without problems."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.what is What.FOUND:
            return no_problems(seen)
        if is_success(seen) and not seen.problems:
            return None
        return Mismatch("success", "; ".join(seen.problems) or str(seen), first_octet(seen))

    return Expect("done", judge)


def refused() -> Expect:
    """An error of any kind, or silence, or the end of the connection. That nothing has changed, the
    sender finds out: ``problems``; and where it tells of several outcomes, ``facts["answer"]``.
    """

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.problems and seen.what is What.FOUND:
            return no_problems(seen)
        if seen.facts.get("answer", "refused") != "refused":
            return Mismatch("an error, or silence", str(seen))
        if seen.what in (What.SILENCE, What.CLOSED, What.FOUND) or is_refusal(seen):
            return None
        return Mismatch("an error, or silence", str(seen), first_octet(seen))

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
            return no_problems(seen)
        if seen.message is None:
            return Mismatch("a protected response that opens", str(seen), first_octet(seen))
        if is_refusal(seen):
            return Mismatch("a protected response", str(seen), first_octet(seen))
        asked = seen.facts.get("asked", least)
        given = 0 if seen.protection is None else int(seen.protection)
        if not given or (asked is not None and int(asked) & ~given):
            actual = f"protection {given:02X}"
            return Mismatch("protected at least as its request", actual, 0, in_carrier=True)
        return None

    return Expect("protected", judge)
