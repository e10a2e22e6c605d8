"""The topic tree: one table, from which the code takes its addresses and the AsyncAPI file its
channels.

``{sandbox}`` is the sandbox's name and ``{meter}`` a meter's; all lie under the base topic.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from emulator.mqtt.outgoing import Rank

_HOUR = 3600
_DAY = 24 * _HOUR


class Channel(NamedTuple):
    """``schema`` names the JSON schema of the payload and its version. ``expiry`` is in seconds, 0
    for what does not expire. Of what is ``retained`` there is one message, the newest. What is
    ``asked`` comes to the sandbox; all else comes from it.
    """

    name: str
    address: str
    schema: str
    rank: Rank
    expiry: int
    summary: str
    retained: bool = False
    asked: bool = False


_ROWS = (
    Channel(
        "status",
        "{sandbox}/status",
        "status/1",
        Rank.EVENT,
        0,
        "Whether the sandbox is there, which meters it has, and what had to be given up while the"
        " broker was away. The last will says offline.",
        retained=True,
    ),
    Channel(
        "actions",
        "{sandbox}/actions",
        "actions/1",
        Rank.EVENT,
        0,
        "What can be asked for on the control topics, with the arguments.",
        retained=True,
    ),
    Channel(
        "meter-status",
        "{sandbox}/meters/{meter}/status",
        "meter-status/1",
        Rank.EVENT,
        0,
        "Whether the meter has power. Of an offline sandbox it says what was last.",
        retained=True,
    ),
    Channel(
        "telemetry",
        "{sandbox}/meters/{meter}/telemetry",
        "telemetry/1",
        Rank.TELEMETRY,
        _HOUR,
        "Registers, power, voltage, balance and supply of a meter, once a period of its time.",
    ),
    Channel(
        "events",
        "{sandbox}/meters/{meter}/events",
        "event/1",
        Rank.EVENT,
        _DAY,
        "What happened at a meter and is not an association: happenings, refused peers, errors.",
    ),
    Channel(
        "alerts",
        "{sandbox}/meters/{meter}/alerts",
        "alert/1",
        Rank.ALERT,
        _DAY,
        "Alerts, by their code; the head end is told them besides.",
    ),
    Channel(
        "associations",
        "{sandbox}/meters/{meter}/associations",
        "event/1",
        Rank.ASSOCIATION,
        _DAY,
        "Associations opened, refused and released, and TLS handshakes that failed.",
    ),
    Channel(
        "crypto",
        "{sandbox}/crypto",
        "crypto/1",
        Rank.CRYPTO,
        _DAY,
        "Cryptographic operations of the DCC side, each with the class of Cryptographic Module"
        " it needs. Keys are named and never shown.",
    ),
    Channel(
        "refusals",
        "{sandbox}/refusals",
        "refusal/1",
        Rank.REPLY,
        _HOUR,
        "Control messages that were refused and have no response topic to say so.",
    ),
    Channel(
        "control",
        "{sandbox}/control/{action}",
        "request/1",
        Rank.REPLY,
        0,
        "Asks for an action. The reply goes to the response topic with the correlation data.",
        asked=True,
    ),
)

CHANNELS = {channel.name: channel for channel in _ROWS}

REPLY_SCHEMA = "reply/1"
REPLY_EXPIRY = 300
"""Seconds. Replies go where the request says, and so have no channel of their own."""


class Tree(NamedTuple):
    """The topics of one sandbox."""

    base: str
    sandbox: str

    def topic(self, name: str, *, meter: str = "", action: str = "") -> str:
        """The topic of a channel. A topic filter, if ``+`` is given for a part."""
        address = CHANNELS[name].address
        return f"{self.base}/" + address.format(sandbox=self.sandbox, meter=meter, action=action)

    def holds(self, topic: str) -> bool:
        """Whether a topic is the sandbox's own."""
        root = f"{self.base}/{self.sandbox}"
        return topic == root or topic.startswith(root + "/")

    def action(self, topic: str) -> str | None:
        """Which action a control topic asks for; ``None`` if it is none."""
        before = self.topic("control")
        return topic.removeprefix(before) if topic.startswith(before) else None


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON schema (draft 7) of a payload, by the name that a message's user property says."""
    kind, _, version = name.partition("/")
    file = resources.files("emulator.mqtt") / "schemas" / f"{kind}.{version}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def schema_names() -> tuple[str, ...]:
    """All schemas, in the order of the table."""
    return tuple(dict.fromkeys([*(channel.schema for channel in _ROWS), REPLY_SCHEMA]))
