"""Which keys of which meters a campaign is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devices.profile import Profile
from dlms.security.keys import KeyKind
from emulator.head_end.party import ASSOCIATIONS
from emulator.keystore.store import KeyStore, long_lived
from emulator.meter_address import MeterAddress
from emulator.policy import Actor
from emulator.rotation.campaigns import Step, StepState

ROTATED = (KeyKind.GUEK, KeyKind.GBEK, KeyKind.GAK, KeyKind.KEK)
"""What key_transfer replaces (key_id 0 to 3). Enrolment replaces those of tokens and alerts."""

_ROWS = {actor: name for name, actor in ASSOCIATIONS.items()}


def plan(
    meters: Mapping[str, tuple[MeterAddress, Profile]],
    parties: Sequence[Actor],
    kinds: Sequence[KeyKind],
    store: KeyStore,
) -> list[Step]:
    """A step for each key, those of a meter after each other."""
    steps: list[Step] = []
    for name, (address, profile) in meters.items():
        for actor in parties:
            for kind in kinds:
                known = long_lived(address.title, _ROWS[actor], kind)
                step = Step(len(steps), name, actor, kind, store.last_version(known))
                reason = _needless(profile, actor, kind)
                if reason:
                    step = step._replace(state=StepState.NEEDLESS, reason=reason)
                steps.append(step)
    return steps


def _needless(profile: Profile, actor: Actor, kind: KeyKind) -> str:
    """Why there is nothing to be rotated; empty if there is."""
    row = profile.associations.get(_ROWS[actor])
    if row is None or row.security_setup is None:
        return f"no association {_ROWS[actor]} with keys"
    if row.single_key and kind is KeyKind.GAK:
        return "lives for one association anyhow"
    return ""
