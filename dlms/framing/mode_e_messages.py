"""The messages of the mode E opening (IEC 62056-21, 6.3), and how they travel."""

from __future__ import annotations

import string
from typing import NamedTuple

from dlms.errors import CodecError

ACK = 0x06
BAUD_RATES = {
    "0": 300,
    "1": 600,
    "2": 1200,
    "3": 2400,
    "4": 4800,
    "5": 9600,
    "6": 19200,
    "7": 38400,
    "8": 57600,
    "9": 115200,
}
"""Baud rate identification of modes C and E (IEC 62056-21, 6.3.14, item 13).

That standard reserves 7 to 9; they are numbered as in the class IEC local port setup (19).
"""

BAUD_RATES_B = {"A": 600, "B": 1200, "C": 2400, "D": 4800, "E": 9600, "F": 19200}
"""The same of mode B, where the meter switches without being told to."""

MAX_ADDRESS = 32
MAX_IDENTIFICATION = 16
MAX_LINE = 5 + 2 * 8 + MAX_IDENTIFICATION + 2
"""An identification with some escape sequences; whatever is longer is no opening."""

HDLC = "2"
"""As a character of identification, of protocol control and of mode control."""

END = b"\r\n"
CHOICE_LENGTH = 6
_ADDRESS = frozenset(string.ascii_letters + string.digits + " ")
_IDENTIFICATION = frozenset(map(chr, range(0x20, 0x7F))) - frozenset("/!")
_BITS = 10
"""Of a character on the line: start, eight of data or seven and parity, stop."""


class LineSettings(NamedTuple):
    """How octets travel. Two stop bits never occur."""

    baud: int
    data_bits: int
    even_parity: bool

    def seconds(self, octets: int) -> float:
        """How long so many octets are on the way."""
        return octets * _BITS / self.baud


INITIAL = LineSettings(300, 7, True)


def hdlc_settings(baud: int) -> LineSettings:
    """8 data bits without parity, for HDLC is transparent."""
    return LineSettings(baud, 8, False)


class Identification(NamedTuple):
    """What a meter says it is. ``manufacturer`` is its FLAG ID; ``hdlc`` is mode E offered."""

    manufacturer: str
    baud_character: str
    identification: str
    hdlc: bool

    @property
    def baud(self) -> int | None:
        """The rate it offers; ``None`` if it is not one of modes C and E."""
        return BAUD_RATES.get(self.baud_character)

    @property
    def mode(self) -> str:
        """The best protocol mode that it offers: A, B, C or E."""
        if self.baud is not None:
            return "E" if self.hdlc else "C"
        return "B" if self.baud_character in BAUD_RATES_B else "A"

    def check(self) -> Identification:
        """``self``; :class:`CodecError` if it cannot be sent."""
        manufacturer, character, identification, _ = self
        if len(manufacturer) != 3 or not (manufacturer.isascii() and manufacturer.isalpha()):
            raise CodecError(
                f"{manufacturer!r} is not three letters", offset=1, field="manufacturer"
            )
        if len(character) != 1 or character not in _IDENTIFICATION:
            raise CodecError(f"{character!r}", offset=4, field="baud rate identification")
        if len(identification) > MAX_IDENTIFICATION:
            raise CodecError(f"{len(identification)} characters", offset=5, field="identification")
        if not _IDENTIFICATION.issuperset(identification):
            raise CodecError(f"{identification!r}", offset=5, field="identification")
        return self

    def encode(self) -> bytes:
        """:class:`CodecError` if it has lengths or characters that cannot be."""
        self.check()
        escape = f"\\{HDLC}" if self.hdlc else ""
        text = f"/{self.manufacturer}{self.baud_character}{escape}{self.identification}"
        return text.encode("ascii") + END


def encode_request(address: str = "") -> bytes:
    """Sign-on; without an address every meter at the port answers."""
    if len(address) > MAX_ADDRESS or not _ADDRESS.issuperset(address):
        raise CodecError(
            f"address {address!r} is not of up to 32 letters, digits and spaces", field="sign-on"
        )
    return f"/?{address}!".encode("ascii") + END


def decode_identification(line: bytes) -> Identification:
    """Decode the meter's line, without its end. :class:`CodecError` if it is none."""
    try:
        text = line.decode("ascii")
    except UnicodeDecodeError as error:
        raise CodecError("not ASCII", offset=error.start, field="identification") from None
    if len(text) < 5 or text[0] != "/":
        raise CodecError("/XXXZ expected", offset=0, field="identification")
    rest = text[5:]
    hdlc = False
    while len(rest) >= 2 and rest[0] == "\\":
        hdlc = hdlc or rest[1] == HDLC
        rest = rest[2:]
    return Identification(text[1:4], text[4], rest, hdlc).check()


def encode_acknowledgement(baud_character: str, *, hdlc: bool = True) -> bytes:
    """Option select: protocol and mode 2 are HDLC, 0 is data readout."""
    choice = HDLC if hdlc else "0"
    return bytes((ACK,)) + f"{choice}{baud_character}{choice}".encode("ascii") + END
