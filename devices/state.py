"""What a meter remembers: the sparse difference to its profile."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from devices.certificates import GeneratedPair, StoredCertificate
from devices.history import Alert, Segment
from devices.remembering import Changes, Remembered, RememberedSet
from dlms.axdr.data import Data
from dlms.axdr.encoding import encode
from dlms.cosem.security_setup import Policy
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.spent_keys import SpentKeys

NOTES = ("captured ", "last alert", "alerts lost")
"""Figures that go with rows and alerts."""

_OFFSET, _REVISION = "clock_offset", "security_revision"
_MICROSECOND = dt.timedelta(microseconds=1)


class _Spent(Remembered[str, SpentKeys]):
    """By association, made when they are first asked for; that alone is no change."""

    __slots__ = ("_make",)

    def __init__(self, changes: Changes, make: Callable[[str], SpentKeys]) -> None:
        super().__init__(changes)
        self._make = make

    def __missing__(self, scope: str) -> SpentKeys:
        found = self._make(scope)
        dict.__setitem__(self, scope, found)
        return found


def _nothing() -> None:
    """Nobody has worked anything out."""


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

    ``changes`` says whether anything is not as it was when :meth:`settle` was last called;
    ``sections`` are the parts by name, for whoever keeps them. Counters and spent keys are kept
    by themselves, for they change with every message. ``on_revert`` is told when :meth:`revert` has
    taken something back.
    """

    __slots__ = (
        "_numbers",
        "alerts",
        "certificates",
        "changes",
        "counters",
        "destroyed",
        "doomed",
        "figures",
        "generated",
        "history",
        "image",
        "key_versions",
        "on_revert",
        "policies",
        "rows",
        "sections",
        "spent",
        "used_tokens",
        "users",
        "values",
    )

    def __init__(
        self,
        counters: InvocationCounters | None = None,
        spent: Callable[[DeviceState, str], SpentKeys] = lambda state, scope: SpentKeys(),
        kept: Mapping[str, Iterable[tuple[Any, Any]]] = MappingProxyType({}),
    ) -> None:
        """``spent`` gives those of an association that were used before, ``kept`` what was in each
        of the sections.
        """
        self.counters = InvocationCounters() if counters is None else counters
        self.changes = changes = Changes()
        self.on_revert: Callable[[], None] = _nothing

        def section(name: str) -> Remembered[Any, Any]:
            return Remembered(changes, kept.get(name, ()))

        def members(name: str) -> RememberedSet[Any]:
            return RememberedSet(changes, (key for key, _ in kept.get(name, ())))

        self.values: Remembered[tuple[bytes, int], Data] = section("values")
        # Not a lambda: a copy of the state has its own.
        self.spent = _Spent(changes, partial(spent, self))
        self.key_versions: Remembered[tuple[str, KeyKind], int] = section("key_versions")
        self.policies: Remembered[str, Policy] = section("policies")
        self.users: Remembered[str, dict[int, str]] = section("users")
        self._numbers: Remembered[str, int] = section("numbers")
        self.used_tokens: RememberedSet[int] = members("used_tokens")
        self.certificates: Remembered[str, tuple[StoredCertificate, ...]] = section("certificates")
        self.generated: Remembered[tuple[str, KeyKind], GeneratedPair] = section("generated")
        self.destroyed: RememberedSet[tuple[str, KeyKind]] = members("destroyed")
        self.doomed: RememberedSet[KeyRef] = members("doomed")
        self.history: Remembered[int, Segment] = section("history")
        self.rows: Remembered[tuple[bytes, int], Data] = section("rows")
        self.alerts: Remembered[int, Alert] = section("alerts")
        self.figures: Remembered[str, int] = section("figures")
        self.image: Remembered[int, bytes] = section("image")
        self.sections: Mapping[str, Remembered[Any, Any]] = {
            "values": self.values,
            "key_versions": self.key_versions,
            "policies": self.policies,
            "users": self.users,
            "numbers": self._numbers,
            "used_tokens": self.used_tokens.of,
            "certificates": self.certificates,
            "generated": self.generated,
            "destroyed": self.destroyed.of,
            "doomed": self.doomed.of,
            "history": self.history,
            "rows": self.rows,
            "alerts": self.alerts,
            "figures": self.figures,
            "image": self.image,
        }

    @property
    def clock_offset(self) -> dt.timedelta:
        return dt.timedelta(microseconds=self._numbers.get(_OFFSET, 0))

    @clock_offset.setter
    def clock_offset(self, offset: dt.timedelta) -> None:
        self._numbers[_OFFSET] = offset // _MICROSECOND

    @property
    def security_revision(self) -> int:
        return self._numbers.get(_REVISION, 0)

    @security_revision.setter
    def security_revision(self, revision: int) -> None:
        self._numbers[_REVISION] = revision

    def settle(self) -> None:
        """Everything is kept now."""
        for section in self.sections.values():
            section.settle()
        self.spent.settle()
        self.changes.any = False

    def revert(self) -> None:
        """Go back to what was kept, but for counters: what a message has spent stays spent."""
        for section in self.sections.values():
            section.revert()
        self.spent.revert()
        self.changes.any = False
        self.on_revert()

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
