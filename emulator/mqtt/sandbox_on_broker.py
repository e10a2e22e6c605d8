"""A sandbox on a broker: what its meters do is published, and what is asked of it is done."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NoReturn

from emulator.events import FanOut, MeterEvent
from emulator.journal import StoreError
from emulator.ledger import Entry
from emulator.mqtt.link import Backoff, Link
from emulator.mqtt.options import MqttOptions
from emulator.mqtt.outgoing import Outgoing
from emulator.mqtt.presence import beside, present
from emulator.mqtt.publisher import Publisher
from emulator.mqtt.requests import Requests
from emulator.mqtt.topics import Tree
from emulator.sandbox import RunningMeter, Sandbox

HAPPENING = "happening"
"""Kind of the events that tell what goes into a meter's logs; an alert may be among them."""

SHORTEST_PERIOD = 0.1
"""Real seconds between two rounds of telemetry, however fast virtual time goes."""


@asynccontextmanager
async def on_broker(
    options: MqttOptions,
    sandbox: Sandbox,
    events: FanOut[MeterEvent],
    entries: FanOut[Entry],
    *,
    note: Callable[[str], None],
    outgoing: Outgoing | None = None,
    backoff: Backoff = Backoff(),  # noqa: B008 - immutable
) -> AsyncIterator[Publisher]:
    """``sandbox`` is entered already, and tells its events to ``events``; ``entries`` are those of
    the ledger of whatever the DCC side does at its request.
    :class:`~emulator.mqtt.broker_errors.BrokerError` if there is no connection.
    """
    outgoing = Outgoing() if outgoing is None else outgoing
    tree = Tree(options.base, options.name)
    publisher = Publisher(tree, outgoing, sandbox.clock.now)
    requests = Requests(sandbox.control, publisher)
    meters = list(sandbox.meters)

    def watch(event: MeterEvent) -> None:
        publisher.event(event)
        if event.kind == HAPPENING and event.meter in sandbox.meters:
            publisher.alerts(event.meter, sandbox.meters[event.meter].device.state.alerts)

    def greet(first: bool) -> None:
        publisher.status("online", "started" if first else "back", meters)

    link = Link(
        options,
        outgoing,
        client=client_name(options),
        will=publisher.last_will(meters),
        subscribe=tree.topic("control", action="+"),
        hear=requests.hear,
        greet=greet,
        note=note,
        backoff=backoff,
    )
    publisher.actions(sandbox.control.actions())
    for name, running in sandbox.meters.items():
        publisher.meter_status(name, running.mains.are_on)
        publisher.alerts(name, running.device.state.alerts)
    events.add(watch)
    entries.add(publisher.crypto)
    try:
        async with (
            present(
                link,
                outgoing,
                note=note,
                leave=lambda: publisher.status("offline", "stopped", meters),
            ),
            beside(requests.run(), note),
            beside(_tell_readings(sandbox, publisher, options.period), note),
        ):
            yield publisher
    finally:
        events.remove(watch)
        entries.remove(publisher.crypto)


def client_name(options: MqttOptions) -> str:
    """What the broker knows the sandbox by: two of one name notice each other."""
    return f"{options.base}-{options.name}".replace("/", "-")


async def _tell_readings(sandbox: Sandbox, publisher: Publisher, period: float) -> NoReturn:
    """Telemetry of each meter that has power, once a ``period`` (seconds) of virtual time. Where
    time makes a step, there is one message for all of it.
    """
    clock, step = sandbox.clock, dt.timedelta(seconds=period)
    due = clock.now()
    while True:
        for meter in tuple(sandbox.meters.values()):
            if meter.mains.are_on:
                _tell_reading(meter, publisher)
            await asyncio.sleep(0)  # the first readings of a meter take long: others have a turn
        due = due + step if due + step > clock.now() else clock.now() + step
        await asyncio.gather(clock.wait_until(due), asyncio.sleep(SHORTEST_PERIOD))


def _tell_reading(meter: RunningMeter, publisher: Publisher) -> None:
    host = meter.mains.host
    try:
        now = host.awake()
        host.settle()
    except StoreError:
        return  # what it cannot keep it does not say; whoever asks it is not answered, either
    publisher.telemetry(host.device, now)
