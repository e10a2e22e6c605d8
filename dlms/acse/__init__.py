"""ACSE: the APDUs that open and release an Application Association (GB Ed. 8, 9.4.2; BER)."""

from __future__ import annotations

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import (
    AssociationResult,
    ProviderDiagnostic,
    ReleaseRequestReason,
    ReleaseResponseReason,
    UserDiagnostic,
)
from dlms.acse.fields import AuthenticationValue, ValueChoice
from dlms.acse.names import ApplicationContext, Mechanism, Referencing
from dlms.acse.release import Rlre, Rlrq

__all__ = [
    "Aare",
    "Aarq",
    "ApplicationContext",
    "AssociationResult",
    "AuthenticationValue",
    "Mechanism",
    "ProviderDiagnostic",
    "Referencing",
    "ReleaseRequestReason",
    "ReleaseResponseReason",
    "Rlre",
    "Rlrq",
    "UserDiagnostic",
    "ValueChoice",
]
