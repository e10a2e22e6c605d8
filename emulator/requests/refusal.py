"""A Service Request that somebody does not pass on, and why."""

from __future__ import annotations

from dlms.errors import DlmsError


class RequestRefused(DlmsError):
    """``party`` is who refuses: the User's own software, DSP, S1SP or DCO. Nothing was sent to the
    meter for it. ``reason`` is a word for programs.
    """

    def __init__(self, party: str, reason: str, text: str) -> None:
        super().__init__(f"{party} refuses the request: {text}")
        self.party = party
        self.reason = reason
        self.text = text


class Unfit(ValueError):
    """The meter's profile has not what a variant needs; the text says what is missing."""
