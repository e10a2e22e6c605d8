"""What can be expected to go wrong, and the exit status of each.

This needs about everything there is, so it is imported when something has gone wrong.
"""

from __future__ import annotations

from devices.profile import ProfileError
from dlms.client.refusals import MeterRefusal
from dlms.errors import DlmsError, ProtocolError
from dlms.security.ops import CryptoFailure, OperationRefused
from emulator.cli.exit_status import Exit
from emulator.client import UnknownObject
from emulator.control import ControlError, ControlRefused
from emulator.database import DatabaseError
from emulator.enrolment.steps import EnrolmentError
from emulator.journal import StoreError
from emulator.ledger import LedgerError
from emulator.module_file import ModuleFileError
from emulator.modules.pkcs11.failures import TokenUnavailable
from emulator.mqtt.broker_errors import BrokerError
from emulator.products.errors import NotAllowed, ProductsError
from emulator.requests.refusal import RequestRefused
from emulator.workspace import WorkspaceError

KINDS: tuple[tuple[type[BaseException], Exit], ...] = (
    (OperationRefused, Exit.POLICY),
    (BrokerError, Exit.CONNECTION),
    (MeterRefusal, Exit.FAILED),
    (EnrolmentError, Exit.FAILED),
    (RequestRefused, Exit.FAILED),
    (ControlRefused, Exit.FAILED),
    (NotAllowed, Exit.FAILED),
    (ProductsError, Exit.USAGE),
    (ControlError, Exit.USAGE),
    (StoreError, Exit.USAGE),
    (LedgerError, Exit.FAILED),
    (DatabaseError, Exit.USAGE),
    (ProtocolError, Exit.PROTOCOL),
    (TokenUnavailable, Exit.CONNECTION),
    (CryptoFailure, Exit.PROTOCOL),
    (UnknownObject, Exit.USAGE),
    (WorkspaceError, Exit.USAGE),
    (ModuleFileError, Exit.USAGE),
    (ProfileError, Exit.USAGE),
    (PermissionError, Exit.USAGE),
    (TimeoutError, Exit.CONNECTION),
    (OSError, Exit.CONNECTION),
    (DlmsError, Exit.PROTOCOL),
    (ValueError, Exit.USAGE),
)
"""First match decides: what is more special stands before what it is a kind of."""
