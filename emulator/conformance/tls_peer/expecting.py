"""What may come of a handshake, by the words of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.conformance.conversing.tree import Expect, Mismatch
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.tls_peer.outcome import Ended, alert_name


def _ended(seen: Seen) -> str:
    return str(seen.facts.get("ended", ""))


def _wrong(expected: str, seen: Seen) -> Mismatch:
    return Mismatch(expected, str(seen))


def alert(*codes: int) -> Expect:
    """No session: a fatal alert, of one of these numbers if there are any, else also the end of the
    connection.
    """
    names = " or ".join(alert_name(code) for code in codes)
    expected = f"the fatal alert {names}" if codes else "a fatal alert, or the end: no session"

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.problems:
            return _wrong(expected, seen)
        if _ended(seen) == Ended.ALERT.value:
            return _wrong(expected, seen) if codes and seen.facts.get("code") not in codes else None
        is_end = _ended(seen) == Ended.CLOSED.value or seen.what is What.CLOSED
        return None if is_end and not codes else _wrong(expected, seen)

    return Expect("alert", judge)


def handshake(complaint: Callable[[Seen], str] | None = None) -> Expect:
    """There is a session, and nothing is amiss with it: ``complaint`` says what is."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if _ended(seen) != Ended.SESSION.value or seen.problems:
            return _wrong("a session", seen)
        wrong = complaint(seen) if complaint is not None else ""
        return Mismatch("a session with what was offered", wrong) if wrong else None

    return Expect("handshake", judge)


def _session(answer: str, resumed: bool) -> Expect:
    expected = "a session that is resumed" if resumed else "a session with a full handshake"

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if _ended(seen) != Ended.SESSION.value or seen.problems:
            return _wrong(expected, seen)
        return None if bool(seen.facts.get("resumed")) is resumed else _wrong(expected, seen)

    return Expect(answer, judge)


def resumed() -> Expect:
    return _session("resumed", True)


def full_handshake() -> Expect:
    return _session("full-handshake", False)


def closed() -> Expect:
    """The device ends the connection; an alert is an end too."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        ends = (Ended.CLOSED.value, Ended.ALERT.value)
        return None if _ended(seen) in ends else _wrong("the end of the connection", seen)

    return Expect("closed", judge)


def refused() -> Expect:
    """No session: an alert, the end, or silence."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        refusals = (Ended.ALERT.value, Ended.CLOSED.value, Ended.SILENCE.value)
        is_refused = _ended(seen) in refusals and not seen.problems
        return None if is_refused else _wrong("no session", seen)

    return Expect("refused", judge)


def not_selected() -> Expect:
    """There is a session without it."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.problems or _ended(seen) != Ended.SESSION.value:
            return _wrong("a session without it", seen)
        return None

    return Expect("not-selected", judge)


def nothing_of_it(answer: str) -> Expect:
    """The sender has looked at what came and found nothing amiss (declared, not-offered, kept)."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.facts.get("answer", answer) != answer:
            return _wrong(answer, seen)
        if seen.what is not What.FOUND or seen.problems:
            return _wrong("nothing amiss", seen)
        return None

    return Expect(answer, judge)
