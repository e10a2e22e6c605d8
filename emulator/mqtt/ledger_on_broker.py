"""The DCC side on a broker: each entry of the ledger of one command is published."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from emulator.ledger import Entry
from emulator.mqtt.link import Link
from emulator.mqtt.options import MqttOptions
from emulator.mqtt.outgoing import Outgoing
from emulator.mqtt.presence import present
from emulator.mqtt.publisher import Publisher
from emulator.mqtt.topics import Tree


@asynccontextmanager
async def ledger_on_broker(
    options: MqttOptions, *, note: Callable[[str], None]
) -> AsyncIterator[Callable[[Entry], None]]:
    """Gives what is to be told each entry. The broker is left when all are acknowledged.
    :class:`~emulator.mqtt.broker_errors.BrokerError` if there is no connection: before anything has
    been done.
    """
    outgoing = Outgoing()
    tree = Tree(options.base, options.name)
    publisher = Publisher(tree, outgoing, lambda: dt.datetime.now(dt.UTC))
    # Several commands may run at once, and none comes back: each has a name and no session.
    client = f"{options.base}-{options.name}-{secrets.token_hex(4)}".replace("/", "-")
    link = Link(options, outgoing, client=client, keep=False, note=note)
    async with present(link, outgoing, note=note):
        yield publisher.crypto
