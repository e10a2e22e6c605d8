"""What becomes a message, on which topic: the sandbox says what happens, here it is put into words.

It knows no broker: messages go into what is outgoing.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping

from devices.device import Device
from devices.history import Alert
from emulator.control import ActionRow
from emulator.events import MeterEvent
from emulator.ledger import Entry
from emulator.mqtt import payloads
from emulator.mqtt.outgoing import Message, Outgoing, Rank
from emulator.mqtt.payloads import Payload
from emulator.mqtt.topics import CHANNELS, REPLY_EXPIRY, REPLY_SCHEMA, Tree

ASSOCIATIONS = frozenset({"associated", "association-refused", "released", "handshake-failed"})
"""Kinds of events that are about associations."""

NOT_PUBLISHED = frozenset({"<-", "->", "request", "response"})
"""What a trace shows: APDUs, which are for whoever sits there; a broker keeps what it is told."""

_POWER = {"power-lost": False, "power-restored": True}


def encode(payload: Payload) -> bytes:
    """JSON in UTF-8, on one line."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


class Publisher:
    """``now`` is the sandbox's time, aware."""

    def __init__(self, tree: Tree, outgoing: Outgoing, now: Callable[[], dt.datetime]) -> None:
        self.tree = tree
        self._outgoing = outgoing
        self._now = now
        self._alerts: dict[str, int] = {}

    def status(self, state: str, reason: str, meters: Iterable[str]) -> None:
        dropped = {rank.name.lower(): n for rank, n in self._outgoing.dropped.items() if n}
        self._put("status", payloads.status(state, reason, meters, dropped))

    def last_will(self, meters: Iterable[str]) -> Message:
        """What the broker is to say if the sandbox is lost."""
        return self._message("status", payloads.status("offline", "lost", meters))

    def actions(self, rows: Iterable[ActionRow]) -> None:
        self._put("actions", payloads.actions(rows))

    def meter_status(self, meter: str, has_power: bool) -> None:
        self._put("meter-status", payloads.meter_status(meter, has_power, self._now()), meter)

    def telemetry(self, device: Device, now: dt.datetime) -> None:
        self._put("telemetry", payloads.telemetry(device, now), device.profile.name)

    def event(self, event: MeterEvent) -> None:
        """What happened at a meter; a trace is not published."""
        if event.kind in NOT_PUBLISHED:
            return
        name = "associations" if event.kind in ASSOCIATIONS else "events"
        self._put(name, payloads.event(event, self._now()), event.meter)
        if event.kind in _POWER:
            self.meter_status(event.meter, _POWER[event.kind])

    def alerts(self, meter: str, alerts: Mapping[int, Alert]) -> None:
        """The alerts that wait in a meter; those that were published before are left out."""
        last = self._alerts.get(meter, -1)
        for number in sorted(number for number in alerts if number > last):
            self._put("alerts", payloads.alert(meter, number, alerts[number]), meter)
            self._alerts[meter] = number

    def crypto(self, entry: Entry) -> None:
        self._put("crypto", payloads.crypto(entry))

    def reply(self, topic: str, correlation: bytes | None, payload: Payload) -> None:
        """To where a request says."""
        self._outgoing.put(
            Message(
                topic,
                encode(payload),
                REPLY_SCHEMA,
                Rank.REPLY,
                expiry=REPLY_EXPIRY,
                correlation=correlation,
            )
        )

    def refusal(self, topic: str, code: str, text: str) -> None:
        """Of a request that does not say where the reply is to go."""
        self._put("refusals", payloads.refusal(topic, code, text, self._now()))

    def _put(self, name: str, payload: Payload, meter: str = "") -> None:
        self._outgoing.put(self._message(name, payload, meter))

    def _message(self, name: str, payload: Payload, meter: str = "") -> Message:
        channel = CHANNELS[name]
        return Message(
            self.tree.topic(name, meter=meter),
            encode(payload),
            channel.schema,
            channel.rank,
            channel.retained,
            channel.expiry,
        )
