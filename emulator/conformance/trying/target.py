"""The device under test as a run has it: what was declared, the keys, and their counters."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from dlms.association.config import AssociationKeys
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyRef
from emulator.client.keys import Keys, module_with
from emulator.client.route import Route
from emulator.conformance.declaration.key_file import needed
from emulator.conformance.declaration.model import Declaration, DeclaredAssociation
from emulator.modules.keyring import KeyRing

AHEAD = 1
"""By how much a counter that a device shows is exceeded: some show the last, some the next one."""


Trigger: TypeAlias = Callable[[str, int, str], Awaitable[None]]
"""Makes the device call a host and port, for a task (:class:`~.DeclaredClient`)."""


class Held(NamedTuple):
    """The keys of an association by reference, and where they are."""

    refs: AssociationKeys
    ring: KeyRing


class Target:
    """``keys`` are octets by the names that the declaration has for them.

    The invocation counters live as long as the target: a counter is never used twice in a run.
    """

    def __init__(
        self, declaration: Declaration, route: Route, keys: Mapping[str, Keys] | None = None
    ) -> None:
        self.declaration = declaration
        self.route = route
        self.counters = InvocationCounters()
        self.started: set[str] = set()
        """Names of keys whose counters have been brought to where the device awaits them."""
        self.trigger: Trigger | None = None
        """Makes the device call the tester, where it can be done from here."""
        self.key_log: list[str] = []
        """Secrets of TLS sessions that the tester's own stack has made, in NSS format."""
        self.changed: set[str] = set()
        """Names of keys that the device has others for than it had when the run began: whoever owns
        it needs them (:meth:`keys`), or is locked out."""
        self._given = dict(keys or {})
        self._keys = dict(self._given)
        self._held: dict[tuple[str, int], Held] = {}

    def keys(self, name: str) -> Keys:
        """The octets of that name. :class:`KeyError` if nobody has them."""
        return self._keys[name] if name else Keys()

    def has_keys(self, row: DeclaredAssociation) -> bool:
        """Whether what the association needs is at hand. A draft may not say yet what that is."""
        return row.keys in self._keys if row.keys else not needed(row)

    def held(self, row: DeclaredAssociation) -> Held:
        """:class:`KeyError` if there are no such keys."""
        if not self.has_keys(row):
            raise KeyError(row.keys)
        where = row.keys, row.suite
        if where not in self._held:
            refs, _, ring = module_with(self.keys(row.keys), row.suite)
            self._held[where] = Held(refs, ring)
        return self._held[where]

    def replace_keys(self, name: str, **octets: bytes | None) -> None:
        """The device has other keys from now on (``guek``, ``gak`` ...)."""
        self._keys[name] = dataclasses.replace(self._keys[name], **octets)
        self._held = {where: held for where, held in self._held.items() if where[0] != name}
        if self._keys[name] == self._given[name]:
            self.changed.discard(name)
        else:
            self.changed.add(name)

    def restarted(self, guek: KeyRef) -> None:
        """The device has been given that key again, so its counters may have begun anew (R-IC-2).
        Ours go on: none is used twice under a key.
        """
        sent = self.counters.next_to_send(guek)
        self.counters.forget(guek)
        self.counters.raise_to(guek, sent)

    def redeclare(self, name: str, **changes: Any) -> None:
        """What is declared of the association of that name has changed, for good."""
        rows = tuple(
            dataclasses.replace(row, **changes) if row.name == name else row
            for row in self.declaration.associations
        )
        self.declaration = dataclasses.replace(self.declaration, associations=rows)
