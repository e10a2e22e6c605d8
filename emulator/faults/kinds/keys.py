"""The meter uses a key that its client does not have, or counters that have moved.

A key that is wrong is one of its own to the meter, with counters of its own: no counter is used
twice under any key.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from devices.profile.model import AssociationRow
from dlms.security.counters import MAXIMUM
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.suites import SUITES
from emulator.control.arguments import Argument, shown
from emulator.control.arguments import Kind as ArgumentKind
from emulator.control.errors import bad_argument, refused
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind, Parameter
from emulator.faults.kinds.parameters import choice, whole

_KINDS = {
    "guek": (KeyKind.GUEK,),
    "gak": (KeyKind.GAK,),
    "both": (KeyKind.GUEK, KeyKind.GAK),
}
_ASSOCIATION = Parameter(
    Argument(
        name="association",
        kind=ArgumentKind.TEXT,
        help="of this name; else all that have ciphering",
    )
)


def _associations(fault: Fault) -> Iterator[AssociationRow]:
    """Those with keys that the fault is about; there is one at least."""
    profile = fault.reach.mains.host.device.profile
    ciphered = {
        name: row for name, row in profile.associations.items() if row.security_setup is not None
    }
    only = fault["association"]
    if not ciphered:
        raise refused(f"{profile.name} has no association with ciphering")
    if only is not None and only not in ciphered:
        raise bad_argument(
            f"association is one with ciphering ({', '.join(ciphered)}), not {shown(only)}"
        )
    return iter(ciphered.values() if only is None else (ciphered[only],))


def wrong_key(fault: Fault) -> None:
    device = fault.reach.mains.host.device
    wrong = {
        (row.name, kind): _wrong(fault, row, kind)
        for row in _associations(fault)
        for kind in _KINDS[fault["key"]]
    }
    fault.at_end(device.mistake(wrong))


def _wrong(fault: Fault, row: AssociationRow, kind: KeyKind) -> KeyRef:
    if fault["instead"] == "unknown":
        return _made_up(fault, row)
    right = fault.reach.mains.host.device.key(row.name, kind)
    if right.version == 0:
        raise refused(f"the {kind.name} of {row.name} is the one that the meter was made with")
    return right._replace(version=0)


def _made_up(fault: Fault, row: AssociationRow) -> KeyRef:
    """A key that nobody knows. It is not kept, no more than that of a single message, and its name
    does not come again.
    """
    ring = fault.reach.ring
    single, version = KeyLifetime.SINGLE_ASSOCIATION, (1 << 62) + secrets.randbits(61)
    title = fault.reach.mains.host.device.title
    ref = KeyRef(title, row.name, KeyKind.EPHEMERAL, single, version)
    ring.keep(ref, secrets.token_bytes(SUITES[row.config.suite].key_length))
    fault.at_end(lambda: ring.discard(ref))
    return ref


def jump(fault: Fault) -> None:
    device = fault.reach.mains.host.device
    counters, by = device.state.counters, fault["by"]
    for row in _associations(fault):
        key = device.key(row.name, KeyKind.GUEK)
        if fault["counter"] == "send":
            counters.raise_to(key, min(counters.next_to_send(key) + by, MAXIMUM))
        elif counters.floor(key) < MAXIMUM:
            counters.accept(key, min(counters.floor(key) + by, MAXIMUM) - 1)


KINDS = (
    Kind(
        name="wrong-key",
        place="association",
        help="the meter uses another key than its client, as after a rotation that was lost",
        seen="nothing of either side verifies: an ExceptionResponse (deciphering-error), or no"
        " association",
        begin=wrong_key,
        parameters=(
            _ASSOCIATION,
            choice("key", tuple(_KINDS), "guek", "the encryption or the authentication key"),
            choice(
                "instead",
                ("unknown", "first"),
                "unknown",
                "a key that nobody has, or the one with which the meter was made",
            ),
        ),
        counts=False,
    ),
    Kind(
        name="counter-jump",
        place="association",
        help="an invocation counter of the meter jumps forward",
        seen="send: a counter far above the one before; floor: an ExceptionResponse"
        " (invocation-counter-error) to counters that are below",
        begin=jump,
        parameters=(
            _ASSOCIATION,
            choice("counter", ("send", "floor"), "send", "of what it sends, or least it accepts"),
            whole("by", 1, MAXIMUM, 1000, "messages", "how far"),
        ),
        lasts=False,
    ),
)
