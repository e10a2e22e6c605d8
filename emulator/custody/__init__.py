"""The DCC side's door to cryptography: what an operation is for, which module it goes to, and the
file that says which modules there are.
"""

from __future__ import annotations

from emulator.custody.custody import (
    DATABASE,
    OPENSSL,
    Custody,
    Errand,
    Mode,
)

__all__ = ["DATABASE", "OPENSSL", "Custody", "Errand", "Mode"]
