"""Cuts a stream of octets into frames, however they arrive, with noise between them."""

from __future__ import annotations

from dlms.errors import CodecError
from dlms.framing.hdlc.frame import (
    FLAG,
    MAX_LENGTH,
    MIN_LENGTH,
    Frame,
    NotUnderstood,
    announced_length,
    decode_frame,
)

INTER_OCTET_TIMEOUT = 0.025
"""Seconds of silence within a frame until it is given up (IEC HDLC setup, attribute 7: 25 ms).

On TCP the octets of a frame may come in pieces with any delay, so take a longer one there.
"""


class FrameReceiver:
    """Frames of type 3 are found by their length, for the flag may occur in their content.

    At most ``max_length`` octets of one frame are kept: a frame that announces more is noise.
    ``dropped`` counts what looked like a frame and was none.
    """

    __slots__ = ("_buffer", "_heard", "_inter_octet_timeout", "_max_length", "dropped")

    def __init__(
        self,
        max_length: int = MAX_LENGTH,
        inter_octet_timeout: float = INTER_OCTET_TIMEOUT,
    ) -> None:
        self._buffer = bytearray()
        self._heard = 0.0
        self._max_length = min(max_length, MAX_LENGTH)
        self._inter_octet_timeout = inter_octet_timeout
        self.dropped = 0

    @property
    def pending(self) -> int:
        """How many octets wait for the rest of their frame."""
        return len(self._buffer)

    def receive(self, octets: bytes, now: float) -> list[Frame | NotUnderstood]:
        """Take octets from the line; give the frames that are complete with them."""
        if now - self._heard >= self._inter_octet_timeout:
            self._give_up()  # a flag alone, too: it opens no frame that comes later
        self._heard = now
        self._buffer += octets
        frames: list[Frame | NotUnderstood] = []
        while (cut := self._cut()) is not None:
            try:
                frames.append(decode_frame(cut))
            except CodecError:
                self.dropped += 1
        return frames

    def deadline(self) -> float | None:
        """When a frame that is under way will be given up; a flag alone is none."""
        return self._heard + self._inter_octet_timeout if len(self._buffer) > 1 else None

    def timeout(self, now: float) -> None:
        """Give up a frame that stopped too long ago."""
        when = self.deadline()
        if when is not None and now >= when:
            self._give_up()

    def _give_up(self) -> None:
        self.dropped += len(self._buffer) > 1
        self._buffer.clear()

    def _cut(self) -> bytes | None:
        """The octets between the next two flags that belong together, or ``None`` for now.

        The closing flag stays: it may open the next frame as well.
        """
        buffer = self._buffer
        while True:
            start = buffer.find(FLAG)
            if start < 0:
                buffer.clear()  # noise
                return None
            del buffer[:start]
            while len(buffer) > 1 and buffer[1] == FLAG:
                del buffer[0]
            if len(buffer) < 3:
                return None
            length = announced_length(bytes(buffer[1:3]))
            if length is None or not MIN_LENGTH <= length <= self._max_length:
                self.dropped += 1
                del buffer[0]
                continue
            if len(buffer) < length + 2:
                return None
            if buffer[length + 1] != FLAG:
                self.dropped += 1
                del buffer[0]
                continue
            cut = bytes(buffer[1 : length + 1])
            del buffer[: length + 1]
            return cut
