"""A run as it is drawn: what its clients have come to, and what they would properly do next.

Without that most of what is drawn would be refused for reasons of the step before: a client that is
not in, has other keys than the meter, or a counter that is too low.
"""

from __future__ import annotations

from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.judge.course import Course
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.watcher import Broken, Watcher
from emulator.fuzz.target import Direction, Outcome, Seen
from emulator.fuzz.trail import Done
from emulator.fuzz.twist import STRAIGHT, Lost, Twist

TOO_FAR = 0xFFFFFF00
"""A client whose counter is there has little left to say."""

_LEFT = (Outcome.HUNG_UP, Outcome.SILENCE, Outcome.DISTRUSTED, Outcome.STOPPED)
"""After these a proper client begins anew."""


class Plot:
    """``opened`` and ``pending`` are the clients that have an association, or wait for pass 3, as
    what was answered tells.
    """

    def __init__(self, course: Course, palette: Palette, watcher: Watcher) -> None:
        self.course = course
        self.palette = palette
        self._watcher = watcher
        self.opened: set[str] = set()
        self.pending: set[str] = set()
        self.channels: set[str] = set()
        self.is_over = False
        watcher.began()

    # Doing ----------------------------------------------------------------------------------------

    def do(self, action: Action) -> Outcome | None:
        """The next step; ``None`` if it cannot be done, or nothing is done any more."""
        if self.is_over:
            return None
        state = self.state(getattr(action, "client", ""))
        done = self.course.do(action)
        if done is None:
            return None
        self._note(action, done.seen)
        self._watcher.did(done, state, event(done))
        if done.breaches:
            self.end()
        return done.seen.outcome

    def end(self) -> None:
        """The run is over. :class:`Broken` if it has broken something that nobody knows."""
        if self.is_over:
            return
        self.is_over = True
        steps = self.course.steps
        broken = bool(steps and steps[-1].breaches)
        trail = self.course.trail(() if broken else self.course.end())
        self._watcher.ended(trail)
        for breach in trail.all_breaches:
            if not self._watcher.knows(breach):
                raise Broken(trail, breach)

    def _note(self, action: Action, seen: Seen) -> None:
        client = getattr(action, "client", "")
        accepted = seen.outcome is Outcome.ACCEPTED
        match action:
            case actions.Open() | actions.Authenticate():
                self.pending.discard(client)
                (self.opened.add if accepted else self.opened.discard)(client)
            case actions.Challenge():
                self.opened.discard(client)
                (self.pending.add if accepted else self.pending.discard)(client)
            case actions.Connect():
                self._gone(client)
                (self.channels.add if accepted else self.channels.discard)(client)
            case actions.Hang() | actions.Release():
                self._gone(client)
            case actions.PowerCycle():
                self.opened.clear()
                self.pending.clear()
            case _:
                pass
        if seen.outcome in _LEFT:
            self._gone(client)
        if getattr(action, "twist", STRAIGHT).cut is not None and not accepted:
            self.opened.clear()
            self.pending.clear()

    def _gone(self, client: str) -> None:
        self.opened.discard(client)
        self.pending.discard(client)

    # What a proper client does --------------------------------------------------------------------

    def is_open(self, client: str) -> bool:
        """Whether both ends say that it has an association."""
        facts = self.course.facts
        return client in self.opened and (not facts.digest or client in facts.open)

    def ready(self, client: str, raw: bool = False) -> bool:
        """See to it that the client has an association, unless it is to be ``raw``."""
        if raw:
            return True
        if self.is_open(client) and self.agrees(client) and not self.is_behind(client):
            return True
        if self.palette.is_silent(client):
            return True  # there is nothing to open
        return self.open(client)

    def open(self, client: str, twist: Twist = STRAIGHT) -> bool:
        """An opening, after what must come before it."""
        self._prepare(client)
        return self.do(actions.Open(client=client, twist=twist)) is Outcome.ACCEPTED

    def open_half(self, client: str) -> bool:
        """Passes 1 and 2 of it."""
        self._prepare(client)
        return self.do(actions.Challenge(client=client)) is Outcome.ACCEPTED

    def _prepare(self, client: str) -> None:
        if not self.agrees(client) and not self.is_over:
            self.do(actions.TakeKeys(client=client, which="doubtful"))
            if not self.agrees(client):
                self.do(actions.TakeKeys(client=client, which="current"))
        if self.is_behind(client):
            self.do(actions.CatchUp(client=client))
            if self.is_behind(client):
                floor = self._floor(client)
                self.do(actions.PutCounter(client=client, send=floor))

    def agrees(self, client: str) -> bool:
        return self.course.facts.agree.get(client, True)

    def _floor(self, client: str) -> int:
        return self.course.facts.floors.get(f"{self.palette.scope(client)}/GUEK", 0)

    def _next(self, client: str) -> int | None:
        return self.course.facts.client_sends.get(f"{client}/GUEK")

    def is_behind(self, client: str) -> bool:
        """Whether the meter would take none of the counters that come next."""
        present = self._next(client)
        return present is not None and present < self._floor(client)

    # Looking back ---------------------------------------------------------------------------------

    def spoken(self) -> list[int]:
        """The steps in which something was sent, from 1."""
        return [
            number
            for number, done in enumerate(self.course.steps, 1)
            if any(one.direction is not Direction.RECEIVED for one in done.seen.line)
            and not isinstance(done.action, actions.Replay)
        ]

    def has_answered(self, step: int) -> bool:
        """Whether the meter has said anything in that step, from 1."""
        line = self.course.steps[step - 1].seen.line
        return any(one.direction is Direction.RECEIVED for one in line)

    # In words -------------------------------------------------------------------------------------

    def state(self, client: str) -> str:
        """What the client has come to, in words that do not change between runs."""
        if not client:
            return "the meter"
        if self.is_open(client):
            said = "associated"
        else:
            said = "pending" if client in self.pending else "not associated"
        parts = [said]
        if client in self.channels:
            parts.append("in a channel")
        if not self.agrees(client):
            parts.append("keys in doubt")
        if self.is_behind(client):
            parts.append("counter too low")
        elif (self._next(client) or 0) > TOO_FAR:
            parts.append("counter near its end")
        return f"{client}: {', '.join(parts)}"


def event(done: Done) -> str:
    """What was done and what came of it, in words that do not change between runs."""
    return f"{type(done.action).__name__}{twisted(done)}: {done.seen.outcome.value}"


def twisted(done: Done) -> str:
    """How the message was made wrong; empty if it was not."""
    twist: Twist = getattr(done.action, "twist", STRAIGHT)
    if twist == STRAIGHT:
        return ""
    parts = [
        name
        for name, is_so in (
            ("sealed otherwise", twist.seal is not None),
            ("computed otherwise", twist.mac is not None),
            ("signed otherwise", bool(twist.sign or twist.public)),
            ("changed on the line", bool(twist.octets)),
            ("request lost", twist.lose is Lost.REQUEST),
            ("response lost", twist.lose is Lost.RESPONSE),
            ("answer changed", bool(twist.answer)),
            ("answered otherwise", twist.meter_seal is not None or twist.meter_mac is not None),
            ("power fails", twist.cut is not None),
            ("module fails", bool(twist.fails)),
            ("challenge echoed", twist.echo),
        )
        if is_so
    ]
    return f" ({', '.join(parts)})"
