"""The Smart Metering Inventory: each device, its SMI Status and history, who is responsible.

SEC Section A: Device Type, Device ID, Device Model with firmware version, SMI Status, its date and
history. The words of the statuses are from general knowledge.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

import sqlalchemy as sa

from devices.profile import Profile
from emulator.database import Database
from emulator.enrolment.steps import EnrolmentError
from emulator.enrolment.tables import INVENTORY, INVENTORY_HISTORY, METADATA, NAME, VERSION


class Status(Enum):
    PENDING = "Pending"
    NOT_COMMISSIONED = "Installed not commissioned"
    COMMISSIONED = "Commissioned"


class NotResponsible(EnrolmentError):
    """A supplier asks for a service on a device that is not its own to ask for."""


class Entry(NamedTuple):
    """``type`` is ESME or GSME; ``supplier`` is the responsible one, ``since`` when ``status`` came
    about.
    """

    device: str
    meter: str
    type: str
    manufacturer: str
    model: str
    hardware: str
    firmware: str
    status: str
    since: str
    supplier: str

    def to_json(self) -> dict[str, Any]:
        return self._asdict()


def device_type(profile: Profile) -> str:
    return "GSME" if profile.kind == "gas" else "ESME"


class Inventory:
    """``now`` gives the time (aware)."""

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        database.use(NAME, VERSION, METADATA)
        self._database = database
        self._now = now

    def notify(self, device: str, meter: str, profile: Profile, firmware: str, by: str) -> None:
        """Device Pre-notification (12.2): the device is to come. One that is there stays as it is,
        but for a supplier that was never responsible for a commissioned one.
        """
        found = self.find(device)
        if found is not None and found.status == Status.COMMISSIONED.value:
            return
        entry = Entry(
            device=device,
            meter=meter,
            type=device_type(profile),
            manufacturer=profile.manufacturer,
            model=profile.model,
            hardware=profile.habits.hardware_version,
            firmware=firmware,
            status=Status.PENDING.value,
            since=self._stamp(),
            supplier=by,
        )
        with self._database.begin() as connection:
            connection.execute(INVENTORY.delete().where(INVENTORY.c.device == device))
            connection.execute(INVENTORY.insert().values(entry._asdict()))
            self._tell(connection, entry, "pre-notified")

    def find(self, device: str) -> Entry | None:
        query = sa.select(INVENTORY).where(INVENTORY.c.device == device)
        with self._database.begin() as connection:
            row = connection.execute(query).first()
        return None if row is None else Entry._make(row)

    def get(self, device: str) -> Entry:
        """:class:`EnrolmentError` if it is not there."""
        found = self.find(device)
        if found is None:
            raise EnrolmentError(f"{device}: not in the Smart Metering Inventory")
        return found

    def all(self) -> list[Entry]:
        with self._database.begin() as connection:
            rows = connection.execute(sa.select(INVENTORY).order_by(INVENTORY.c.device))
            return [Entry._make(row) for row in rows]

    def history(self, device: str) -> list[dict[str, Any]]:
        table = INVENTORY_HISTORY.c
        query = sa.select(table.moment, table.status, table.supplier, table.why)
        query = query.where(table.device == device).order_by(table.number)
        with self._database.begin() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def become(self, device: str, status: Status, why: str, firmware: str | None = None) -> None:
        """A new SMI Status; the same again is nothing new."""
        entry = self.get(device)
        if entry.status == status.value and firmware in (None, entry.firmware):
            return
        changed = entry._replace(status=status.value, since=self._stamp())
        if firmware is not None:
            changed = changed._replace(firmware=firmware)
        self._change(changed, why)

    def change_supplier(self, device: str, supplier: str) -> Entry:
        """Change of supplier: another is responsible from now on. Nothing is done to the meter.

        :class:`EnrolmentError` if the device is not commissioned: it is still of the supplier's
        own system, which no other can use (letter, paragraph 2).
        """
        entry = self.get(device)
        if entry.status != Status.COMMISSIONED.value:
            raise EnrolmentError(f"{device}: {entry.status}; it is not the DCC's to serve")
        if entry.supplier == supplier:
            return entry
        changed = entry._replace(supplier=supplier)
        self._change(changed, f"change of supplier, from {entry.supplier}")
        return changed

    def require(self, device: str, supplier: str) -> Entry:
        """Access control of a Service Request: :class:`NotResponsible` unless the device is
        commissioned and ``supplier`` is responsible for it now.
        """
        entry = self.get(device)
        if entry.status != Status.COMMISSIONED.value:
            raise NotResponsible(f"{device}: {entry.status}")
        if entry.supplier != supplier:
            raise NotResponsible(f"{device}: {supplier} is not the responsible supplier")
        return entry

    def _change(self, entry: Entry, why: str) -> None:
        with self._database.begin() as connection:
            where = INVENTORY.c.device == entry.device
            connection.execute(INVENTORY.update().where(where).values(entry._asdict()))
            self._tell(connection, entry, why)

    def _tell(self, connection: sa.Connection, entry: Entry, why: str) -> None:
        row = {
            "device": entry.device,
            "moment": self._stamp(),
            "status": entry.status,
            "supplier": entry.supplier,
            "why": why,
        }
        connection.execute(INVENTORY_HISTORY.insert().values(row))

    def _stamp(self) -> str:
        return self._now().astimezone(dt.UTC).isoformat(timespec="seconds")
