"""What a run begins with: enough to begin the same run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.fuzz.actions import Plant
from emulator.fuzz.client_kind import ClientKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A meter of ``profile``, and ``clients`` by name; one with the name of an association needs no
    entry. ``knobs`` are turned by association, as profiles write them. All randomness of both ends
    comes from ``seed``. ``plants`` are defects that the meter has from the beginning. ``alive`` is
    the association in which a legitimate client must succeed in the end; empty if none can.
    """

    profile: str = "laboratory"
    clients: Mapping[str, ClientKind] = field(default_factory=dict)
    knobs: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    seed: str = "0"
    plants: tuple[Plant, ...] = ()
    alive: str = "dco"
