"""What a meter does to values that come in blocks of GET."""

from __future__ import annotations

from typing import ClassVar

from devices.answering.asking import Answerable
from dlms.axdr.data import octet_string
from dlms.xdlms import registry
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.get import GetRequest, GetRequestNext, GetResponse, GetResponseBlock
from dlms.xdlms.initiate import InitiateRequest
from dlms.xdlms.registry import AnyResponse
from emulator.conformance.hostile.vice import Vice
from emulator.conformance.hostile.vices.asked import DATA, reads

LONG = 1200
"""Octets of a value that is read in blocks."""
SMALL = 256
"""Octets of an APDU that the meter then makes at the most: any client takes less than it can."""


class Blocks(Vice):
    """A value comes in blocks of GET, which are right."""

    kind: ClassVar[str] = "blocks"

    def initiate_request(self, initiate: InitiateRequest) -> InitiateRequest:
        most = initiate.client_max_receive_pdu_size or 0xFFFF
        services = initiate.conformance & ~Conformance.GENERAL_BLOCK_TRANSFER
        if not services & Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ:
            self.stage.cannot("it does not propose block transfer with GET")
        return initiate._replace(
            client_max_receive_pdu_size=min(most, self.most), conformance=services
        )

    @property
    def most(self) -> int:
        return SMALL

    def answer(self, request: Answerable) -> AnyResponse | None:
        if not reads(request, DATA):
            return None
        return GetResponse(request.invoke, octet_string(long_value()))


def long_value() -> bytes:
    """A value that is too long for one APDU, and in which every octet has its place."""
    return b"".join(number.to_bytes(2, "big") for number in range(LONG // 2))


class BlockNumber(Blocks):
    """The second block has the number of the third, and so on: one is missing, by the numbers."""

    kind: ClassVar[str] = "block-number"

    def response(self, plain: bytes, request: bytes) -> bytes:
        if plain[:2] != b"\xc4\x02":
            return plain
        block = registry.decode(plain)
        if not isinstance(block, GetResponseBlock) or block.number < 2:
            return plain
        self.stage.acts(f"block {block.number} has number {block.number + 1}")
        return block._replace(number=block.number + 1).encode()

    def understood(self, plain: bytes) -> bytes:
        """It goes on for whoever asks behind the number that it said."""
        if plain[:2] != b"\xc0\x02":
            return plain
        asked = registry.decode(plain)
        if not isinstance(asked, GetRequestNext) or asked.number <= 2:
            return plain
        return asked._replace(number=asked.number - 1).encode()


class Endless(Blocks):
    """Blocks follow each other for ever."""

    kind: ClassVar[str] = "endless"
    _on = False

    @property
    def most(self) -> int:
        return 0xFFFF

    def answer(self, request: Answerable) -> AnyResponse | None:
        if not reads(request, DATA):
            return None
        self._on = True
        return GetResponse(request.invoke, octet_string(b"begins"))

    def response(self, plain: bytes, request: bytes) -> bytes:
        if not self._on or request[:1] != b"\xc0":
            return plain
        asked = registry.decode(request)
        number = asked.number + 1 if isinstance(asked, GetRequestNext) else 1
        if not isinstance(asked, GetRequest | GetRequestNext):
            return plain
        if number == 2:
            self.stage.acts("no block is the last one")
        room = (self.stage.client_max_pdu or 0xFFFF) - 64
        raw = bytes(min(room, 0xFFFF - 64))
        if number == 1:
            # An octet-string of 2 GiB begins.
            raw = b"\x09\x84\x7f\xff\xff\xff" + raw[6:]
        return GetResponseBlock(asked.invoke, False, number, raw).encode()
