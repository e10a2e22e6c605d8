"""Access control of Service Requests by the Smart Metering Inventory.

A device that is in it is served if it is commissioned, and for a supplier only if that is the
responsible one now. So after a change of supplier the former one is refused.
"""

from __future__ import annotations

from emulator.enrolment.authorisation import device_id
from emulator.enrolment.inventory import Inventory, NotResponsible, Status
from emulator.requests.enrolment import SUPPLIER, EnrolledUser, Inventoried, Verdict


def access(inventory: Inventory) -> Inventoried:
    """Suppliers are Users of the names that they have in the inventory."""

    def ask(device: bytes, user: EnrolledUser) -> Verdict | None:
        entry = inventory.find(device_id(device))
        if entry is None:
            return None
        by = user.name if user.role == SUPPLIER else entry.supplier
        try:
            inventory.require(entry.device, by)
        except NotResponsible as error:
            served = entry.status == Status.COMMISSIONED.value
            return Verdict("not-responsible" if served else "not-commissioned", str(error))
        return Verdict()

    return ask
