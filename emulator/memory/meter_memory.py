"""What one meter remembers, and that it is kept before the meter answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from devices.remembering import Changed, Changes
from devices.state import DeviceState
from dlms.security.keys import KeyRef
from emulator.journal import StoreError
from emulator.memory.sections import DESTROYED_KEYS, INSTALLER, KEYS, MADE
from emulator.memory.store import NotKept
from emulator.modules.keyring import KeyRing

Keep: TypeAlias = Callable[[Mapping[str, Changed[Any, Any]]], None]

_ALWAYS = Changes()
_ALWAYS.any = True


class MeterMemory:
    """``state`` and ``ring`` are kept together: a key, its version, and that its counters are at 0,
    become what they are in one moment. ``is_new`` is whether nothing has been kept of it before;
    ``profile`` is the name of what the meter is, ``installer`` who has installed it, if that was a
    supplier.
    """

    __slots__ = (
        "_changes",
        "_keep",
        "_keys_changes",
        "_profile",
        "installer",
        "is_new",
        "ring",
        "state",
    )

    def __init__(
        self,
        state: DeviceState,
        ring: KeyRing,
        *,
        keep: Keep,
        profile: str,
        is_new: bool,
        installer: str = "",
    ) -> None:
        self.installer = installer
        self.state = state
        self.ring = ring
        self.is_new = is_new
        self._profile = profile
        self._keep = keep
        # Of a new one there is always something to keep: that it is there.
        self._changes = _ALWAYS if is_new else state.changes
        self._keys_changes = ring.changes

    def commit(self) -> None:
        """What has changed is kept when this returns, all of it or none.

        :class:`~emulator.journal.StoreError` if it cannot be: the meter has gone back to what is
        kept and must not say anything of the rest. If it was for want of room, it can go on from
        there; if nobody knows what is on the disk, every later commit fails as well.
        """
        if self._changes.any or self._keys_changes.any:
            self._commit()

    def recall(self) -> None:
        """The meter begins anew: what was kept last is what it remembers, and nothing else."""
        self._revert()

    def retire(self) -> None:
        """The meter was loaded anew: whoever still has this one can do nothing with it."""
        self._revert()
        self._give_up("the meter was loaded anew")

    def _commit(self) -> None:
        changed = {
            name: now
            for name, section in (
                *self.state.sections.items(),
                (KEYS, self.ring.lasting),
                (DESTROYED_KEYS, self.ring.destroyed.of),
            )
            if any(now := section.changed())
        }
        if self.is_new:
            made = {"profile": self._profile}
            if self.installer:
                made[INSTALLER] = self.installer
            changed[MADE] = Changed(made, ())
        try:
            if changed or self._changes is _ALWAYS:
                self._keep(changed)
        except NotKept:
            self._revert()
            raise
        except BaseException as error:
            self._revert()
            self._give_up(str(error))
            raise
        self.is_new = False
        self._changes = self.state.changes
        self.state.settle()
        self.ring.settle()

    def _revert(self) -> None:
        self.ring.revert()
        self.state.revert()

    def _give_up(self, why: str) -> None:
        def refuse(changed: Mapping[str, Changed[Any, Any]]) -> None:
            raise StoreError(why)

        self._keep = refuse
        self._changes = _ALWAYS


class Memories(Protocol):
    """Where meters have their memories."""

    def load(
        self, title: bytes, profile: str, suite_of: Callable[[KeyRef], int], installer: str = ""
    ) -> MeterMemory:
        """What is kept of the meter with the system title ``title``, whose profile has this name.
        Of a new one, ``installer`` has installed it; one that is there remembers who has.

        A meter whose power was cut is loaded anew: what was loaded before is retired, and what it
        had not committed is gone. :class:`~emulator.journal.StoreError` if it cannot be loaded.
        """
        ...


class Passing:
    """Memories that end with the process. Loaded anew, a meter has what it had committed."""

    def __init__(self, fleet_secret: bytes) -> None:
        self._fleet_secret = fleet_secret
        self._loaded: dict[bytes, MeterMemory] = {}

    def load(
        self, title: bytes, profile: str, suite_of: Callable[[KeyRef], int], installer: str = ""
    ) -> MeterMemory:
        before = self._loaded.get(title)
        is_new = before is None or before.is_new
        if before is None:
            state, ring = DeviceState(), KeyRing(self._fleet_secret, suite_of)
        else:
            before.retire()
            installer = before.installer
            former, keys = before.state, before.ring
            kept = {name: section.items() for name, section in former.sections.items()}
            state = DeviceState(former.counters, lambda _, scope: former.spent[scope], kept)
            ring = KeyRing(self._fleet_secret, suite_of, keys.lasting.items(), keys.destroyed)
        memory = self._loaded[title] = MeterMemory(
            state,
            ring,
            keep=lambda changed: None,
            profile=profile,
            is_new=is_new,
            installer=installer,
        )
        return memory
