"""APPL_OPEN_12: the version of DLMS that a client proposes."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.xdlms.initiate import InitiateRequest
from emulator.conformance.cases.opening import associating, passes_3_and_4
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import accepted, initiate_error, pending
from emulator.conformance.conversing.tree import Node, step
from emulator.conformance.probing.probe import After

TOO_LOW = 1


def _version(number: int) -> After:
    def change(octets: bytes) -> bytes:
        return InitiateRequest.decode(octets)._replace(dlms_version=number).encode()

    return change


@conversation("APPL_OPEN_12")
def version_of_dlms() -> Sequence[Node]:
    return (
        step("five", associating(initiate=_version(5)), initiate_error(TOO_LOW)),
        step(
            "seven",
            associating(initiate=_version(7)),
            accepted(),
            pending(passes_3_and_4()),
            initiate_error(TOO_LOW),
        ),
    )
