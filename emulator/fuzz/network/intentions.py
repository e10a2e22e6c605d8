"""Which actions can be done to another's meter at all, and which only if it may be spoiled."""

from __future__ import annotations

from collections.abc import Mapping

from devices.profile.place import Place
from dlms.security.ciphered import is_ciphered
from emulator.conformance.declaration.model import Declaration
from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.network.guarding import NotAllowed, writes
from emulator.fuzz.twist import STRAIGHT, Twist

_ASKING = (
    actions.Open, actions.Challenge, actions.Authenticate, actions.Release, actions.Hang,
    actions.Get, actions.Send, actions.Replay, actions.CatchUp, actions.TakeKeys,
)  # fmt: skip
_SPOILING = (
    actions.Set, actions.Act, actions.Rotate, actions.Agree, actions.Transfer,
    actions.ChangeSecret, actions.PutCounter, actions.Storm, actions.Crowd,
)  # fmt: skip
_INSIDE = ("meter_seal", "meter_mac", "cut", "fails")
"""Of a twist: what befalls the meter."""

DESTRUCTIVE, NEVER, PACE = "fuzz.destructive", "fuzz.never", "fuzz.pace"
"""Settings of a declaration: whether the meter may be spoiled, names of actions that must not be,
separated by commas, and seconds between two APDUs.
"""

MOST_PACE = 60.0
"""Seconds: an association would not live longer without a word."""

MOST_STORM = 64
"""Messages of a storm, and connections of a crowd, on another's meter."""


def promise(*, destructive: bool) -> tuple[str, ...]:
    """What is done to a meter and what is not, to be said before it begins."""
    asking = (
        "will: open, challenge, authenticate, release and break associations; get; send, replay,"
        " change and lose messages that only ask",
        "will: take forward its own invocation counters, and ask the meter for its counters",
    )
    spoiling = (
        "set, act, change keys and secrets, move its own counters by hand, send storms and crowds"
        f" of up to {MOST_STORM}"
    )
    never = (
        "will not: cut the meter's power, move its clock or counters, damage what it keeps, plant"
        " defects, change its certificates, key in tokens: nobody can do that from here"
    )
    if destructive:
        return (*asking, f"will, for it may be spoiled: {spoiling}", never)
    return (*asking, f"will not, for it must not be spoiled: {spoiling}", never)


_DECLARED: Mapping[type, str] = {
    actions.Rotate: "key.transfer",
    actions.Transfer: "key.transfer",
    actions.Agree: "key.agreement",
}
"""The feature without which the owner of a meter does not want an action."""


def check(action: Action, declaration: Declaration, *, destructive: bool) -> None:
    """``ValueError`` if nobody can do that from here, :class:`NotAllowed` if nobody may."""
    what = type(action).__name__
    if what in _never(declaration):
        raise NotAllowed(f"{what} is not to be done, says the declaration")
    feature = _DECLARED.get(type(action), "")
    if feature and not declaration.features.get(feature):
        raise NotAllowed(f"{what} needs {feature}, which the declaration does not say")
    if not isinstance(action, _ASKING + _SPOILING):
        raise ValueError(f"{what} cannot be done to another's meter")
    twist: Twist = getattr(action, "twist", STRAIGHT)
    for name in _INSIDE:
        if getattr(twist, name) != getattr(STRAIGHT, name):
            raise ValueError(f"{name} is inside the meter, which is another's")
    if isinstance(action, actions.TakeKeys) and action.which == "current":
        raise ValueError("nobody here knows the keys of this meter")
    times = getattr(action, "times", 1)
    if isinstance(action, actions.Storm | actions.Crowd) and times > MOST_STORM:
        raise ValueError(f"no more than {MOST_STORM} at once are sent to another's meter")
    if destructive:
        return
    if isinstance(action, _SPOILING):
        raise NotAllowed(f"{what} may spoil the meter, and nobody has said that it may be")
    for part in (twist.seal, twist.mac):
        if part is not None and part.counter is not None:
            raise NotAllowed("a counter that is not the next one may use up the meter's key")
        if part is not None and part.payload:
            raise NotAllowed("a message that is changed beneath its protection may do anything")
    if isinstance(action, actions.Send) and (said := writes(action.plain)):
        raise NotAllowed(f"{said} may spoil the meter, and nobody has said that it may be")


def is_destructive(declaration: Declaration) -> bool:
    """Whether the declaration says that the meter may be spoiled.
    :class:`~devices.profile.ProfileError` if it says something else.
    """
    said = declaration.settings.get(DESTRUCTIVE, "false")
    if said not in ("true", "false"):
        raise Place("settings").at(DESTRUCTIVE).error(f"is 'true' or 'false', not {said!r}")
    return said == "true"


def pace_of(declaration: Declaration) -> float:
    """Seconds between two APDUs at the least. :class:`~devices.profile.ProfileError` if it is no
    such number.
    """
    said = declaration.settings.get(PACE, "0")
    try:
        seconds = float(said)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MOST_PACE:
        raise Place("settings").at(PACE).error(f"is a number of seconds, not {said!r}")
    return seconds


def _never(declaration: Declaration) -> frozenset[str]:
    said = declaration.settings.get(NEVER, "")
    return frozenset(name.strip() for name in said.split(",") if name.strip())


def check_octets(apdu: bytes) -> None:
    """The same of an APDU as it is about to leave, however it was made."""
    if apdu and not is_ciphered(apdu[0]) and (said := writes(apdu)):
        raise NotAllowed(f"{said} is not said to a meter that must not be spoiled")
