"""Image transfer, class 18, as both ends know it (Blue Book 4.4.6)."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """image_transfer_status."""

    NOT_INITIATED = 0
    INITIATED = 1
    VERIFYING = 2
    VERIFIED = 3
    VERIFICATION_FAILED = 4
    ACTIVATING = 5
    ACTIVATED = 6
    ACTIVATION_FAILED = 7
