"""What a meter answers to requests that are served: another invoke id, type or length than is
right, and results that are easily overlooked.
"""

from __future__ import annotations

from typing import ClassVar

from devices.answering.asking import Answerable
from dlms.axdr.data import double_long_unsigned, octet_string
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.get import GetResponse
from dlms.xdlms.initiate import InitiateRequest
from dlms.xdlms.registry import AnyResponse
from emulator.conformance.hostile.vice import Vice
from emulator.conformance.hostile.vices.asked import CLOCK, DATA, IMAGE, IMAGE_VERIFY, reads

MORE = 1200
"""Octets by which a response is too long."""


class InvokeId(Vice):
    """Responses have another invoke id than their requests."""

    kind: ClassVar[str] = "invoke-id"

    def response(self, plain: bytes, request: bytes) -> bytes:
        if plain[:1] not in (b"\xc4", b"\xc5", b"\xc7"):
            return plain
        self.stage.acts("another invoke id")
        other = plain[2] & 0xF0 | (plain[2] + 1 + self.stage.rng.randrange(14)) & 0x0F
        return plain[:2] + bytes((other,)) + plain[3:]


class WrongType(Vice):
    """The time is a number."""

    kind: ClassVar[str] = "wrong-type"

    def answer(self, request: Answerable) -> AnyResponse | None:
        if not reads(request, CLOCK):
            return None
        self.stage.acts("a double-long-unsigned in the place of an octet-string")
        return GetResponse(request.invoke, double_long_unsigned(0x20190326))


class TooLong(Vice):
    """Values are longer than what the head end takes in one APDU, and come in one all the same."""

    kind: ClassVar[str] = "too-long"
    _most = 0

    def initiate_request(self, initiate: InitiateRequest) -> InitiateRequest:
        self._most = initiate.client_max_receive_pdu_size
        services = initiate.conformance & ~Conformance.GENERAL_BLOCK_TRANSFER
        return initiate._replace(client_max_receive_pdu_size=0, conformance=services)

    def answer(self, request: Answerable) -> AnyResponse | None:
        if not reads(request, DATA):
            return None
        if not self._most or self._most > 0xFFFF - MORE:
            self.stage.cannot("it takes APDUs of any length that the wrapper can carry")
            return None
        self.stage.acts(f"a response longer than {self._most} octets")
        return GetResponse(request.invoke, octet_string(bytes(self._most + MORE)))


class BusyVerify(Vice):
    """image_verify answers temporary-failure, ``times`` times, before it verifies."""

    kind: ClassVar[str] = "busy-verify"
    _left: int | None = None

    def answer(self, request: Answerable) -> AnyResponse | None:
        if not isinstance(request, ActionRequest) or request.method.class_id != IMAGE:
            return None
        if request.method.method != IMAGE_VERIFY:
            return None
        if self._left is None:
            self._left = int(self.parameters["times"])
        if not self._left:
            return None
        self._left -= 1
        self.stage.acts("image_verify: temporary-failure")
        return ActionResponse(request.invoke, ActionResult.TEMPORARY_FAILURE)


class Numbered(Vice):
    """Each time that a value is read it is another: ``answer N``."""

    kind: ClassVar[str] = "numbered"
    _count = 0

    def answer(self, request: Answerable) -> AnyResponse | None:
        if not reads(request, DATA):
            return None
        self._count += 1
        return GetResponse(request.invoke, octet_string(numbered(self._count)))


def numbered(number: int) -> bytes:
    return f"answer {number}".encode()
