"""What SNRM and UA agree on (IEC 62056-46, 6.4.4.4.3.2; GB Ed. 8, 8.4.5.3.2)."""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import CodecError
from dlms.framing.hdlc.frame import MAX_INFORMATION
from dlms.octets import Reader

_FORMAT, _GROUP = 0x81, 0x80
_MAX_INFO_TX, _MAX_INFO_RX, _WINDOW_TX, _WINDOW_RX = 0x05, 0x06, 0x07, 0x08
_VALUE_OCTETS = (1, 2, 4)

MIN_INFORMATION = 8
"""Shorter information fields carry hardly more than their LLC header. The class IEC HDLC setup has
32 as its least; some meters offer less."""

MAX_WINDOW = 7


class Parameters(NamedTuple):
    """Limits as whoever sends them sees them: octets of the information field, frames in a row.

    The defaults are what an absent parameter means.
    """

    max_info_tx: int = 128
    max_info_rx: int = 128
    window_tx: int = 1
    window_rx: int = 1

    def check(self) -> Parameters:
        """``self``; :class:`CodecError` if they are no limits that one can have."""
        for octets in self[:2]:
            if not MIN_INFORMATION <= octets <= MAX_INFORMATION:
                raise CodecError(f"{octets} octets of information", field="HDLC parameters")
        for frames in self[2:]:
            if not 1 <= frames <= MAX_WINDOW:
                raise CodecError(f"window of {frames} frames", field="HDLC parameters")
        return self

    def encode(self, *, explicit: bool = False) -> bytes:
        """The information field of SNRM or UA.

        Empty if all is as by default, unless ``explicit``.
        """
        if self == DEFAULTS and not explicit:
            return b""
        body = b"".join(
            (
                _encode(_MAX_INFO_TX, self.max_info_tx, _octets(self.max_info_tx)),
                _encode(_MAX_INFO_RX, self.max_info_rx, _octets(self.max_info_rx)),
                _encode(_WINDOW_TX, self.window_tx, 4),
                _encode(_WINDOW_RX, self.window_rx, 4),
            )
        )
        return bytes((_FORMAT, _GROUP, len(body))) + body

    def agreed(self, proposed: Parameters) -> Parameters:
        """What a server with these limits answers to a client that proposes ``proposed``.

        One party sends what the other receives; neither limit is ever exceeded.
        """
        return Parameters(
            min(self.max_info_tx, proposed.max_info_rx),
            min(self.max_info_rx, proposed.max_info_tx),
            min(self.window_tx, proposed.window_rx),
            min(self.window_rx, proposed.window_tx),
        )

    def turned(self) -> Parameters:
        """The same as the other party sees it."""
        return Parameters(self.max_info_rx, self.max_info_tx, self.window_rx, self.window_tx)

    def settled(self, answered: Parameters) -> Parameters:
        """What a client that proposed these has when the server has answered ``answered``.

        :class:`CodecError` if the server wants to send more than was proposed. What it takes beyond
        that, it need not get.
        """
        mine = answered.turned()
        if mine.max_info_rx > self.max_info_rx or mine.window_rx > self.window_rx:
            raise CodecError("server wants to send more than was proposed", field="UA")
        return Parameters(*map(min, mine, self))


DEFAULTS = Parameters()


def _octets(value: int) -> int:
    """How many a value takes: what a peer has offered may take four."""
    return next((octets for octets in _VALUE_OCTETS if not value >> 8 * octets), 4)


def _encode(identifier: int, value: int, octets: int) -> bytes:
    return bytes((identifier, octets)) + value.to_bytes(octets, "big")


def decode_parameters(information: bytes) -> Parameters:
    """Decode the information field of SNRM or UA; unknown parameters are passed over.

    More may be offered than this standard has use for, since nobody need take it.
    :class:`CodecError` if it is no such field, or less is offered than one can work with.
    """
    if not information:
        return DEFAULTS
    reader = Reader(information)
    if (reader.u8("format identifier"), reader.u8("group identifier")) != (_FORMAT, _GROUP):
        raise CodecError("8180 expected", offset=0, field="HDLC parameters")
    length = reader.u8("group length")
    if length != reader.remaining:
        raise CodecError(
            f"{length} octets announced, {reader.remaining} there", offset=2, field="group length"
        )
    found: dict[int, int] = {}
    while reader.remaining:
        start = reader.position
        identifier = reader.u8("parameter identifier")
        octets = reader.take(reader.u8("parameter length"), "parameter value")
        if identifier not in (_MAX_INFO_TX, _MAX_INFO_RX, _WINDOW_TX, _WINDOW_RX):
            continue
        if len(octets) not in _VALUE_OCTETS or identifier in found:
            raise CodecError("cannot be read", offset=start, field="HDLC parameters")
        found[identifier] = int.from_bytes(octets, "big")
    parameters = Parameters(
        found.get(_MAX_INFO_TX, DEFAULTS.max_info_tx),
        found.get(_MAX_INFO_RX, DEFAULTS.max_info_rx),
        found.get(_WINDOW_TX, DEFAULTS.window_tx),
        found.get(_WINDOW_RX, DEFAULTS.window_rx),
    )
    if min(parameters[:2]) < MIN_INFORMATION or min(parameters[2:]) < 1:
        raise CodecError(f"{parameters} cannot be worked with", field="HDLC parameters")
    return parameters
