"""The meter's own steps in another order, or with one missing: where firmware goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emulator.control.arguments import Argument
from emulator.control.arguments import Kind as ArgumentKind
from emulator.faults.bent import (
    associations,
    certifying,
    counters,
    keeping,
    reflecting,
    rekeying,
    verifying,
)
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind, Parameter
from emulator.faults.kinds.parameters import choice

_ASSOCIATION = Parameter(
    Argument(
        name="association", kind=ArgumentKind.TEXT, help="only what is of the one of this name"
    )
)


def _kind(
    name: str, place: str, help: str, seen: str, how: Mapping[str, Callable[[Fault], None]]
) -> Kind:
    """``how`` are the mistakes by name; the first is the default."""

    def begin(fault: Fault) -> None:
        how[fault["how"]](fault)

    first = next(iter(how))
    which = choice("how", tuple(how), first, "which; see those in the catalogue")
    return Kind(name, place, help, seen, begin, (which, _ASSOCIATION))


KINDS = (
    _kind(
        "counting",
        "invocation counters",
        "invocation counters are kept, judged or begun anew otherwise than they should be",
        "messages that are taken twice, initialization vectors that come again, or no way back in",
        counters.HOW,
    ),
    _kind(
        "verifying",
        "the meter's own cryptography",
        "something is verified too little of, or under a key of before",
        "the meter takes what it should refuse; its challenges come again",
        verifying.HOW,
    ),
    _kind(
        "reflecting",
        "the meter's own cryptography",
        "the meter takes or gives back what was said, or draws what was drawn before",
        "its own messages are taken by it; its challenges or ephemeral keys are no secret",
        reflecting.HOW,
    ),
    _kind(
        "rekeying",
        "Security setup",
        "keys, secrets or policies are changed otherwise than they should be",
        "half a rotation, keys that both ends do not have, a policy that is weaker",
        rekeying.HOW,
    ),
    _kind(
        "associating",
        "association",
        "an association begins too early, does not end, or takes what is not for it",
        "services without authentication, or after the end",
        associations.HOW,
    ),
    _kind(
        "keeping",
        "memory",
        "something is kept too late, in two parts, not at all, or shown",
        "after a loss of power: other keys than were confirmed, credit twice",
        keeping.HOW,
    ),
    _kind(
        "certifying",
        "Security setup",
        "certificates are imported that should not be, or come to nothing",
        "signatures of others, or those of the client that do not verify any more",
        certifying.HOW,
    ),
)
