"""The ledger: every cryptographic operation of the DCC side, with its tag and its outcome.

It names keys and never holds one. :mod:`~emulator.ledger.ledger` is what Custody writes to,
:mod:`~emulator.ledger.store` where entries last, chained by :mod:`~emulator.ledger.chain`.
"""

from emulator.ledger.entry import Entry, Outcome
from emulator.ledger.errors import LedgerError
from emulator.ledger.groups import Group
from emulator.ledger.ledger import Ledger

__all__ = ["Entry", "Group", "Ledger", "LedgerError", "Outcome"]
