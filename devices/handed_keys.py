"""Authentication keys that live for one Application Association (letter, paragraph 7 (c)(iii)).

In each association the client hands over the key of the next (Security setup, key_transfer). It is
used up with the first AARQ that verifies, whatever becomes of that association, and is destroyed
when the association ends. The long-lived key serves where none has been handed over, and where the
client does not have it any more. That meters go about it in this way is assumed; the letter says
only how long such a key is valid.
"""

from __future__ import annotations

from devices.meter import HANDED_OVER, Meter
from devices.profile.model import AssociationRow
from dlms.association.config import AssociationKeys
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef


def successor(meter: Meter, scope: str) -> KeyRef:
    """A name for the key that is handed over now: one that no other had."""
    return _ref(meter, scope, meter.state.figures.get(_last(scope), 0) + 1)


def hand_over(meter: Meter, new: KeyRef) -> None:
    """``new`` is the key of the next association; another that has waited comes to nothing."""
    before = meter.state.figures.get(_waiting(new.scope))
    if before is not None:
        meter.state.doomed.add(_ref(meter, new.scope, before))
    meter.state.figures[_waiting(new.scope)] = meter.state.figures[_last(new.scope)] = new.version


def association_begun(meter: Meter, row: AssociationRow, used: KeyRef | None) -> None:
    """An AARQ has verified: the key that was handed over for this association is not there for
    another, whether it was ``used`` or not.
    """
    version = meter.state.figures.pop(_waiting(row.name), None)
    if version is None:
        return
    handed = _ref(meter, row.name, version)
    if used != handed:
        meter.state.doomed.add(handed)
    meter.state.security_revision += 1


def fallback(meter: Meter, row: AssociationRow) -> AssociationKeys | None:
    """With the long-lived authentication key; ``None`` where that is the one that is awaited."""
    if _waiting(row.name) not in meter.state.figures:
        return None
    keys = meter.keys(row)
    if keys.gak != meter.authentication_key(row):
        return None  # it takes another key for it: a fault
    return keys._replace(gak=meter.key(row.name, KeyKind.GAK))


def _ref(meter: Meter, scope: str, version: int) -> KeyRef:
    return KeyRef(meter.title, scope, KeyKind.GAK, KeyLifetime.SINGLE_ASSOCIATION, version)


def _waiting(scope: str) -> str:
    return f"{HANDED_OVER} {scope}"


def _last(scope: str) -> str:
    return f"last authentication key {scope}"
