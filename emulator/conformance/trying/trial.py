"""One run of one check: what its senders have at hand."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from dlms.acse.names import Referencing
from dlms.association.client import ClientAssociation
from dlms.association.config import ClientConfig
from dlms.axdr.data import Data
from dlms.errors import DlmsError
from dlms.security.control import Protection
from dlms.security.counters import MAXIMUM
from dlms.security.drive import run as drive
from dlms.security.ops import Step
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client.keys import dedicated_key
from emulator.client.meter_client import MeterClient
from emulator.client.options import PUBLIC_CLIENT
from emulator.client.session import Session
from emulator.conformance.catalogue.check import Check
from emulator.conformance.conversing.expect import data_of
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.declaration.model import (
    Declaration,
    DeclaredAssociation,
    Timing,
    WayKind,
)
from emulator.conformance.probing.line import Line, open_line
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.record import Recorder
from emulator.conformance.trying.notes import Notes
from emulator.conformance.trying.target import AHEAD, Held, Target
from emulator.modules.software import SoftwareModule

OWN_TITLE = b"CSM\x00\x00\x00\x00\x01"
"""The tester's system title where the declaration gives it none."""

CHALLENGE_LENGTH = 16

_labels = itertools.count()


class Closes(Protocol):
    """A connection of whatever sort."""

    async def close(self) -> None: ...


C = TypeVar("C", bound=Closes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """``now`` in seconds of a steady clock, ``today`` is the true time (aware), ``sleep`` waits."""

    now: Callable[[], float]
    today: Callable[[], dt.datetime]
    sleep: Callable[[float], Awaitable[None]]


class Trial:
    """``rng`` is the only source of chance; with the same seed the tester sends the same octets to
    a device that answers the same.

    ``line`` and ``probe`` are what the state was brought about with that the check starts from;
    ``notes`` is what senders leave for those that come after them.
    """

    def __init__(
        self, check: Check, target: Target, rng: random.Random, clocks: Clocks, recorder: Recorder
    ) -> None:
        self.check = check
        self.target = target
        self.rng = rng
        self.clocks = clocks
        self.record = recorder
        self.notes = Notes()
        self._line: Line | None = None
        self._probe: Probe | None = None
        self._lines: list[Closes] = []
        self._probes: list[Probe] = []
        self._undoing: list[Callable[[], Awaitable[None]]] = []

    @property
    def declaration(self) -> Declaration:
        return self.target.declaration

    @property
    def timing(self) -> Timing:
        return self.target.declaration.timing

    @property
    def line(self) -> Line:
        assert self._line is not None, f"{self.check.start} starts without a line"
        return self._line

    @property
    def probe(self) -> Probe:
        assert self._probe is not None, f"{self.check.start} starts without an association"
        return self._probe

    def start_with(self, line: Line | None, probe: Probe | None = None) -> None:
        self._line, self._probe = line, probe

    # Lines ----------------------------------------------------------------------------------------

    async def open(self, *, framed: bool = True) -> Line:
        """A new connection. ``OSError`` if there is none; it is closed when the trial is over.
        There is one serial line and no more: what was open on it is closed before.
        """
        if self.target.route.port is None:
            await self._close_lines()
        line = await open_line(self.target.route, len(self._lines), self.record, framed=framed)
        self._lines.append(line)
        return line

    def adopt(self, make: Callable[[int], C]) -> C:
        """A connection that is made elsewhere, from its number; it is closed with the others."""
        made = make(len(self._lines))
        self._lines.append(made)
        return made

    def afterwards(self, undo: Callable[[], Awaitable[None]]) -> None:
        """Leave the device as it was, whatever becomes of the case: ``undo`` is awaited when the
        trial is over, the last first. What it cannot do is noted in the record.
        """
        self._undoing.append(undo)

    async def close(self) -> None:
        """Undo what has been done to the device, and close the lines."""
        while self._undoing:
            undo = self._undoing.pop()
            try:
                await undo()
            except (DlmsError, OSError, Unjudged) as error:
                self.record.note(f"something could not be undone: {error}")
        if self.declaration.way.kind is WayKind.UDP:
            self._release_all()
        await self._close_lines()

    def _release_all(self) -> None:
        """On UDP nothing tells the device that a client has gone: what is open there would stay,
        and it has room for so many.
        """
        for probe in self._probes:
            if probe.accepted.conformance and probe.line.is_open:
                with suppress(DlmsError, OSError):
                    probe.line.say(probe.pair, probe.rlrq())
        self._probes.clear()

    async def _close_lines(self) -> None:
        for line in self._lines:
            await line.close()

    async def wait(self, seconds: float, why: str) -> None:
        """Let time pass. :class:`Unjudged` if that is longer than anybody is ready to wait."""
        if seconds > self.timing.patience:
            raise Unjudged(
                f"{why} takes {seconds:g} s, and no more than {self.timing.patience:g} s are waited"
            )
        self.record.note(f"waits {seconds:g} s: {why}")
        await self.clocks.sleep(seconds)

    # Associations ---------------------------------------------------------------------------------

    def row(
        self, which: Callable[[DeclaredAssociation], bool] = lambda row: True, what: str = ""
    ) -> DeclaredAssociation:
        """The first declared association of that sort whose keys are at hand. Those by logical
        names, and those that ask for most, come first. :class:`Unjudged` if there is none.
        """
        rows = [row for row in self.declaration.associations if which(row)]
        if not rows:
            raise Unjudged(f"no association {what or 'of that sort'} is declared")
        usable = [row for row in rows if self.target.has_keys(row)]
        if not usable:
            raise Unjudged(f"the keys of {rows[0].name} are not at hand")
        return min(usable, key=_rank)

    def config(self, row: DeclaredAssociation, **changes: Any) -> ClientConfig:
        """What a client of that association is, with ``changes`` to it."""
        ciphered = row.context.ciphered
        described: dict[str, Any] = {
            "client_sap": row.client_sap,
            "server_sap": row.server_sap,
            "context": row.context,
            "mechanism": row.mechanism,
            "conformance": row.conformance,
            "suite": row.suite,
            "user": row.users[0] if row.users else None,
            "own_title": row.own_title or OWN_TITLE,
            "server_title": self.declaration.title or None,
            "protection": Protection.BOTH if ciphered else Protection.NONE,
            "challenge_length": CHALLENGE_LENGTH,
        }
        return ClientConfig(**{**described, **changes})

    async def probe_of(
        self, row: DeclaredAssociation | None = None, line: Line | None = None, **changes: Any
    ) -> Probe:
        """A client that has said nothing yet, on a new connection unless there is a ``line``."""
        row = self.row() if row is None else row
        line = await self.open() if line is None else line
        return self._made(row, await self.keys_of(row, line), line, changes)

    def _made(
        self, row: DeclaredAssociation, held: Held, line: Line, changes: dict[str, Any]
    ) -> Probe:
        probe = Probe(
            line,
            self.config(row, **changes),
            held.refs,
            self.target.counters,
            SoftwareModule(held.ring, self.rng.randbytes).execute,
            self.record,
            answer=self.timing.answer,
            today=self.clocks.today(),
            label=f"{next(_labels)}",
        )
        self._probes.append(probe)
        return probe

    async def associated(
        self, row: DeclaredAssociation | None = None, line: Line | None = None, **changes: Any
    ) -> Probe:
        """A client in its association. :class:`Unjudged` if the device does not let it in."""
        probe = await self.probe_of(row, line, **changes)
        seen = await probe.establish()
        if not probe.is_open:
            raise Unjudged(f"no association of client {probe.pair[0]}: {seen}")
        return probe

    async def keys_of(self, row: DeclaredAssociation, line: Line) -> Held:
        """The keys, with a counter that the device accepts: asked of the device once in a run, as
        the public client on ``line``.
        :class:`Unjudged` if there are no keys, or the device does not show its counter.
        """
        try:
            held = self.target.held(row)
        except KeyError:
            raise Unjudged(f"the keys {row.keys!r} of {row.name} are not at hand") from None
        guek = held.refs.guek
        if row.counter_from and guek is not None and guek.scope not in self.target.started:
            self.target.started.add(guek.scope)
            shown = await self._shown_counter(row, line)
            self.target.counters.raise_to(guek, shown + AHEAD)
        return held

    async def _shown_counter(self, row: DeclaredAssociation, line: Line) -> int:
        visitor = self.row(
            lambda one: one.client_sap == PUBLIC_CLIENT and one.server_sap == row.server_sap,
            f"of the public client at {row.server_sap}, for the invocation counter,",
        )
        probe = await self.associated(visitor, line)
        seen = await probe.get(AttributeDescriptor(1, row.counter_from, 2))
        data = data_of(seen)
        if visitor.release:
            await probe.release()
        await line.unlink(probe.pair)
        if data is None or not isinstance(data.value, int) or not 0 <= data.value < MAXIMUM:
            raise Unjudged(f"the device does not show its invocation counter: {seen}")
        return data.value

    # Clients that behave --------------------------------------------------------------------------

    @asynccontextmanager
    async def session(
        self, row: DeclaredAssociation | None = None, line: Line | None = None, **changes: Any
    ) -> AsyncIterator[tuple[MeterClient, Session]]:
        """A client that does all as it should, blocks included, in its association: for what needs
        many exchanges. ``client.hold(session.fetch(...))`` and the like.

        :class:`~emulator.client.errors.ClientError` if the device does not let it in.
        """
        row = self.row() if row is None else row
        line = await self.open() if line is None else line
        held = await self.keys_of(row, line)
        config = self.config(row, **changes)
        label = f"{next(_labels)}"
        association = ClientAssociation(config, held.refs, self.target.counters, label=label)
        execute = SoftwareModule(held.ring, self.rng.randbytes).execute

        async def run(step: Step[Any]) -> Any:
            return drive(step, execute)

        client = MeterClient(line.link, association, run, self.timing.answer)
        session = Session(client.dialogues, association)
        await client.hold(session.open())
        try:
            yield client, session
        finally:
            with suppress(DlmsError, OSError):
                if not client.lost and row.release:
                    await client.release()
            await client.abandon()

    async def read(
        self, attribute: AttributeDescriptor, row: DeclaredAssociation | None = None
    ) -> Data:
        """A value, by a client that behaves."""
        async with self.session(row) as (client, _):
            return await client.get(attribute)

    def dedicated(self) -> Any:
        """A reference for a dedicated key, for ``dedicated=`` of a configuration."""
        return dedicated_key()


def _rank(row: DeclaredAssociation) -> tuple[bool, int]:
    short = row.context.referencing is Referencing.SHORT_NAME
    return short, -int(row.conformance).bit_count()
