"""Why something is not done, as a stable code and a line to read."""

from __future__ import annotations

UNKNOWN_ACTION = "unknown-action"
UNKNOWN_METER = "unknown-meter"
BAD_ARGUMENT = "bad-argument"
REFUSED = "refused"
"""It was asked for rightly, but is not to be had as things are."""
FAILED = "failed"
"""It was begun and went wrong."""
MALFORMED = "malformed"
"""What came is no request at all."""


class ControlError(Exception):
    """``code`` is one of the words above. No secret is in ``text``."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class ControlRefused(ControlError):
    """Nothing is wrong with the request."""


def control_error(code: str, text: str) -> ControlError:
    """The error of a code, as it comes over a socket."""
    kind = ControlRefused if code in (REFUSED, FAILED) else ControlError
    return kind(code, text)


def refused(text: str) -> ControlRefused:
    return ControlRefused(REFUSED, text)


def bad_argument(text: str) -> ControlError:
    return ControlError(BAD_ARGUMENT, text)
