"""The head end listens for the alerts of meters: TLS, with the private key of the S1SP.

A meter is who its certificate says, and what it tells must be protected under the keys of that
very meter: as a pre-established association, which needs no AARQ. An alert is handed on, noted and
then confirmed; one that comes again, because the confirmation did not arrive, is only confirmed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, Self

from devices.profile import Profile
from dlms.acse.names import Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.association.events import NotificationReceived
from dlms.errors import DlmsError, RemoteProtocolError
from dlms.security.control import Protection
from dlms.security.keys import KeyKind
from dlms.security.ops import Step
from dlms.xdlms.data_notification import DataNotification
from emulator.channel import Channel, ChannelClosed
from emulator.custody import Errand
from emulator.head_end.alerts import Smets1Alert, read_alert
from emulator.head_end.party import Party
from emulator.ledger import LedgerError, Outcome
from emulator.policy import Purpose
from tls.contexts import server_context
from tls.credentials import CertificateChain
from tls.events import HandshakeDone, HandshakeEvent, HandshakeFailed, format_address
from tls.identity import IdentityError, peer_system_title
from tls.listener import Listener
from tls.transport import start_tls_server

MAX_CONNECTIONS = 1024
"""Meters that tell something at the same moment; others are turned away, and come again."""

IDLE_TIMEOUT = 60.0
"""Seconds without an alert after which a connection is closed."""


class Device(NamedTuple):
    """A meter as the head end knows it."""

    name: str
    profile: Profile


class Seen(Protocol):
    """The alerts that were handed on."""

    def has(self, alert: Smets1Alert) -> bool: ...

    def add(self, alert: Smets1Alert) -> None:
        """It is kept when this returns."""
        ...


class Told(NamedTuple):
    """Something at the listener that is no alert. ``kind`` is a stable word."""

    kind: str
    peer: str
    text: str


class AlertListener:
    """``device_of`` says who has a system title, ``on_alert`` is called with each alert once.

    ``credential`` is the certificate of the party by which it is known as a TLS server; where its
    private key is, as in :class:`~emulator.head_end.party.Party`.
    """

    def __init__(
        self,
        party: Party,
        credential: CertificateChain,
        device_of: Callable[[bytes], Device | None],
        seen: Seen,
        on_alert: Callable[[Smets1Alert], None],
        on_event: Callable[[Told], None],
    ) -> None:
        self._party = party
        self._credential = credential
        self._holder = party.tls_holder(credential)
        self._device_of = device_of
        self._seen = seen
        self._on_alert = on_alert
        self._on_event = on_event
        self._ends = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: Listener | None = None

    async def start(self, host: str, port: int) -> Self:
        """Listen. :class:`~dlms.security.ops.OperationRefused` where the policy does not let the
        private key be used where it is.
        """
        party = self._party
        party.custody.admit_tls(party.listener_key, self._errand("", 2), holder=self._holder)
        credential = party.presented(self._credential, party.listener_key)
        context = server_context(credential, party.trust, keylog=party.keylog)
        self._server = await start_tls_server(
            lambda: _Incoming(self._arrived),
            host,
            port,
            context,
            on_event=self._handshake,
            accept=lambda title: title is not None and self._known(title) is not None,
            max_connections=MAX_CONNECTIONS,
        )
        return self

    @property
    def port(self) -> int:
        assert self._server is not None  # start() was called
        return self._server.port

    def end(self) -> None:
        """Hand on no more alerts: they stay with their meters."""
        self._ends = True

    async def close(self) -> None:
        """End. What was being told is told another time."""
        self.end()
        for task in tuple(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._server is not None:
            async with self._server:
                pass

    # A connection -------------------------------------------------------------------------------

    def _known(self, title: bytes) -> Device | None:
        """A meter that has alerts; ``None`` for anybody else."""
        device = self._device_of(title)
        return None if device is None or device.profile.alert_push is None else device

    def _handshake(self, event: HandshakeEvent) -> None:
        if isinstance(event, HandshakeFailed):
            self._on_event(Told("handshake-failed", event.peer, f"{event.reason}: {event.message}"))
            if event.key_used:  # and then the peer was not one to talk to
                self._note(event.peer, self._errand("", 2), Outcome.FAILED)
            return
        assert isinstance(event, HandshakeDone)
        assert event.system_title is not None  # it was accepted
        device = self._known(event.system_title)
        category = 2 if device is None else device.profile.category
        errand = self._errand(event.system_title.hex().upper(), category)
        if event.took_key:
            self._note(event.peer, errand, Outcome.DONE)

    def _note(self, peer: str, errand: Errand, outcome: Outcome) -> None:
        party = self._party
        try:
            party.custody.note_tls(party.listener_key, errand, outcome, holder=self._holder)
        except LedgerError as error:
            self._on_event(Told("ledger-failed", peer, str(error)))

    def _errand(self, device: str, category: int) -> Errand:
        return self._party.errand(device, category, Purpose.ESTABLISH_TLS)

    def _arrived(self, channel: _Incoming) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(channel))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, channel: _Incoming) -> None:
        try:
            title = channel.title()
            device = self._known(title)
            if device is not None:
                await self._listen(channel, title, device)
        except ChannelClosed:
            pass  # the meter has told all
        except TimeoutError:
            self._on_event(Told("inactive", channel.peer, f"nothing for {IDLE_TIMEOUT:.0f} s"))
        except (DlmsError, OSError, IdentityError) as error:
            self._on_event(Told("alert-refused", channel.peer, str(error)))
        except LedgerError as error:
            self._on_event(Told("ledger-failed", channel.peer, str(error)))
        finally:
            channel.close()

    async def _listen(self, channel: _Incoming, title: bytes, device: Device) -> None:
        party, profile = self._party, device.profile
        errand = party.errand(title.hex().upper(), profile.category, Purpose.PROCESS_RESPONSE)

        async def run(step: Step[Any]) -> Any:
            return await party.custody.run(step, errand)

        assert profile.alert_push is not None  # _known() has been asked
        await party.known.recall(title, profile.alert_push.association, run)
        association = _association(party, title, profile)
        config = association.config
        while True:
            async with asyncio.timeout(IDLE_TIMEOUT):
                apdu = await channel.receive(config.client_sap, config.server_sap)
            event = await run(association.receive(apdu))
            if not isinstance(event, NotificationReceived):
                raise RemoteProtocolError("what came is no notification", reason="no-alert")
            told = event.notification
            if not isinstance(told, DataNotification):
                raise RemoteProtocolError("the notification is none of data", reason="no-alert")
            if self._ends:
                raise RemoteProtocolError("this listener ends", reason="ends")
            self._hand_on(read_alert(told, title, device.name, profile))
            if told.confirmed:
                confirmation = await run(association.confirm(told))
                # The meter strikes it off then: it is to be written down before.
                await party.custody.flush()
                channel.send(config.client_sap, config.server_sap, confirmation)

    def _hand_on(self, alert: Smets1Alert) -> None:
        """Noted after it was handed on: should this process end in between, it comes twice, and
        would else not have come at all.
        """
        if not self._seen.has(alert):
            self._on_alert(alert)
            self._seen.add(alert)


class _Incoming(Channel):
    """A connection of a meter, which is served as soon as it stands."""

    def __init__(self, arrived: Callable[[_Incoming], None]) -> None:
        super().__init__()
        self._arrived = arrived
        self.peer = "unknown"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._ssl = transport.get_extra_info("ssl_object")
        self.peer = format_address(transport.get_extra_info("peername"))
        self._arrived(self)

    def title(self) -> bytes:
        """Whose certificate it is. :class:`IdentityError` if that cannot be said."""
        return peer_system_title(self._ssl)


def _association(party: Party, title: bytes, profile: Profile) -> ClientAssociation:
    """The party's end of the association by which a meter tells its alerts."""
    assert profile.alert_push is not None  # _known() has been asked
    row = profile.associations[profile.alert_push.association]
    config = ClientConfig(
        client_sap=row.config.client_sap,
        server_sap=row.config.server_sap,
        context=row.config.context,
        mechanism=Mechanism.NONE,
        conformance=row.config.conformance,
        suite=row.config.suite,
        knobs=row.config.knobs,
        pre_established=True,
        own_title=party.title,
        server_title=title,
        protection=Protection(row.protection),
    )
    keys = AssociationKeys(
        guek=party.known.key(title, row.name, KeyKind.GUEK),
        gak=party.known.key(title, row.name, KeyKind.GAK),
    )
    return ClientAssociation(config, keys, party.counters)
