"""What may come back, by the words of the catalogue ([answers] in index.toml).

Each function makes an alternative for a conversation; its arguments narrow it down. Those of HDLC
frames are in :mod:`~emulator.conformance.conversing.expect_frames`.
"""

from emulator.conformance.conversing.expect_associations import (
    Diagnostic,
    accepted,
    initiate_error,
    pending,
    rejected,
    released,
)
from emulator.conformance.conversing.expect_basics import any_of, closed, found, silence
from emulator.conformance.conversing.expect_services import (
    action_error,
    alive,
    data_error,
    done,
    exception,
    gone,
    protected,
    refused,
    service_error,
    value,
)
from emulator.conformance.conversing.responses import (
    data_of,
    data_result,
    is_refusal,
    is_success,
)

__all__ = [
    "Diagnostic", "accepted", "action_error", "alive", "any_of", "closed", "data_error", "data_of",
    "data_result", "done", "exception", "found", "gone", "initiate_error", "is_refusal",
    "is_success", "pending", "protected", "refused", "rejected", "released", "service_error",
    "silence", "value",
]  # fmt: skip
