"""The same client without an event loop: the words are those of :mod:`emulator.client.association`,
and what they mean and raise is said there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Self, TypeVar, Unpack

from dlms.client.effects import Dialogue
from dlms.errors import DlmsError
from emulator.client import reading
from emulator.client.accessing import How, Order, access_all, access_silently
from emulator.client.blocking_channel import BlockingChannel
from emulator.client.blocking_meter_client import BlockingMeterClient
from emulator.client.errors import AssociationLost, NothingSaid, telling
from emulator.client.image_transfer import IMAGE_TRANSFER
from emulator.client.images import BlockingImages
from emulator.client.keys import Keys
from emulator.client.noticing import Notice, understand
from emulator.client.objects import ObjectList
from emulator.client.options import Options
from emulator.client.plan import COUNTER_CLASS, Execute, Plan, plan, public
from emulator.client.route import Route
from emulator.client.security_setup import BlockingSecuritySetup
from emulator.client.session import Session
from emulator.client.standing import Spoiled
from emulator.client.targets import VALUE, Moment, Span, Wanted, What
from emulator.client.wires import open_blocking

T = TypeVar("T")


class BlockingClient:
    """As :class:`~emulator.client.association.Client`: ``with connect_blocking(...) as client``."""

    def __init__(self, route: Route, timeout: float) -> None:
        self._route = route
        self._timeout = timeout
        self._channel: BlockingChannel | None = None
        self.spoiled = Spoiled()

    def __enter__(self) -> Self:
        """``OSError`` (``TimeoutError``) if there is no connection."""
        self._channel = open_blocking(self._route, self._timeout)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection; all associations end with it."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    @property
    def channel(self) -> BlockingChannel:
        """:class:`AssociationLost` if the connection is not open."""
        if self._channel is None:
            raise AssociationLost("the connection is not open")
        return self._channel

    def associate(
        self, *, execute: Execute | None = None, **how: Unpack[Options]
    ) -> BlockingAssociation:
        """An association to be entered: ``with client.associate(...) as a``.

        ``how`` is explained at :class:`~emulator.client.options.Options`. ``execute`` carries out
        the cryptography where ``keys`` are references, in modules of the caller's. ``ValueError``
        if the parts do not go together.
        """
        how.setdefault("timeout", self._timeout)
        return BlockingAssociation(self, plan(str(self._route), how), execute)


class BlockingAssociation:
    """As :class:`~emulator.client.association.Association`. Threads wait for each other."""

    def __init__(self, client: BlockingClient, plan: Plan, execute: Execute | None) -> None:
        """By :meth:`BlockingClient.associate`."""
        chosen = plan.execute if execute is None else execute
        if chosen is None:
            raise ValueError("keys by reference need something that has them")
        self._execute = chosen
        self._client = client
        self._channel = client.channel
        self._plan = plan
        self._meter: BlockingMeterClient | None = None
        self._session: Session | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def open(self) -> None:
        """Associate. :class:`~emulator.client.errors.NotAssociated` if the meter refuses,
        :class:`~dlms.errors.LocalProtocolError` if a title or key is missing.
        """
        config = self._plan.config
        self._client.spoiled.check((config.client_sap, config.server_sap))
        if self._plan.counter_from is not None:
            with self._client.associate(**public(config, self._plan.timeout)) as visitor:
                where = COUNTER_CLASS, self._plan.counter_from, VALUE
                self._plan.take_counter(visitor.get(where, raw=True).value)
        association = self._plan.association()
        meter = BlockingMeterClient(self._channel, association, self._execute, self._plan.timeout)
        session = Session(meter.dialogues, association)
        self._meter = meter
        try:
            meter.hold(session.open())
        except BaseException:
            self.close()
            raise
        self._session = session

    def close(self) -> None:
        """Release the association and end its link. Whatever goes wrong, it has ended."""
        meter, session, self._meter, self._session = self._meter, self._session, None, None
        if meter is None:
            return
        config = self._plan.config
        # Keys may have been replaced meanwhile: an association that is opened again has those.
        self._plan = self._plan._replace(keys=meter.association.keys)
        pair = config.client_sap, config.server_sap
        try:
            with suppress(DlmsError, OSError):
                if session is not None and not meter.lost:
                    meter.release()
        finally:
            if meter.lost:
                self._client.spoiled.add(pair, meter.lost)
            meter.abandon()
        self._channel.disconnect(*pair, settle=not meter.lost)

    def get(
        self,
        what: What,
        attribute: int | str | None = None,
        *,
        class_id: int | None = None,
        version: int | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        entries: tuple[int, int] | None = None,
        raw: bool = False,
    ) -> Any:
        """As :meth:`Association.get <emulator.client.association.Association.get>`."""
        span = Span(since, until, entries)
        wanted = Wanted(what, attribute, class_id, version, span, raw)
        meter, session = self._open()
        return meter.hold(reading.read_one(session, wanted))

    def get_many(
        self, whats: Iterable[What], *, raw: bool = False, return_exceptions: bool = False
    ) -> list[Any]:
        """As :meth:`Association.get_many <emulator.client.association.Association.get_many>`."""
        meter, session = self._open()
        return meter.hold(reading.read_many(session, whats, raw, return_exceptions))

    def access(
        self, *orders: Order, return_exceptions: bool = False, **how: Unpack[How]
    ) -> list[Any]:
        """As :meth:`Association.access <emulator.client.association.Association.access>`."""
        meter, session = self._open()
        return meter.hold(access_all(session, orders, how, return_exceptions))

    def access_unconfirmed(self, *orders: Order, **how: Unpack[How]) -> None:
        """As :meth:`Association.access_unconfirmed
        <emulator.client.association.Association.access_unconfirmed>`.
        """
        meter, session = self._open()
        meter.hold(access_silently(session, orders, how))

    def set(
        self,
        what: What,
        attribute: int | str,
        value: Any,
        *,
        class_id: int | None = None,
        confirmed: bool = True,
    ) -> None:
        """As :meth:`Association.set <emulator.client.association.Association.set>`."""
        meter, session = self._open()
        meter.hold(session.set(what, attribute, value, class_id, confirmed=confirmed))

    def invoke(
        self,
        what: What,
        method: int | str,
        parameter: Any = None,
        *,
        class_id: int | None = None,
        confirmed: bool = True,
    ) -> Any:
        """As :meth:`Association.invoke <emulator.client.association.Association.invoke>`."""
        meter, session = self._open()
        return meter.hold(session.invoke(what, method, parameter, class_id, confirmed=confirmed))

    def notification(self, within: float | None = None, *, setup: What | None = None) -> Notice:
        """As :meth:`Association.notification
        <emulator.client.association.Association.notification>`; but other threads wait meanwhile.
        """
        meter, session = self._open()
        with telling("await a notification"):
            told = meter.notification(within)
        return meter.hold(understand(session, told, meter.pair, setup))

    def notifications(
        self, within: float | None = None, *, setup: What | None = None
    ) -> Iterator[Notice]:
        """One after the other, until none comes within ``within`` seconds."""
        with suppress(NothingSaid):
            while True:
                yield self.notification(within, setup=setup)

    def objects(self) -> ObjectList:
        """As :meth:`Association.objects <emulator.client.association.Association.objects>`."""
        meter, session = self._open()
        return meter.hold(session.objects())

    def security_setup(self, what: What) -> BlockingSecuritySetup:
        """As :meth:`Association.security_setup
        <emulator.client.association.Association.security_setup>`.
        """
        return BlockingSecuritySetup(self.hold, what, self._plan)

    def images(self, what: What = IMAGE_TRANSFER) -> BlockingImages:
        """As :meth:`Association.images <emulator.client.association.Association.images>`."""
        return BlockingImages(self.hold, what)

    @property
    def keys(self) -> Keys:
        """As :attr:`Association.keys <emulator.client.association.Association.keys>`."""
        meter = self._meter
        return self._plan.octets(self._plan.keys if meter is None else meter.association.keys)

    def hold(self, dialogue: Callable[[Session], Dialogue[T]]) -> T:
        """Hold a dialogue of this package, such as those of :mod:`emulator.client.images`."""
        meter, session = self._open()
        return meter.hold(dialogue(session))

    def _open(self) -> tuple[BlockingMeterClient, Session]:
        if self._meter is None or self._session is None:
            raise AssociationLost("the association is not open")
        return self._meter, self._session
