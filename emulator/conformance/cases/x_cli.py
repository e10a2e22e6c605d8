"""X_CLI: a head end against a meter of ours that misbehaves. "sends" is what the meter sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dlms.security.counters import MAXIMUM
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.tree import Expect, Node, Unjudged, step
from emulator.conformance.hostile import believing
from emulator.conformance.hostile.expecting import (
    aborts,
    bounded,
    goes_on,
    ignores,
    recovers,
    refuses,
)
from emulator.conformance.hostile.facing import Faced, facing

FAR = 1 << 24
"""Messages by which nobody moves a counter ahead on the word of somebody unknown: who is believed
so much has used the key up (GB Ed. 8, 9.2.2.5, NOTE 1)."""


def _refusing(id: str, name: str, task: str, *vices: str, hls: bool = False) -> None:
    """A check of one step in which nothing may be taken of what comes."""

    @conversation(id)
    def nodes() -> Sequence[Node]:
        return (step(name, facing(task, *vices, hls=hls), refuses(), aborts()),)


_refusing("X_CLI_TAG", "tag", "read", "flipped-tag")
_refusing("X_CLI_CT", "ciphertext", "read", "flipped-ciphertext")
_refusing("X_CLI_REPLAY", "replay", "read", "replayed-response")
_refusing("X_CLI_IC_BACK", "lower", "read", "lower-counter")
_refusing("X_CLI_PLAIN_RESP", "plain", "read", "plain-response")
_refusing("X_CLI_BLOCK_NUMBER", "number", "block-read", "wrong-block-number")


def _refused(name: str, *vices: str) -> Node:
    return step(name, facing("read", *vices), aborts(), refuses())


@conversation("X_CLI_TITLE")
def title() -> Sequence[Node]:
    return (_refused("other", "other-title"), _refused("none", "no-title"))


@conversation("X_CLI_MECH")
def mechanism() -> Sequence[Node]:
    sender = facing("read", "weaker-name", "weaker-mechanism", hls=True)
    return (step("weaker", sender, aborts(), refuses()),)


@conversation("X_CLI_CTX")
def context() -> Sequence[Node]:
    return (_refused("plain", "plain-context-name", "plain-context"),)


@conversation("X_CLI_CONF_SUPERSET")
def superset() -> Sequence[Node]:
    return (_refused("superset", "superset"),)


@conversation("X_CLI_PDU_BIG")
def too_long() -> Sequence[Node]:
    return (_refused("long", "too-long"),)


@conversation("X_CLI_STOC_EQ")
def equal_challenge() -> Sequence[Node]:
    return (step("equal", facing("read", "equal-challenge", hls=True), aborts()),)


@conversation("X_CLI_FCTOS_BAD")
def pass_4() -> Sequence[Node]:
    return (
        step("wrong", facing("read", "wrong-pass-4", hls=True), aborts()),
        step("none", facing("read", "no-pass-4", hls=True), aborts()),
    )


@conversation("X_CLI_IC0")
def counter_zero() -> Sequence[Node]:
    return (step("zero", facing("read", "counter-zero", believes=believing.reads), goes_on()),)


@conversation("X_CLI_INVOKE_ID")
def invoke_id() -> Sequence[Node]:
    return (step("other", facing("read", "other-invoke-id"), refuses(), ignores(), aborts()),)


@conversation("X_CLI_TYPE")
def wrong_type() -> Sequence[Node]:
    return (step("type", facing("clock", "wrong-type"), refuses()),)


# Counters that an ExceptionResponse says --------------------------------------------------------


def counters_only_grow(faced: Faced) -> Iterable[str]:
    """No counter was used twice, or below one that was used before."""
    repeated, lower = faced.watch.repeated(), faced.watch.backward()
    if repeated:
        return (f"it uses the counter {repeated[0]} again under the same key",)
    if lower:
        return (f"it goes back to the counter {lower[0]}",)
    return ()


def not_far(faced: Faced) -> Iterable[str]:
    """It has not let itself be led to the end of its counters."""
    far = [one for one in faced.watch.counters_since() if one >= MAXIMUM - FAR]
    led = (f"it goes on with the counter {far[0]}, of {MAXIMUM}",) if far else ()
    return (*counters_only_grow(faced), *led)


def _exception(
    name: str, vice: str, did: Callable[[Faced], Iterable[str]], *expect: Expect
) -> Node:
    return step(name, facing("read", vice, believes=believing.reads, did=did), *expect)


@conversation("X_CLI_EXC_IC")
def exception_counter() -> Sequence[Node]:
    either = refuses(), ignores(), aborts()
    return (
        _exception("lower", "exception-lower", counters_only_grow, *either),
        _exception("higher", "exception-higher", counters_only_grow, recovers(), refuses()),
        _exception("absurd", "exception-absurd", not_far, *either),
    )


# More than was asked for ------------------------------------------------------------------------


@conversation("X_CLI_TWO_RESP")
def two_responses() -> Sequence[Node]:
    sender = facing("read", "same-twice", "fresh-twice", believes=believing.reads)
    return (step("second", sender, ignores(), aborts()),)


@conversation("X_CLI_PUSH_MIX")
def notification() -> Sequence[Node]:
    sender = facing("read", "notification-between", believes=believing.reads)
    return (step("between", sender, goes_on()),)


@conversation("X_CLI_BLOCK_ENDLESS")
def endless() -> Sequence[Node]:
    return (step("never-last", facing("block-read", "endless-blocks"), bounded()),)


@conversation("X_CLI_SLOW")
def slow() -> Sequence[Node]:
    sender = facing("read", "slow-octets", believes=believing.reads)
    return (step("slow", sender, bounded(), goes_on()),)


# Answers that do not come -----------------------------------------------------------------------


def under_the_new(faced: Faced) -> Iterable[str]:
    """It says success, and has been seen to associate under what is in force."""
    if not faced.outcome.ok or faced.watch.opened_since:
        return ()
    return ("it says success, and has not associated under what is in force now",)


@conversation("X_CLI_DROP_ACK_KEY")
def lost_key() -> Sequence[Node]:
    sender = facing("rotate-keys", "lost-key-answer", believes=under_the_new)
    return (step("lost", sender, recovers()),)


@conversation("X_CLI_DROP_ACK_SECRET")
def lost_secret() -> Sequence[Node]:
    sender = facing("change-secret", "lost-secret-answer", believes=under_the_new)
    return (step("lost", sender, recovers()),)


def asked_again(faced: Faced) -> Iterable[str]:
    """Whoever gives up uses no counter twice, and shows nothing by that."""
    outcome = faced.outcome
    if outcome.is_over and not outcome.ok and not faced.watch.since:
        raise Unjudged(f"it does not ask again: {faced.outcome}")
    return counters_only_grow(faced)


@conversation("X_CLI_TIMEOUT_REUSE")
def after_a_time_out() -> Sequence[Node]:
    again = facing("read", "no-answer", believes=believing.answered_anew, did=asked_again)
    late = facing("read", "late-answer", believes=believing.not_the_late, did=counters_only_grow)
    return (
        step("again", again, goes_on()),
        step("late", late, refuses(), ignores(), aborts()),
    )


# What is easily overlooked ----------------------------------------------------------------------


@conversation("X_CLI_TEMP_FAIL")
def busy() -> Sequence[Node]:
    sender = facing("image", "busy-verify", believes=believing.anything)
    return (step("still-busy", sender, goes_on()),)


@conversation("X_CLI_CLOCK")
def clock() -> Sequence[Node]:
    sender = facing("clock", "invalid-clock", "doubtful-clock", believes=believing.clock_told)
    return (step("invalid", sender, refuses(), goes_on()),)


@conversation("X_CLI_DST")
def repeated_hour() -> Sequence[Node]:
    sender = facing("profile", "repeated-hour", believes=believing.rows("repeated"))
    return (step("repeated", sender, goes_on()),)


@conversation("X_CLI_NULLCOMP")
def compressed() -> Sequence[Node]:
    sender = facing("profile", "compressed-rows", believes=believing.rows("compressed"))
    return (step("compressed", sender, goes_on()),)
