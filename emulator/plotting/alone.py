"""A meter that nobody touches, lived through in this process: what its pictures would be."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from devices.alert_codes import Happening
from devices.device import Device
from devices.metering import total
from devices.metrology import Quantity
from devices.prepayment import account
from devices.profile import Profile
from devices.supply import ControlState, put, relay
from dlms.words import word
from emulator.plotting.series import Series, between

HALF_HOUR = dt.timedelta(minutes=30)
QUANTITIES = {"electricity": (Quantity.IMPORT, "kWh"), "gas": (Quantity.GAS_VOLUME, "m³")}
_THOUSAND = 3


def live_alone(
    profile: Profile, serial: int, begin: dt.datetime, days: int, pounds: Decimal
) -> Series:
    """``days`` from ``begin`` on. At the beginning the supply is connected and the balance is so
    many pounds; the credit that is shown is what the account has available.
    """
    meter = Device(profile, serial)
    quantity, unit = QUANTITIES[profile.kind]
    if account.account_of(meter) is not None:
        units = int(pounds.scaleb(-profile.currency_scale))
        account.put_amount(meter, account.token_credit(meter), units)
    row = relay(meter)
    if row is not None:
        put(meter, row, ControlState.CONNECTED, begin)
    meter.advance(begin)
    readings, credit, events = [], [], []
    for step in range(48 * days + 1):
        moment = begin + step * HALF_HOUR
        meter.advance(moment)
        readings.append((moment, Decimal(total(meter, quantity, moment)).scaleb(-_THOUSAND)))
        if account.account_of(meter) is not None:
            pounds = Decimal(account.available(meter)).scaleb(profile.currency_scale)
            credit.append((moment, pounds))
        events += [(moment, word(Happening(code))) for code in meter.outbox.take_happenings()]
    return Series(profile.name, unit, between(readings), credit, events)
