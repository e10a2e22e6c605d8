"""The LLC sublayer: three octets in front of each APDU (IEC 62056-46, clause 5; GB Ed. 8, 8.3)."""

from __future__ import annotations

COMMAND = bytes.fromhex("E6E600")
"""From client to server."""

RESPONSE = bytes.fromhex("E6E700")
"""From server to client."""

LENGTH = 3
