"""The mains of one meter: without them nobody reaches it, and what it does not keep is gone.

Its ports stay bound, so that no one else can take them and it comes back where it was. Whoever
connects meanwhile is dropped at once, datagrams are dropped, and a serial line swallows octets.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Protocol

from devices.life.hands import Press, Tamper
from devices.objects.token_gateway import TokenStatus
from dlms.security.drive import run
from emulator.events import MeterEvent
from emulator.serving.host import Host


class Outlet(Protocol):
    """A way to the meter."""

    @property
    def connections(self) -> int:
        """How many there are now; a way that knows none has none."""
        ...

    def pause(self) -> None:
        """Drop all connections at once, and whoever comes from now on."""
        ...

    def resume(self) -> None: ...


class Mains:
    """``look_again`` is called when something else may be due at the meter. To a
    :class:`~emulator.living.Living` the meter is this: without mains nothing is due but their
    return.
    """

    def __init__(self, host: Host, look_again: Callable[[Mains], None]) -> None:
        self.host = host
        self._look_again = look_again
        self._outlets: list[Outlet] = []
        self._are_on = True
        self._back: dt.datetime | None = None

    def lead_to(self, outlet: Outlet) -> None:
        """One more way that goes with the mains."""
        self._outlets.append(outlet)

    @property
    def name(self) -> str:
        return self.host.device.profile.name

    @property
    def are_on(self) -> bool:
        return self._are_on

    @property
    def back(self) -> dt.datetime | None:
        """When they return by themselves, in true time."""
        return self._back

    @property
    def connections(self) -> int:
        return sum(outlet.connections for outlet in self._outlets)

    # What is done to the meter ------------------------------------------------------------------

    def cut(self, back: dt.datetime | None = None) -> None:
        """No mains until ``back``, or until :meth:`restore`. Cut again, only ``back`` is new."""
        self._back = back
        if self._are_on:
            now = self.host.awake()
            self.host.device.power_lost(now)
            self.host.memory.commit()
            self._are_on = False
            self._drop()
            self._tell("power-lost", "" if back is None else f"until {back.isoformat()}")
        self._look_again(self)

    def restore(self) -> None:
        """The mains are there again, now."""
        self._restore(self.host.now())

    def reboot(self) -> None:
        """The meter begins anew with what it keeps; the supply is not interrupted. Without mains it
        will do so anyhow.
        """
        if self._are_on:
            self.host.awake()
            self.host.memory.commit()
            self._drop()
            self.host.memory.recall()
            self._begin()
            self._tell("rebooted")
            self._look_again(self)

    def tamper(self, kind: Tamper) -> None:
        """Somebody tampers with it; a battery sees to it that it notices without mains, too."""
        self.host.device.tampered(kind, self.host.awake())
        self.host.settle()
        self._look_again(self)

    def slip(self, by: dt.timedelta) -> None:
        """Its clock jumps by so much, and nobody has set it."""
        self.host.device.slipped(by, self.host.awake())
        self.host.settle()
        self._look_again(self)

    def press(self, what: Press) -> bool:
        """A customer presses a button; false if it does nothing now."""
        done = self.host.device.pressed(what, self.host.awake())
        self.host.settle()
        self._look_again(self)
        return done

    def key_in(self, digits: bytes) -> TokenStatus:
        """A customer keys in a token. ``LookupError`` if the meter takes none."""
        step = self.host.device.keyed_in(digits, self.host.awake())
        status = run(step, self.host.execute)
        self.host.settle()
        self._look_again(self)
        return status

    # Living -------------------------------------------------------------------------------------

    def due(self) -> dt.datetime | None:
        return self.host.device.due() if self._are_on else self._back

    def live(self, moment: dt.datetime) -> None:
        """Live on until ``moment``; without mains, wait for them."""
        if self._are_on:
            self.host.live(moment)
        elif self._back is not None and self._back <= moment:
            self._restore(self._back)

    def _restore(self, moment: dt.datetime) -> None:
        self._back = None
        if self._are_on:
            return
        self.host.memory.recall()
        self.host.device.power_restored(moment)
        self._are_on = True
        self.host.live(moment)
        self._begin()
        self._tell("power-restored")
        self._look_again(self)

    def _drop(self) -> None:
        """What a meter does not keep: connections, associations, what it was about to say."""
        for outlet in self._outlets:
            outlet.pause()
        outbox = self.host.device.outbox
        outbox.take_announcements()
        outbox.take_replies()

    def _begin(self) -> None:
        for outlet in self._outlets:
            outlet.resume()

    def _tell(self, kind: str, text: str = "") -> None:
        self.host.on_event(MeterEvent(meter=self.name, kind=kind, text=text))
