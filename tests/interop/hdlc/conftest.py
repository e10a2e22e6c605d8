"""Our end of an HDLC line without a line, for peers to speak to."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.framing.hdlc.config import StationConfig
from dlms.framing.hdlc.events import ApduArrived, Event
from dlms.framing.hdlc.parameters import Parameters
from dlms.framing.hdlc.station import Station


class Meter:
    """Answers APDUs in their order with those of ``answers``; keeps what was asked."""

    def __init__(self, *answers: bytes, limits: Parameters, **config: Any) -> None:
        self.station = Station(
            StationConfig(logical_devices={1}.__contains__, lower=17, limits=limits, **config)
        )
        self.answers = list(answers)
        self.asked: list[bytes] = []
        self.events: list[Event] = []
        self.exchanges = 0

    def reply(self, octets: bytes) -> bytes:
        self.exchanges += 1
        events = self.station.receive(octets, 0.0)
        self.events += events
        for event in events:
            if isinstance(event, ApduArrived):
                self.asked.append(event.apdu)
                self.station.send(event.client, event.server, self.answers.pop(0))
        return self.station.octets_to_send()


@pytest.fixture
def new_meter() -> type[Meter]:
    return Meter
