"""The opening of an optical port: IEC 62056-21 in mode E, which leads to HDLC (its Annex E).

    client  /?address!          300 baud, 7 data bits, even parity
    meter   /XXXZ\\Wident       Z is a baud rate, \\2 says that HDLC is offered
    client  ACK 2 Z 2           take HDLC at that rate
    meter   ACK 2 Z 2           and both have switched: Z baud, 8 data bits, no parity

Practice differs on the meter's repetition: some send it before they switch, some not at all. So the
client switches when it has come, or would have.

Sans-IO: the octets here have no parity bit; the line's settings say how they travel.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias

from dlms.errors import CodecError
from dlms.framing.mode_e_messages import (
    ACK,
    BAUD_RATES,
    CHOICE_LENGTH,
    END,
    HDLC,
    INITIAL,
    MAX_LINE,
    Identification,
    LineSettings,
    decode_identification,
    encode_acknowledgement,
    encode_request,
    hdlc_settings,
)

__all__ = [
    "INITIAL",
    "MAX_LINE",
    "REACTION_TIME",
    "Failed",
    "Identification",
    "LineSettings",
    "ModeEClient",
    "ModeEMeter",
    "Outcome",
    "Stage",
    "Switched",
    "decode_identification",
    "encode_acknowledgement",
    "encode_request",
]

REACTION_TIME = 1.5
"""Seconds in which the other side begins to answer (IEC 62056-21, 6.4.3.2)."""


class Switched(NamedTuple):
    """Both ends go on with HDLC under these settings, after what is still to be sent."""

    settings: LineSettings


class Failed(NamedTuple):
    """There is no HDLC to be had; ``why`` is for people."""

    why: str


Outcome: TypeAlias = Switched | Failed


class _Lines:
    """Octets to lines that end with CR LF, from a start character on; nothing else is kept."""

    def __init__(self, starts: bytes) -> None:
        self._starts = starts
        self._buffer = bytearray()

    def take(self, octet: int) -> bytes | None:
        octet &= 0x7F  # the parity bit, where nobody has taken it off
        if not self._buffer:
            if octet in self._starts:
                self._buffer.append(octet)
            return None
        self._buffer.append(octet)
        if self._buffer.endswith(END):
            line = bytes(self._buffer[:-2])
            self._buffer.clear()
            return line
        if len(self._buffer) > MAX_LINE:
            self._buffer.clear()
        return None


class Stage(Enum):
    """Where an opening is."""

    SIGN_ON = "request awaited"
    IDENTIFIED = "identification passed, choice awaited"
    CHOSEN = "choice passed, its repetition awaited"
    DONE = "over"


class ModeEClient:
    """The client's end. A meter that offers more than ``baud`` bits per second stays at 300."""

    def __init__(self, address: str = "", baud: int = 115200) -> None:
        self.stage = Stage.SIGN_ON
        self.identification: Identification | None = None
        self._request = encode_request(address)
        self._baud = baud
        self._lines = _Lines(bytes((ord("/"), ACK)))
        self._out = bytearray()
        self._deadline: float | None = None

    def open(self, now: float) -> None:
        """Send the sign-on."""
        self._out += self._request
        self.stage = Stage.IDENTIFIED
        self._deadline = now + REACTION_TIME + INITIAL.seconds(len(self._request) + MAX_LINE)

    def octets_to_send(self) -> bytes:
        octets = bytes(self._out)
        self._out.clear()
        return octets

    def deadline(self) -> float | None:
        return self._deadline

    def timeout(self, now: float) -> Outcome | None:
        if self._deadline is None or now < self._deadline:
            return None
        if self.stage is Stage.CHOSEN:
            # Not every meter repeats the choice; it has switched all the same.
            return self._switch()
        return self._fail("meter does not identify itself")

    def receive(self, octets: bytes, now: float) -> Outcome | None:
        """Take octets from the line.

        What comes behind the outcome in the same octets is lost: the line was not set for it.
        """
        for octet in octets:
            line = self._lines.take(octet)
            if line is None or self.stage is Stage.DONE:
                continue
            outcome = self._take(line, now)
            if outcome is not None:
                return outcome
        return None

    def _take(self, line: bytes, now: float) -> Outcome | None:
        if self.stage is Stage.IDENTIFIED and line[0] != ACK:
            if line == self._request[:-2]:
                return None  # an optical head hears itself
            try:
                found = decode_identification(line)
            except CodecError as error:
                return self._fail(str(error))
            self.identification = found
            if not found.hdlc or found.baud is None:
                return self._fail(f"{found.manufacturer} does not offer HDLC (mode E)")
            choice = encode_acknowledgement(self._character(found.baud))
            self._out += choice
            self.stage = Stage.CHOSEN
            self._deadline = now + REACTION_TIME + INITIAL.seconds(2 * len(choice))
        elif self.stage is Stage.CHOSEN and line[0] == ACK:
            assert self.identification is not None
            assert self.identification.baud is not None
            expected = encode_acknowledgement(self._character(self.identification.baud))[:-2]
            return self._switch() if line == expected else self._fail("meter takes another choice")
        return None

    def _character(self, offered: int) -> str:
        """Of what was offered, or of the initial rate: no other can be asked for."""
        wanted = offered if offered <= self._baud else INITIAL.baud
        return next(name for name, rate in BAUD_RATES.items() if rate == wanted)

    def _switch(self) -> Outcome:
        assert self.identification is not None
        assert self.identification.baud is not None
        self.stage, self._deadline = Stage.DONE, None
        rate = BAUD_RATES[self._character(self.identification.baud)]
        return Switched(hdlc_settings(rate))

    def _fail(self, why: str) -> Outcome:
        self.stage, self._deadline = Stage.DONE, None
        return Failed(why)


class ModeEMeter:
    """The meter's end. ``address`` is its own; a sign-on without one is for every meter.

    Leading zeros of an address do not count. One whose identification does not offer HDLC says so
    and takes no choice.
    """

    def __init__(self, identification: Identification, address: str = "") -> None:
        if identification.baud is None:
            raise CodecError("no baud rate of mode E", field="identification")
        self.stage = Stage.SIGN_ON
        self._identification = identification.check()
        self._address = address
        self._lines = _Lines(bytes((ord("/"), ACK)))
        self._out = bytearray()
        self._deadline: float | None = None

    def octets_to_send(self) -> bytes:
        octets = bytes(self._out)
        self._out.clear()
        return octets

    def deadline(self) -> float | None:
        return self._deadline

    def timeout(self, now: float) -> None:
        """No choice came: wait for a sign-on again."""
        if self._deadline is not None and now >= self._deadline:
            self.stage, self._deadline = Stage.SIGN_ON, None

    def receive(self, octets: bytes, now: float) -> Switched | None:
        """Take octets from the line; anything that is no opening gets silence."""
        for octet in octets:
            line = self._lines.take(octet)
            if line is not None and self.stage is not Stage.DONE:
                switched = self._take(line, now)
                if switched is not None:
                    return switched
        return None

    def _take(self, line: bytes, now: float) -> Switched | None:
        if line.startswith(b"/?") and line.endswith(b"!"):
            asked = line[2:-1].decode("ascii").lstrip("0")
            if asked and asked != self._address.lstrip("0"):
                return None
            message = self._identification.encode()
            self._out += message
            self.stage = Stage.IDENTIFIED
            self._deadline = now + REACTION_TIME + INITIAL.seconds(len(message) + CHOICE_LENGTH)
        elif self.stage is Stage.IDENTIFIED and line[0] == ACK:
            self.stage, self._deadline = Stage.SIGN_ON, None
            choice = line[1:].decode("ascii")
            rate = BAUD_RATES.get(choice[1:2])
            offered = self._identification.baud
            assert offered is not None
            if len(choice) != 3 or choice[0] + choice[2] != HDLC * 2 or rate is None:
                return None  # data readout and programming mode are not offered
            if rate > offered or not self._identification.hdlc:
                return None
            self._out += line + END
            self.stage = Stage.DONE
            return Switched(hdlc_settings(rate))
        return None
