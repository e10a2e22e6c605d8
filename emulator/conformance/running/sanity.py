"""Whether the device is as it was before: before and after each case.

A device that does not do the simplest thing right before a case says nothing by failing it; one
that does not after it has been harmed by it.
"""

from __future__ import annotations

from dlms.acse.names import Referencing
from dlms.errors import DlmsError
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.hostile import sanity as head_end
from emulator.conformance.probing.probe import LOGICAL_NAME
from emulator.conformance.trying.trial import Trial

FOUNDATIONS = frozenset(
    {"APPL_OPEN_1", "APPL_OPEN_3", "HDLC_FRAME_P1", "HDLC_ADDRESS_P1", "HDLC_NDM2NRM_P1"}
)
"""Checks of what sanity itself needs: without them a device that cannot be opened an association
with would never be told why. They begin without it.
"""


async def before(trial: Trial) -> str:
    """What is wrong before a case, empty if nothing is: of a meter or of a head end, by what is
    declared.
    """
    features = trial.declaration.features
    if features.get("server"):
        return await problem(trial)
    return await head_end.before(trial) if features.get("client") else ""


async def after(trial: Trial) -> str:
    """The same behind it."""
    features = trial.declaration.features
    if features.get("server"):
        return await problem(trial)
    return await head_end.after(trial) if features.get("client") else ""


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
    except (DlmsError, Unjudged, OSError) as error:
        return str(error) or type(error).__name__
    return ""


def _is_readable(row: DeclaredAssociation) -> bool:
    return row.context.referencing is Referencing.LOGICAL_NAME
