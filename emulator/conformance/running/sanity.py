"""Whether the device is as it was before: before and after each case.

A device that does not do the simplest thing right before a case says nothing by failing it; one
that does not after it has been harmed by it.
"""

from __future__ import annotations

from dlms.acse.names import Referencing
from emulator.client.errors import ClientError
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import LOGICAL_NAME
from emulator.conformance.running.trial import Trial

FOUNDATIONS = frozenset(
    {"APPL_OPEN_1", "APPL_OPEN_3", "HDLC_FRAME_P1", "HDLC_ADDRESS_P1", "HDLC_NDM2NRM_P1"}
)
"""Checks of what sanity itself needs: without them a device that cannot be opened an association
with would never be told why. They begin without it.
"""


async def problem(trial: Trial) -> str:
    """Open an association, read its logical name and release it, all as it should be: what is
    wrong, empty if nothing is.
    """
    trial.record.note("sanity: an association is opened, read from and released")
    try:
        row = trial.row(_is_readable, "that can be read from")
        line = await trial.open()
        try:
            async with trial.session(row, line) as (client, _):
                await client.get(LOGICAL_NAME)
        finally:
            await line.close()
    except (ClientError, Unjudged, OSError) as error:
        return str(error)
    return ""


def _is_readable(row: DeclaredAssociation) -> bool:
    return row.context.referencing is Referencing.LOGICAL_NAME
