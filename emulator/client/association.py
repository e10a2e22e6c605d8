"""The asyncio client: a connection, and associations on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from typing import Any, Self, TypeVar, Unpack

from dlms.association.client import ClientAssociation
from dlms.client.effects import Dialogue
from dlms.errors import DlmsError
from dlms.security.drive import run as run_step
from dlms.security.ops import Step
from emulator.channel import Channel
from emulator.client import reading
from emulator.client.accessing import How, Order, access_all, access_silently
from emulator.client.errors import AssociationLost, NothingSaid, telling
from emulator.client.image_transfer import IMAGE_TRANSFER
from emulator.client.images import Images
from emulator.client.keys import Keys
from emulator.client.meter_client import MeterClient, Runner
from emulator.client.noticing import Notice, understand
from emulator.client.objects import ObjectList
from emulator.client.options import Options
from emulator.client.plan import COUNTER_CLASS, Plan, plan, public
from emulator.client.route import Route
from emulator.client.security_setup import SecuritySetup
from emulator.client.session import Session
from emulator.client.standing import Spoiled
from emulator.client.targets import VALUE, Moment, Span, Wanted, What

T = TypeVar("T")


class Client:
    """A connection to one meter, open while it is entered: ``async with connect(...) as client``.

    ``timeout`` is in seconds, for the connection and, unless an association says otherwise, for
    each answer.
    """

    def __init__(self, route: Route, timeout: float) -> None:
        self._route = route
        self._timeout = timeout
        self._channel: Channel | None = None
        self.spoiled = Spoiled()

    async def __aenter__(self) -> Self:
        """``OSError`` (``TimeoutError``) if there is no connection."""
        self._channel = await self._route.open(self._timeout)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop the connection; all associations end with it."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
            await channel.wait_closed()

    @property
    def channel(self) -> Channel:
        """:class:`AssociationLost` if the connection is not open."""
        if self._channel is None:
            raise AssociationLost("the connection is not open")
        return self._channel

    def associate(self, *, run: Runner | None = None, **how: Unpack[Options]) -> Association:
        """An association to be entered: ``async with client.associate(...) as a``.

        ``how`` is explained at :class:`~emulator.client.options.Options`. ``run`` carries out the
        steps of the protocol where ``keys`` are references, in modules of the caller's.
        ``ValueError`` if the parts do not go together.
        """
        how.setdefault("timeout", self._timeout)
        return Association(self, plan(str(self._route), how), run)


class Association:
    """One association, open while it is entered.

    What all calls raise is the tree of :mod:`emulator.client.errors`: :class:`Refused` if the meter
    says no, :class:`AnswerTimeout`, :class:`AssociationLost`, :class:`MeterFault`; besides
    ``ValueError`` for a value that does not fit, :class:`~dlms.errors.LocalProtocolError` for a
    service that was not negotiated. Calls wait for each other. One that is cancelled, or times out,
    loses the association.
    """

    def __init__(self, client: Client, plan: Plan, run: Runner | None) -> None:
        """By :meth:`Client.associate`."""
        if run is None and plan.execute is None:
            raise ValueError("keys by reference need a runner that has them")
        self._client = client
        self._channel = client.channel
        self._plan = plan
        self._run = self._run_here if run is None else run
        self._meter: MeterClient | None = None
        self._session: Session | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Associate. :class:`~emulator.client.errors.NotAssociated` if the meter refuses,
        :class:`~dlms.errors.LocalProtocolError` if a title or key is missing.
        """
        config = self._plan.config
        self._client.spoiled.check((config.client_sap, config.server_sap))
        if self._plan.counter_from is not None:
            async with self._client.associate(**public(config, self._plan.timeout)) as visitor:
                where = COUNTER_CLASS, self._plan.counter_from, VALUE
                self._plan.take_counter((await visitor.get(where, raw=True)).value)
        association = self._plan.association()
        meter = MeterClient(self._channel, association, self._run, self._plan.timeout)
        session = Session(meter.dialogues, association)
        self._meter = meter
        try:
            await meter.hold(session.open())
        except BaseException:
            await self.close()
            raise
        self._session = session

    async def close(self) -> None:
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
                    await meter.release()
        finally:
            if meter.lost:
                self._client.spoiled.add(pair, meter.lost)
            await meter.abandon()
        await self._channel.disconnect(*pair, settle=not meter.lost)

    async def get(
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
        """Read an attribute: by number or name, 2 if left out.

        ``what`` is a name of the catalogue, an OBIS code, ``(class_id, code, attribute)``, an
        object of the list or, with short names, its base name. Class and version come from the
        object list unless they are given. The value is as :mod:`dlms.cosem.typed` says. That of a
        register is a :class:`~dlms.cosem.quantity.Quantity`, exact, with its unit. A profile's
        buffer is a list of rows, dictionaries by column; ``since`` and ``until`` (both included; a
        naive ``datetime`` is the meter's local time) or ``entries`` (first and last, from 1; 0 is
        the last) select some. A column whose unit the meter does not give stays a plain number.
        With ``raw`` the value is the ``Data`` as it came.

        :class:`~emulator.client.errors.UnknownObject`, :class:`Refused`.
        """
        span = Span(since, until, entries)
        wanted = Wanted(what, attribute, class_id, version, span, raw)
        meter, session = self._open()
        return await meter.hold(reading.read_one(session, wanted))

    async def get_many(
        self, whats: Iterable[What], *, raw: bool = False, return_exceptions: bool = False
    ) -> list[Any]:
        """Read several, each as :meth:`get` does, in as few requests as the meter allows.

        The first refusal is raised, or, with ``return_exceptions``, stands in the place of its
        value.
        """
        meter, session = self._open()
        return await meter.hold(reading.read_many(session, whats, raw, return_exceptions))

    async def access(
        self, *orders: Order, return_exceptions: bool = False, **how: Unpack[How]
    ) -> list[Any]:
        """Read, write and invoke in one request, in the order of ``orders``: :class:`Read`,
        :class:`Write`, :class:`Invoke`.

        The results are in that order: values as :meth:`get` gives them (a register whose unit the
        meter keeps for itself is a plain number), ``None`` for what was written, what a method
        returned. The first refusal is raised, or, with ``return_exceptions``, stands in the place
        of its item. :class:`~emulator.client.accessing.How` explains the rest.
        :class:`~dlms.errors.LocalProtocolError` if ACCESS was not negotiated, or it is too long.
        """
        meter, session = self._open()
        return await meter.hold(access_all(session, orders, how, return_exceptions))

    async def access_unconfirmed(self, *orders: Order, **how: Unpack[How]) -> None:
        """The same, and the meter does not say what became of it: nothing can be read so."""
        meter, session = self._open()
        await meter.hold(access_silently(session, orders, how))

    async def set(
        self,
        what: What,
        attribute: int | str,
        value: Any,
        *,
        class_id: int | None = None,
        confirmed: bool = True,
    ) -> None:
        """Write an attribute, by number or name.

        ``value`` is a Python value, as :mod:`dlms.cosem.writing` takes them, or a ``Data``; the
        latter is needed where the class leaves the type open. :class:`Refused`; ``ValueError`` if
        the value does not fit. Not ``confirmed``, the meter does not say what became of it.
        """
        meter, session = self._open()
        await meter.hold(session.set(what, attribute, value, class_id, confirmed=confirmed))

    async def invoke(
        self,
        what: What,
        method: int | str,
        parameter: Any = None,
        *,
        class_id: int | None = None,
        confirmed: bool = True,
    ) -> Any:
        """Invoke a method, by number or name; gives what it returns, ``None`` if nothing.

        Methods whose parameter says nothing need none. :class:`Refused`; ``ValueError`` if the
        parameter does not fit. Not ``confirmed``, the meter does not say what became of it, and
        nothing is returned.
        """
        meter, session = self._open()
        return await meter.hold(
            session.invoke(what, method, parameter, class_id, confirmed=confirmed)
        )

    async def notification(
        self, within: float | None = None, *, setup: What | None = None
    ) -> Notice:
        """The next thing that the meter says unasked, or has said since the last call.

        :class:`NothingSaid` if that is nothing within ``within`` seconds; the association goes on,
        and other calls may be made meanwhile. ``setup`` is the Push setup that pushes, if what it
        pushes does not begin with its name; :mod:`~emulator.client.noticing` says what that is
        for. What is not protected as responses are to be, or was not negotiated, is a
        :class:`MeterFault` and not shown.
        """
        meter, session = self._open()
        with telling("await a notification"):
            told = await meter.notification(within)
        return await meter.hold(understand(session, told, meter.pair, setup))

    async def notifications(
        self, within: float | None = None, *, setup: What | None = None
    ) -> AsyncIterator[Notice]:
        """One after the other, until none comes within ``within`` seconds."""
        with suppress(NothingSaid):
            while True:
                yield await self.notification(within, setup=setup)

    async def objects(self) -> ObjectList:
        """The objects that this association sees, with rights. Read once, then remembered."""
        meter, session = self._open()
        return await meter.hold(session.objects())

    def security_setup(self, what: What) -> SecuritySetup:
        """A Security setup object, with what its methods make of this client: keys that it replaces
        are used from the next request on.
        """
        return SecuritySetup(self.hold, what, self._plan)

    def images(self, what: What = IMAGE_TRANSFER) -> Images:
        """An Image transfer object: firmware to the meter."""
        return Images(self.hold, what)

    @property
    def keys(self) -> Keys:
        """The keys in force, as octets, to be kept for the next time.

        ``ValueError`` if they were given by reference.
        """
        meter = self._meter
        return self._plan.octets(self._plan.keys if meter is None else meter.association.keys)

    @property
    def negotiated(self) -> ClientAssociation:
        """The client's end of it, to be looked at: what was agreed on, and the meter's title."""
        return self._open()[0].association

    @property
    def is_lost(self) -> bool:
        """Whether it cannot be used any more, or is not open."""
        return self._meter is None or bool(self._meter.lost)

    async def hold(self, dialogue: Callable[[Session], Dialogue[T]]) -> T:
        """Hold a dialogue of this package, such as those of :mod:`emulator.client.images`."""
        meter, session = self._open()
        return await meter.hold(dialogue(session))

    def _open(self) -> tuple[MeterClient, Session]:
        if self._meter is None or self._session is None:
            raise AssociationLost("the association is not open")
        return self._meter, self._session

    async def _run_here(self, step: Step[Any]) -> Any:
        assert self._plan.execute is not None  # __init__() has checked
        return run_step(step, self._plan.execute)
