"""The end of a run: everything is quiet, and both ends must come to agree (reference, section 4).

No message is lost any more, the power is on, time goes on. Each client does what a real head end
does then: it makes a new connection, asks for the counter, and opens its association with the keys
that it knows; if those fail it tries those that a lost answer has left in doubt.
"""

from __future__ import annotations

from dlms.errors import DlmsError
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.agreeing import disagreements
from emulator.fuzz.judge.judge import Judge
from emulator.fuzz.judge.told import told
from emulator.fuzz.target import Facts, Outcome, Seen, Target

NAME = AttributeDescriptor(15, bytes((0, 0, 40, 0, 0, 255)), 1)
"""Of the current association: whoever has one may read it."""
_PUBLIC = "public"
_ALWAYS = "I1"
"""What must not be in the end either; other look-outs are for the steps of a run."""
PATIENCE = 60.0
"""Seconds in which nobody says anything."""
_IN = Seen(outcome=Outcome.ACCEPTED, says="done")


class Ending:
    """Of one run; ``facts`` are what can be observed by now. What breaks is in ``breaches``."""

    def __init__(self, target: Target, judge: Judge, facts: Facts) -> None:
        self.facts = facts
        self.breaches: list[Breach] = []
        self._target = target
        self._judge = judge
        self._is_in: set[str] = set()
        """Associations that a client of the run has come back into."""

    def come(self) -> tuple[Breach, ...]:
        """Let it come to its end; what has broken in it."""
        # Of others' meters nobody knows which keys they have; who has done nothing owes nothing.
        if self.facts.keys and self._judge.history.actions:
            began = self.facts
            self._settle()
            self.breaches += [one for one in told(began, self.facts) if one.invariant == _ALWAYS]
        if not self.breaches:
            before = self.facts
            is_in = self._judge.setting.alive in self._is_in
            alive = _IN if is_in else self._target.alive()
            self.facts = self._target.look()
            self.breaches += self._judge.quiet(before, self.facts, alive)
        return tuple(self.breaches)

    def _settle(self) -> None:
        site = self._judge.site
        clients = [one for one in site.clients if site.is_ordinary(one)]
        clients = [one for one in clients if one not in self._judge.history.credentials]
        if not clients:
            return
        self._do(actions.Wait(seconds=PATIENCE))
        for client in clients:
            came = self._come_back(client)
            if came.outcome is Outcome.ACCEPTED:
                self._is_in.add(site.scope(client))
            self.breaches += disagreements(client, self.facts, site, self._judge.history, came)

    def _come_back(self, client: str) -> Seen:
        """What came of it."""
        seen = self._open(client)
        if seen.outcome is not Outcome.ACCEPTED and self._has_doubts(client):
            self._do(actions.TakeKeys(client=client, which="doubtful"))
            seen = self._open(client)
        if seen.outcome is Outcome.ACCEPTED and self._judge.site.says_names(client):
            seen = self._do(actions.Get(client=client, attribute=NAME))
        return seen

    def _open(self, client: str) -> Seen:
        self._do(actions.Hang(client=client))
        if _PUBLIC in self._judge.site.profile.associations:
            self._do(actions.Hang(client=_PUBLIC))  # by which the counter is asked for
            self._do(actions.CatchUp(client=client))
        return self._do(actions.Open(client=client))

    def _has_doubts(self, client: str) -> bool:
        return any(name.startswith(f"{client}/") for name in self.facts.client_doubts)

    def _do(self, action: Action) -> Seen:
        """These are no steps of the run: what they come to is judged, not each of them."""
        try:
            seen = self._target.do(action)
        except (ValueError, DlmsError) as error:
            seen = Seen(outcome=Outcome.STOPPED, says=str(error))
        self.facts = self._target.look()
        self._judge.history.know(self.facts)
        return seen
