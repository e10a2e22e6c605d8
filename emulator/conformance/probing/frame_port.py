"""Frames on a line that has no framing of its own: any octets out, one frame after the other in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from dlms.framing.hdlc.frame import Frame, NotUnderstood
from dlms.framing.hdlc.receiver import FrameReceiver
from emulator.conformance.probing.line import Line
from emulator.conformance.probing.record import Direction, Level, Recorder
from emulator.conformance.probing.seen import Seen, What

_ENDLESS = 1.0
"""Seconds between octets of the device: its frames are awaited for as long as the tester asks, so
the receiver is told that no time passes."""


class FramePort:
    """``now`` is in seconds of any steady clock."""

    def __init__(self, line: Line, recorder: Recorder, now: Callable[[], float]) -> None:
        self.line = line
        self._recorder = recorder
        self._now = now
        self._frames: deque[Frame | NotUnderstood] = deque()
        self._receiver = FrameReceiver(inter_octet_timeout=_ENDLESS)

    def write(self, octets: bytes) -> None:
        """:class:`~emulator.conformance.probing.line.LineClosed` if the connection has ended."""
        self.line.write(octets)

    async def frame(self, within: float) -> Seen:
        """The next frame, or silence. What comes and is no frame is shown as octets that do not
        decode.

        :class:`~emulator.conformance.probing.line.LineClosed` if the connection has ended.
        """
        until = self._now() + within
        octets = b""
        while not self._frames:
            came = await self.line.read(max(until - self._now(), 0.0))
            if not came:
                self._receiver = FrameReceiver(inter_octet_timeout=_ENDLESS)
                return self._nothing(octets, within)
            octets += came
            self._frames.extend(self._receiver.receive(came, 0.0))
        frame = self._frames.popleft()
        encoded = frame.encode() if isinstance(frame, Frame) else octets
        return Seen.frame(frame, encoded, self._entry())

    def _nothing(self, octets: bytes, within: float) -> Seen:
        if not octets:
            return Seen.silence(within)
        why = "octets that are no frame"
        return Seen(what=What.FRAME, octets=octets, why=why, entry=self._entry())

    def _entry(self) -> int | None:
        """Where in the record the octets are that came last."""
        entries = self._recorder.entries
        for number in range(len(entries) - 1, -1, -1):
            entry = entries[number]
            if entry.direction is Direction.RECEIVED and entry.level is Level.OCTETS:
                return number
        return None
