"""client_system_title, written: another client takes an association over (Blue Book 4.4.7).

That the attribute can be written is assumed; the Blue Book leaves it to the rights. The association
that is open goes on, for its client was judged at its AARQ; the next one must be the new client's.
"""

from __future__ import annotations

from devices.meter import CLIENT_TITLE
from devices.objects.behaviour import Call
from dlms.axdr.data import Data, octet_string
from dlms.xdlms.codes import DataAccessResult

_LENGTH = 8
"""Octets of a system title (GB Ed. 8, 4.3.4)."""


def register(call: Call, new: Data) -> DataAccessResult:
    """Other-reason for what is no system title, and for the meter's own (R-AA-6)."""
    title = new.value
    if not isinstance(title, bytes) or len(title) != _LENGTH or title == call.device.title:
        return DataAccessResult.OTHER_REASON
    call.device.store(call.row, CLIENT_TITLE, octet_string(title))
    return DataAccessResult.SUCCESS
