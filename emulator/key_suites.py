"""Of which security suite a key is, by the profile of its meter."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devices.image import SCOPE
from devices.profile import Profile
from dlms.security.keys import KeyRef


def suites_of(profile: Profile) -> Callable[[KeyRef], int]:
    """The security suite of a meter's or its manufacturer's key: that of the association whose key
    it is, else 0.
    """
    suites = {row.name: row.config.suite for row in profile.associations.values()}
    # Manufacturers sign on P-256, whatever the suites of their meters.
    suites[SCOPE] = 1
    return lambda ref: suites.get(ref.scope, 0)


def suites_of_meters(profiles: Mapping[bytes, Profile]) -> Callable[[KeyRef], int]:
    """The security suite of a key of one of several meters, whose profiles are given by system
    title; 0 for the keys of anybody else.
    """
    suites = {title: suites_of(profile) for title, profile in profiles.items()}
    return lambda ref: suites[ref.holder](ref) if ref.holder in suites else 0
