"""A connection of tlslite with flaws: it passes over what it should refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tlslite.constants import AlertDescription, ContentType
from tlslite.errors import TLSBadRecordMAC
from tlslite.messages import Alert, Certificate, Finished
from tlslite.recordlayer import RecordLayer

from emulator.bent_tls.bend import Bend
from emulator.bent_tls.connection import BentConnection
from emulator.bent_tls.wire import Wire

_FAR_TOO_MUCH = 1 << 15

Examine = Callable[[tuple[bytes, ...]], str]
"""What is wrong with the certificates of the peer; nothing if they will do."""


class Anything(bytearray):
    """Octets that are as they should be, whatever they are."""

    __hash__ = None  # as a bytearray has none

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


class CarelessConnection(BentConnection):
    """``flaws`` by their names (:mod:`emulator.faults.kinds.tls_stack`)."""

    def __init__(self, wire: Wire, bend: Bend, flaws: frozenset[str], examine: Examine) -> None:
        super().__init__(wire, bend)
        self.flaws = flaws
        self._examine = examine
        layer = self._recordLayer
        layer.__class__ = _CarelessRecords
        layer.flaws = flaws
        layer.is_ready, layer.is_stuck = False, False

    def _handshakeDone(self, resumed: bool) -> None:
        super()._handshakeDone(resumed)
        self._recordLayer.is_ready = True
        if "long-records" in self.flaws:
            self._recordLayer.recv_record_limit = _FAR_TOO_MUCH

    def _getMsg(
        self, expectedType: Any, secondaryType: Any = None, constructorType: Any = None
    ) -> Iterator[Any]:
        for result in super()._getMsg(expectedType, secondaryType, constructorType):
            if isinstance(result, Certificate):
                shown = self.certificates
                wrong = self._examine(shown)
                if wrong:
                    description = AlertDescription.bad_certificate
                    if not shown:
                        description = AlertDescription.handshake_failure
                    yield from self._sendError(description, wrong)
                if "any-proof" in self.flaws and result.cert_chain:
                    key = result.cert_chain.getEndEntityPublicKey()
                    key.verify = lambda *_, **__: True
            if isinstance(result, Finished) and "any-finished" in self.flaws:
                result.verify_data = Anything(result.verify_data)
            yield result

    def _sendMsg(
        self, msg: Any, randomizeFirstBlock: bool = True, update_hashes: bool = True
    ) -> Iterator[int]:
        if isinstance(msg, Alert) and self.flaws & {"no-alerts", "hangs"}:
            return
        yield from super()._sendMsg(msg, randomizeFirstBlock, update_hashes)


class _CarelessRecords(RecordLayer):  # type: ignore[misc]  # tlslite has no types
    flaws: frozenset[str]
    is_ready: bool
    is_stuck: bool

    def recvRecord(self) -> Iterator[Any]:
        while True:
            try:
                for result in super().recvRecord():
                    if isinstance(result, int):
                        yield result
                    else:
                        break
            except TLSBadRecordMAC:
                if "any-mac" not in self.flaws:
                    raise
                continue
            if not self._is_passed_over(result):
                yield result
                return

    def _is_passed_over(self, record: Any) -> bool:
        header, parser = record
        if header.type == ContentType.handshake and not parser.getRemainingLength():
            self.is_stuck = "empty-records" in self.flaws
        if self.is_stuck:
            return True
        if header.type == ContentType.change_cipher_spec:
            early = not self._pendingReadState.encContext
            return early and "early-change-cipher-spec" in self.flaws
        if header.type == ContentType.application_data:
            return not self.is_ready and "early-data" in self.flaws
        return False
