"""What a client asks on one link: what waits, what is awaited, and how often it insists.

What has no effect is repeated ``retries`` times, a server that has nothing to say is polled
``max_polls`` times (:class:`~dlms.framing.hdlc.config.PrimaryConfig`).
"""

from __future__ import annotations

from collections import deque

from dlms.errors import LocalProtocolError
from dlms.framing.hdlc import llc
from dlms.framing.hdlc.flow import MAX_QUEUED

MAX_QUEUED_APDUS = 64
"""APDUs that may wait while another one is under way: a stream of general blocks has 63."""


class Asking:
    """From one SNRM or DISC to the next."""

    def __init__(self, retries: int, max_polls: int) -> None:
        self._retries = retries
        self._max_polls = max_polls
        self._apdus: deque[tuple[bytes, bool]] = deque()
        self._awaited = 0
        self._tries = self._polls = 0

    @property
    def is_awaiting(self) -> bool:
        """Whether the server is polled until an APDU comes."""
        return self._awaited > 0

    def queue(self, apdu: bytes, answered: bool) -> None:
        """Let an APDU wait. :class:`LocalProtocolError` if too much waits already."""
        if len(self._apdus) >= MAX_QUEUED_APDUS or llc.LENGTH + len(apdu) > MAX_QUEUED:
            raise LocalProtocolError("too much waits for the line")
        self._apdus.append((apdu, answered))

    def next_apdu(self) -> bytes | None:
        """The one that has waited longest; its answer is awaited from now on."""
        if not self._apdus:
            return None
        apdu, answered = self._apdus.popleft()
        self.ask(answered)
        return apdu

    def ask(self, answered: bool) -> None:
        """Something new is asked, and an APDU is awaited if it is ``answered``."""
        self._awaited += answered
        self._polls = 0

    def hear(self) -> None:
        """An APDU has come."""
        if self._awaited:
            self._awaited -= 1

    def progress(self) -> None:
        """What was said had an effect."""
        self._tries = self._polls = 0

    def settle(self) -> None:
        """Nothing is to be repeated."""
        self._tries = 0

    def may_repeat(self) -> bool:
        """Count one more time that the same is said; whether that is allowed."""
        self._tries += 1
        return self._tries <= self._retries

    def may_poll(self) -> bool:
        """Count one more time that there was nothing to hear; whether that is allowed."""
        self._polls += 1
        return self._polls <= self._max_polls
