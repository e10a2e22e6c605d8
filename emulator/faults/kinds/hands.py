"""What befalls a meter from outside: it begins anew, somebody tampers with it. Done once."""

from __future__ import annotations

from emulator.control.actions.handling import KINDS as TAMPERS
from emulator.control.errors import refused
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind
from emulator.faults.kinds.parameters import choice, duration
from emulator.virtual_clock import LATEST

_DAY = 86_400


def reboot(fault: Fault) -> None:
    mains, clock, after = fault.reach.mains, fault.reach.clock, fault["off"]
    if not mains.are_on:
        raise refused(f"{mains.name} has no mains")
    if not after:
        mains.reboot()
        return
    back = clock.now() + after
    if back > LATEST:
        raise refused(f"time ends before, at {LATEST.isoformat()}")
    mains.cut(back)


def tamper(fault: Fault) -> None:
    fault.reach.mains.tamper(TAMPERS[fault["what"]])


KINDS = (
    Kind(
        name="reboot",
        place="device",
        help="the meter loses its mains, or begins anew at once",
        seen="connections end, and associations with them; whoever connects before the meter is"
        " back is dropped",
        begin=reboot,
        parameters=(
            duration(
                "off", 400 * _DAY, 0, "how long without mains, in virtual time; 0: it begins anew"
            ),
        ),
        lasts=False,
    ),
    Kind(
        name="tamper",
        place="device",
        help="somebody tampers with the meter",
        seen="an event in the logs, an alert; the relay opens if that is the profile's habit",
        begin=tamper,
        parameters=(choice("what", tuple(TAMPERS), "cover", "what is tampered with"),),
        lasts=False,
    ),
)
