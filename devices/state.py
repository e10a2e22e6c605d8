"""What a meter remembers: the sparse difference to its profile."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from dataclasses import dataclass, field

from devices.certificates import GeneratedPair, StoredCertificate
from devices.history import Alert, Segment
from dlms.axdr.data import Data
from dlms.axdr.encoding import encode
from dlms.cosem.security_setup import Policy
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.spent_keys import SpentKeys

NOTES = ("captured ", "last alert", "alerts lost")
"""Figures that go with rows and alerts."""


@dataclass(slots=True)
class DeviceState:
    """Non-volatile state of one meter.

    ``values`` are attributes written or changed since manufacture, by (instance, attribute).
    ``spent`` are the keys of single messages that were used, by association. ``key_versions``
    counts rotations by (security scope, kind). ``users`` are the user lists that were changed, by
    association. ``clock_offset`` is device time minus true time. ``used_tokens`` are the counters
    of the tokens already accepted. ``security_revision`` counts changes of keys, users and
    policies, so that open associations notice.

    ``certificates`` are held by security scope, without the anchors. ``generated`` are key pairs
    without a certificate, ``destroyed`` those that are no more, by (scope, kind). ``doomed`` are
    private keys out of use, which the response under way may still need.

    ``history`` is what the readings of the past depend on, ``rows`` are captured rows of Profile
    generic objects, both by running number, ``alerts`` those that nobody has taken yet, ``figures``
    numbers that go on with time, by name. ``image`` are the blocks of a firmware image.
    """

    values: dict[tuple[bytes, int], Data] = field(default_factory=dict)
    counters: InvocationCounters = field(default_factory=InvocationCounters)
    spent: defaultdict[str, SpentKeys] = field(default_factory=lambda: defaultdict(SpentKeys))
    key_versions: dict[tuple[str, KeyKind], int] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    users: dict[str, dict[int, str]] = field(default_factory=dict)
    clock_offset: dt.timedelta = dt.timedelta()
    used_tokens: set[int] = field(default_factory=set)
    security_revision: int = 0
    certificates: dict[str, tuple[StoredCertificate, ...]] = field(default_factory=dict)
    generated: dict[tuple[str, KeyKind], GeneratedPair] = field(default_factory=dict)
    destroyed: set[tuple[str, KeyKind]] = field(default_factory=set)
    doomed: list[KeyRef] = field(default_factory=list)
    history: dict[int, Segment] = field(default_factory=dict)
    rows: dict[tuple[bytes, int], Data] = field(default_factory=dict)
    alerts: dict[int, Alert] = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)
    image: dict[int, bytes] = field(default_factory=dict)

    def digest(self) -> bytes:
        """A fingerprint of everything but counters, spent keys, and notes of what happened (rows
        and alerts): same digest, same state. A refusal is noted, and changes nothing else.
        """
        parts = [
            (name.hex(), number, encode(value).hex())
            for (name, number), value in self.values.items()
        ]
        versions = [(scope, kind.name, n) for (scope, kind), n in self.key_versions.items()]
        policies = [(scope, *map(int, policy)) for scope, policy in self.policies.items()]
        certificates = [
            (scope, [(one.entity.value, one.certificate) for one in store])
            for scope, store in self.certificates.items()
        ]
        generated = [(scope, kind.name, *pair) for (scope, kind), pair in self.generated.items()]
        text = repr(
            (
                sorted(parts),
                sorted(versions),
                sorted(policies),
                sorted((name, sorted(users.items())) for name, users in self.users.items()),
                self.clock_offset,
                sorted(self.used_tokens),
                sorted(certificates),
                sorted(generated),
                sorted((scope, kind.name) for scope, kind in self.destroyed),
                sorted(map(str, self.doomed)),
                sorted(self.history.items()),
                sorted(
                    (name, number)
                    for name, number in self.figures.items()
                    if not name.startswith(NOTES)
                ),
                sorted(self.image.items()),
            )
        )
        return hashlib.sha256(text.encode()).digest()
