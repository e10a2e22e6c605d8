"""gurux-dlms as a meter for our head end: its server does not start."""

from __future__ import annotations

import pytest
from gurux_dlms.enums import InterfaceType
from gurux_dlms.objects import GXDLMSAssociationLogicalName, GXDLMSClock
from gurux_dlms.secure import GXDLMSSecureServer


class Server(GXDLMSSecureServer):
    """What the package asks of its user, as far as it comes to that."""


def test_server() -> None:
    association = GXDLMSAssociationLogicalName()
    server = Server(association, InterfaceType.WRAPPER)
    server.items.append(association)
    server.items.append(GXDLMSClock())
    with pytest.raises(TypeError, match="not of type GXDLMSObject"):
        server.initialize()
