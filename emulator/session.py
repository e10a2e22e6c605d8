"""One connection to a meter: the one file that knows the order of the rooms.

octets -> WPDUs -> association -> COSEM objects -> association -> WPDU -> octets.

Anything a peer sends ends in a reply, in silence or in a closed connection, never in an exception
that leaves this file; other connections do not notice.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from devices.device import Device
from devices.profile.model import AssociationRow
from dlms.association import events
from dlms.association.server import ServerAssociation
from dlms.errors import LocalProtocolError, RemoteProtocolError
from dlms.framing import Wpdu, WrapperReceiver
from dlms.security.drive import run
from dlms.security.ops import CryptoFailure, CryptoOp, Step
from dlms.xdlms.registry import Response
from emulator.events import MeterEvent, OnMeterEvent
from emulator.trace import described, shown
from tls.events import format_address
from tls.identity import IdentityError, peer_system_title

MAX_APDU = 8192
"""Longest APDU that is waited for. No profile takes more than 2 KiB, and what is too long for the
association but not for this still gets its ExceptionResponse."""

INACTIVITY_TIMEOUT = 180.0
"""Seconds without a complete APDU until the meter hangs up (TCP-UDP setup, attribute 6)."""

_labels = itertools.count()


class Host(NamedTuple):
    """What a connection needs of the meter's host.

    ``execute`` carries out the device's own cryptography, which is not tagged; ``now`` gives the
    true time, aware. ``trace`` asks for an event per APDU.
    """

    device: Device
    execute: Callable[[CryptoOp], Any]
    now: Callable[[], dt.datetime]
    on_event: OnMeterEvent
    trace: bool = False
    inactivity_timeout: float = INACTIVITY_TIMEOUT


class Exchanged(NamedTuple):
    """What became of one APDU: what happened, and the reply and the response if there are any."""

    event: events.Event
    reply: bytes | None
    response: Response | None = None


def exchange(
    association: ServerAssociation,
    device: Device,
    row: AssociationRow,
    apdu: bytes,
    now: dt.datetime,
) -> Step[Exchanged]:
    """Take one APDU through all rooms."""
    event = yield from association.receive(apdu)
    if not isinstance(event, events.RequestReceived):
        return Exchanged(event, _reply_of(event))
    response = yield from device.handle(event.request, row, now)
    if not event.confirmed:
        return Exchanged(event, None)
    reply = yield from association.send(response)
    return Exchanged(event, reply, response)


def _reply_of(event: events.Event) -> bytes | None:
    reply: bytes | None = getattr(event, "reply", None)
    return reply


class MeterConnection(asyncio.Protocol):
    """Serves one TCP or TLS connection. At most one association per declared pair of SAPs."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._receiver = WrapperReceiver(MAX_APDU)
        self._transport: asyncio.Transport | None = None
        self._channel_title: bytes | None = None
        self._peer = "unknown"
        self._open: dict[tuple[int, int], tuple[ServerAssociation, AssociationRow]] = {}
        self._revision = host.device.state.security_revision
        self._label = next(_labels)
        self._timer: asyncio.TimerHandle | None = None
        self._last_heard = 0.0

    # asyncio.Protocol ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._peer = format_address(transport.get_extra_info("peername"))
        ssl_object = transport.get_extra_info("ssl_object")
        if ssl_object is not None:
            try:
                self._channel_title = peer_system_title(ssl_object)
            except IdentityError as error:
                self._event("refused", text=str(error))
                self._transport.abort()
                return
        loop = asyncio.get_running_loop()
        self._last_heard = loop.time()
        self._watch(self._host.inactivity_timeout)

    def data_received(self, data: bytes) -> None:
        self._receiver.receive(data)
        try:
            # Not after hanging up: TLS may still hand on what had come before.
            while self._is_open() and (wpdu := self._receiver.next_wpdu()) is not None:
                self._serve(wpdu)
        except RemoteProtocolError as error:
            self._event(error.reason, text=str(error))
            self._hang_up()

    def pause_writing(self) -> None:
        # A peer that does not read our answers gets no more of its questions read.
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for association, _ in self._open.values():
            run(association.close(), self._host.execute)
        self._open.clear()
        self._transport = None

    # The way of one APDU --------------------------------------------------------------------------

    def _serve(self, wpdu: Wpdu) -> None:
        found = self._find(wpdu)
        if found is None:
            self._event("unknown-sap", text=f"SAP {wpdu.source} to {wpdu.destination}")
            return
        self._last_heard = asyncio.get_running_loop().time()
        self._adopt()
        association, row = found
        self._trace(row, "<-", wpdu.apdu)
        device = self._host.device
        try:
            exchanged = run(
                exchange(association, device, row, wpdu.apdu, self._host.now()), self._host.execute
            )
            self._report(row, exchanged)
            reply = exchanged.reply
        except RemoteProtocolError as error:
            self._event(error.reason, row, str(error))
            reply = error.reply
        except (LocalProtocolError, CryptoFailure) as error:
            # Our side cannot go on (a key is used up): no answer is better than a wrong one.
            self._event("unable", row, str(error))
            self._hang_up()
            return
        if reply is not None and self._transport is not None:
            self._trace(row, "->", reply)
            self._transport.write(Wpdu(wpdu.destination, wpdu.source, reply).encode())

    def _find(self, wpdu: Wpdu) -> tuple[ServerAssociation, AssociationRow] | None:
        """The association addressed; unknown pairs of SAPs get silence (X_WPDU_PORT_UNK)."""
        pair = wpdu.source, wpdu.destination
        found = self._open.get(pair)
        if found is None:
            device = self._host.device
            row = device.association(*pair)
            if row is None:
                return None
            offer = device.offer(row, self._channel_title)
            found = ServerAssociation(offer, f"{self._label}"), row
            self._open[pair] = found
        return found

    def _adopt(self) -> None:
        """Let open associations follow a change of keys or policy made by an earlier APDU.

        Here, before the next APDU, because the response to the change went under the old keys
        (R-KEY-3), and because another connection may have made it.
        """
        device = self._host.device
        if self._revision == device.state.security_revision:
            return
        self._revision = device.state.security_revision
        for association, row in self._open.values():
            association.adopt(device.config(row), device.keys(row))

    # Reporting ------------------------------------------------------------------------------------

    def _report(self, row: AssociationRow, exchanged: Exchanged) -> None:
        match exchanged.event:
            case events.AssociationOpened():
                self._event("associated", row)
            case events.AssociationRefused(why=why) | events.AuthenticationFailed(why=why):
                self._event("association-refused", row, why)
            case events.AssociationReleased():
                self._event("released", row)
            case events.RequestReceived(request=request) if self._host.trace:
                self._event("request", row, repr(request))
                if exchanged.response is not None:
                    self._event("response", row, repr(exchanged.response))

    def _trace(self, row: AssociationRow, arrow: str, apdu: bytes) -> None:
        if self._host.trace:
            self._event(arrow, row, f"{shown(apdu)}  {described(apdu)}")

    def _event(self, kind: str, row: AssociationRow | None = None, text: str = "") -> None:
        self._host.on_event(
            MeterEvent(
                meter=self._host.device.profile.name,
                kind=kind,
                peer=self._peer,
                association="" if row is None else row.name,
                text=text,
            )
        )

    # Hanging up -----------------------------------------------------------------------------------

    def _is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _watch(self, delay: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay, self._check_activity)

    def _check_activity(self) -> None:
        idle = asyncio.get_running_loop().time() - self._last_heard
        left = self._host.inactivity_timeout - idle
        if left > 0:
            self._watch(left)
            return
        self._event("inactive", text=f"nothing complete heard for {idle:.0f} s")
        if self._transport is not None and self._transport.get_write_buffer_size():
            # To close would wait for a peer that does not read what is there for it.
            self._transport.abort()
        self._hang_up()
