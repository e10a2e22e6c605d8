"""A meter tells its alerts: one connection to the head end's listener.

What stands between them is a pre-established association: no AARQ opens it, and its keys and titles
are those of the association that the Push setup is of (GB Ed. 8, 4.5.2). An alert leaves the
meter's store when the listener has confirmed it; one that is not to be confirmed, when it has been
written and the connection was closed in order.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from devices.objects.push_plan import PushPlan
from dlms.acse.names import Mechanism
from dlms.association.events import NotificationConfirmed
from dlms.association.server import ServerAssociation
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.security.drive import run
from dlms.security.ops import Step
from emulator.channel import Channel, ChannelClosed
from emulator.events import MeterEvent
from emulator.serving.connection import meter_wrapper
from emulator.serving.host import Host
from emulator.trace import described, shown

CONFIRM_TIMEOUT = 10.0
"""Seconds in which a listener confirms; then the alert is told another time."""


class NotTold(Exception):
    """Alerts are still in the store; the text says why in one line."""


class AlertChannel(Channel):
    """``in_order`` once the connection has ended as it should."""

    def __init__(self) -> None:
        super().__init__(meter_wrapper)
        self.in_order = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.in_order = exc is None
        super().connection_lost(exc)


class AlertSession:
    """Tells the alerts of a meter on ``channel``; ``address`` is for people."""

    def __init__(self, host: Host, plan: PushPlan, channel: AlertChannel, address: str) -> None:
        self._host = host
        self._plan = plan
        self._channel = channel
        self._address = address
        config = plan.association.config
        self._pair = config.client_sap, config.server_sap

    async def tell_all(self) -> None:
        """Tell all that are there, the oldest first, and those that come meanwhile; then close.
        Others than :class:`NotTold` are ``OSError``, ``TimeoutError`` and
        :class:`~dlms.errors.DlmsError`.
        """
        written: list[int] = []
        while (number := self._next(written)) is not None:
            association = self._association()
            long_invoke = self._write(association, number)
            if self._plan.confirmed:
                await self._confirmed(association, long_invoke)
                self._taken(number)
            else:
                written.append(number)
        self._channel.close()
        await self._channel.wait_closed()
        if written and not self._channel.in_order:
            raise NotTold("the connection broke before it was closed")
        for number in written:
            self._taken(number)

    def _next(self, written: list[int]) -> int | None:
        last = written[-1] if written else -1
        return min((one for one in self._host.device.state.alerts if one > last), default=None)

    def _association(self) -> ServerAssociation:
        """Made for each alert, with the keys that are in force then."""
        offer = self._host.device.offer(self._plan.association)
        config = replace(offer.config, pre_established=True, mechanism=Mechanism.NONE)
        return ServerAssociation(offer._replace(config=config), "alerts")

    def _write(self, association: ServerAssociation, number: int) -> int:
        """Write what tells the alert; give its long-invoke-id and priority."""
        notification = self._host.device.alert(number, self._plan)
        if notification is None:
            raise NotTold("the association of the Push setup has no DataNotification")
        octets = self._run(association.notify(notification))
        for apdu in association.carry_unasked(octets):
            self._trace("->", apdu)
            self._channel.send(*self._pair, apdu)
        return notification.long_invoke

    async def _confirmed(self, association: ServerAssociation, expected: int) -> None:
        what = f"a confirmation of {expected:08X}"
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT):
                apdu = await self._channel.receive(*self._pair)
        except TimeoutError:
            raise NotTold(f"{what} has not come in time") from None
        except ChannelClosed:
            raise NotTold("the listener has closed the connection") from None
        self._trace("<-", apdu)
        try:
            event = self._run(association.receive(apdu))
        except RemoteProtocolError as error:
            raise NotTold(f"instead of {what}: {error}") from error
        if not isinstance(event, NotificationConfirmed):
            raise NotTold(f"{type(event).__name__} instead of {what}")
        said = event.confirmation.long_invoke
        if said != expected:
            raise NotTold(f"a confirmation of {said:08X} instead of {what}")

    def _taken(self, number: int) -> None:
        alert = self._host.device.state.alerts.get(number)
        self._host.device.alert_taken(number, self._plan, self._host.now())
        self._host.memory.commit()
        if alert is not None:
            self._report("alert-told", f"{alert.code:04X} number {number}")

    def _run(self, step: Step[Any]) -> Any:
        return run(step, self._host.execute)

    def _trace(self, arrow: str, apdu: bytes) -> None:
        if self._host.trace:
            self._report(arrow, f"{shown(apdu)}  {described(apdu)}")

    def _report(self, kind: str, text: str) -> None:
        self._host.on_event(
            MeterEvent(
                meter=self._host.device.profile.name,
                kind=kind,
                peer=self._address,
                association=self._plan.association.name,
                text=text,
            )
        )


EXPECTED = (NotTold, OSError, TimeoutError, LocalProtocolError, RemoteProtocolError)
"""Why an attempt may come to nothing without a mistake of ours."""
