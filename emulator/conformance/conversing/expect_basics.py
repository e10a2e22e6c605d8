"""Nothing, the end, and what a sender has found out itself, by the words of the catalogue."""

from __future__ import annotations

from typing import Any

from emulator.conformance.conversing.responses import first_octet
from emulator.conformance.conversing.tree import Expect, Mismatch
from emulator.conformance.probing.seen import Seen, What


def _is(what: What, answer: str) -> Expect:
    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        return None if seen.what is what else Mismatch(what.value, str(seen), first_octet(seen))

    return Expect(answer, judge)


def silence() -> Expect:
    return _is(What.SILENCE, "silence")


def closed() -> Expect:
    return _is(What.CLOSED, "closed")


def found(answer: str) -> Expect:
    """For words whose meaning the sender has looked at itself (agrees, within, once, bounded ...):
    it has found no problems. Where it tells of several outcomes, ``facts["answer"]`` says which.
    """

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        came = seen.facts.get("answer", answer)
        if came != answer:
            return Mismatch(answer, "; ".join((str(came), *seen.problems)))
        if seen.what is not What.FOUND:
            return Mismatch(answer, str(seen), first_octet(seen))
        return no_problems(seen)

    return Expect(answer, judge)


def no_problems(seen: Seen) -> Mismatch | None:
    return Mismatch("nothing amiss", "; ".join(seen.problems)) if seen.problems else None


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
        return mismatches[0]._replace(expected=expected)

    return Expect(answer, judge)
