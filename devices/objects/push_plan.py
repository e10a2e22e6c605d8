"""How a Push setup has its pushes made, besides what is in them (Blue Book 4.4.8).

The versions differ: 0 says neither whose association protects a push nor whether it is confirmed,
2 and 3 let the delay between repetitions grow.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from devices.meter import Meter
from devices.objects.windows import Window, is_open, next_opening, windows
from devices.profile.living import CLIENT_SAP
from devices.profile.model import AssociationRow, ObjectRow
from devices.timekeeping import device_time, true_time
from dlms.axdr.data import Data
from dlms.cosem.fitting import elements_of

PUSH_OBJECT_LIST, DESTINATION, WINDOW, RANDOMISATION, RETRIES, DELAY = 2, 3, 4, 5, 6, 7
OPERATION, LAST_CONFIRMATION = 11, 13
"""Attributes of Push setup."""

_TCP, _AXDR = 0, 0
_CONFIRMED = 2
_HUNDREDTHS = 100


class Destination(NamedTuple):
    """``address`` is ``host:port``, or empty where the meter is not told. ``reachable``: by TCP, as
    an APDU in A-XDR, which is the one way that meters of ours have.
    """

    address: str = ""
    reachable: bool = True


class Delay(NamedTuple):
    """Seconds between two attempts: ``first``, then each time ``growth`` hundredths of the one
    before, and never more than ``most``.
    """

    first: int = 0
    growth: int = _HUNDREDTHS
    most: int = 0

    def after(self, failures: int) -> dt.timedelta:
        """How long to wait when so many attempts have failed, one at least."""
        seconds = min(self.first, self.most)
        for _ in range(failures - 1):
            grown = min(seconds * self.growth // _HUNDREDTHS, self.most)
            if grown == seconds:
                break
            seconds = grown
        return dt.timedelta(seconds=seconds)


class PushPlan(NamedTuple):
    """``association`` is the one that protects; ``randomisation`` is in seconds. ``retries`` follow
    the first attempt.
    """

    setup: ObjectRow
    association: AssociationRow
    destination: Destination
    confirmed: bool
    windows: tuple[Window, ...]
    randomisation: int
    retries: int
    delay: Delay

    def opening(self, meter: Meter, now: dt.datetime) -> dt.datetime | None:
        """The true time, from ``now`` (aware) on, at which a push may go out; ``None`` if there is
        none. Without windows that is any time.
        """
        local = device_time(meter, now).replace(tzinfo=None)
        if not self.windows or is_open(self.windows, local):
            return now
        opens = next_opening(self.windows, local)
        return None if opens is None else max(true_time(meter, opens), now)


def is_confirmed(meter: Meter, setup: ObjectRow) -> bool:
    """Whether what the Push setup pushes is to be confirmed."""
    return _number(meter.value(setup, OPERATION)) == _CONFIRMED


def push_plan(meter: Meter, setup: ObjectRow, otherwise: str) -> PushPlan | None:
    """The plan of a Push setup as it is now; ``None`` if it names a client that has no association.
    ``otherwise`` is the association where no client is named.
    """
    row = _association(meter, setup, otherwise)
    if row is None:
        return None
    return PushPlan(
        setup,
        row,
        _destination(meter.value(setup, DESTINATION)),
        is_confirmed(meter, setup),
        windows(meter.value(setup, WINDOW)),
        _number(meter.value(setup, RANDOMISATION)),
        _number(meter.value(setup, RETRIES)),
        _delay(meter.value(setup, DELAY)),
    )


def _association(meter: Meter, setup: ObjectRow, otherwise: str) -> AssociationRow | None:
    sap = None
    if setup.interface_class.attribute(CLIENT_SAP) is not None:
        sap = _number(meter.value(setup, CLIENT_SAP)) or None
    if sap is None:
        return meter.profile.associations.get(otherwise)
    return meter.association(sap, meter.profile.server_sap)


def _destination(value: Data | None) -> Destination:
    parts = () if value is None else elements_of(value) or ()
    if len(parts) != 3:
        return Destination()
    transport, address, message = (part.value for part in parts)
    if not isinstance(address, bytes) or not address:
        return Destination("", (transport, message) == (_TCP, _AXDR))
    try:
        text = address.decode("ascii")
    except UnicodeDecodeError:
        return Destination("", reachable=False)
    return Destination(text, (transport, message) == (_TCP, _AXDR))


def _delay(value: Data | None) -> Delay:
    if value is None:
        return Delay()
    if isinstance(value.value, int):
        return Delay(value.value, _HUNDREDTHS, value.value)
    numbers = [_number(part) for part in elements_of(value) or ()]
    return Delay(*numbers) if len(numbers) == 3 else Delay()


def _number(value: Data | None) -> int:
    return value.value if value is not None and isinstance(value.value, int) else 0
