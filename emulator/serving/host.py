"""What a connection needs of the meter's host."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from devices.alert_codes import Happening
from devices.device import Device
from dlms.security.ops import CryptoOp
from dlms.words import word
from emulator.events import MeterEvent, OnMeterEvent
from emulator.serving.audience import Audience
from emulator.serving.makes import Makes
from emulator.serving.taps import Taps
from tls.session_age import SESSION_LIFETIME

MAX_APDU = 8192
"""Longest APDU that is waited for. No profile takes more than 2 KiB, and what is too long for the
association but not for this still gets its ExceptionResponse."""

INACTIVITY_TIMEOUT = 180.0
"""Seconds without a complete APDU until the meter hangs up (TCP-UDP setup, attribute 6)."""


class Memory(Protocol):
    """Keeps what a meter remembers."""

    def commit(self) -> None:
        """What has changed is kept when this returns, all of it or none.
        :class:`~emulator.journal.StoreError` if it cannot be.
        """
        ...

    def recall(self) -> None:
        """The meter begins anew: what was kept last is what it remembers, and nothing else."""
        ...


class NoMemory:
    """The meter forgets when its process ends."""

    def commit(self) -> None:
        """Nothing is kept."""

    def recall(self) -> None:
        """It remembers all: what it would not keep over a loss of power is in no such state."""


def nothing() -> None:
    """Nobody keeps appointments for the meter, nor tells its alerts."""


@dataclass(frozen=True, slots=True)
class Host:
    """``execute`` carries out the device's own cryptography, which is not tagged; ``now`` gives the
    true time, aware. ``trace`` asks for an event per APDU. ``audience`` are the connections.
    ``look_again`` is called when something else may be due at the meter than before, ``alerted``
    when it may have an alert to tell. ``taps`` is what stands in the way to the meter,
    ``makes`` of what make its associations are. ``inactivity_timeout`` and ``session_lifetime`` (of
    TLS, from its full handshake) are seconds, in reality.
    """

    device: Device
    execute: Callable[[CryptoOp], Any]
    now: Callable[[], dt.datetime]
    on_event: OnMeterEvent
    trace: bool = False
    inactivity_timeout: float = INACTIVITY_TIMEOUT
    session_lifetime: float = SESSION_LIFETIME
    audience: Audience = field(default_factory=Audience)
    memory: Memory = field(default_factory=NoMemory)
    look_again: Callable[[], None] = nothing
    alerted: Callable[[], None] = nothing
    taps: Taps = field(default_factory=Taps)
    makes: Makes = field(default_factory=Makes)

    def tell_happenings(self) -> None:
        """Tell whoever watches what has happened to the meter."""
        happenings = self.device.outbox.take_happenings()
        if happenings and self.device.state.alerts:
            self.alerted()
        for code in happenings:
            text = f"{code:04X} {word(Happening(code))}"
            self.on_event(MeterEvent(meter=self.device.profile.name, kind="happening", text=text))

    def awake(self) -> dt.datetime:
        """Let the meter live on until now; give the true time."""
        now = self.now()
        self.device.advance(now)
        return now

    def live(self, moment: dt.datetime) -> None:
        """Let the meter live on until ``moment``, keep what it remembers, and tell what it has to
        say.
        """
        self.device.advance(moment)
        self.settle()
        self.restart_if_wanted()

    def settle(self) -> None:
        """Keep what has changed, and then tell whoever is to know."""
        self.memory.commit()
        self.tell_happenings()
        self.audience.tell_all(self.device.outbox.take_announcements())

    def restart_if_wanted(self) -> None:
        """Let the meter begin anew if it has changed its firmware, once replies are on their way.
        Associations end with their connections; what it remembers stays.
        """
        if not self.device.restart_wanted:
            return
        self.device.restart_wanted = False
        self.audience.hang_up()
        self.device.outbox.take_announcements()
        name = self.device.profile.name
        self.on_event(MeterEvent(meter=name, kind="rebooted", text="new firmware"))
