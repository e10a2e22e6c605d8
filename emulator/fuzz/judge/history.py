"""The reference model: what a run has come to, as its steps tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from dlms.axdr.data import Data
from dlms.xdlms.descriptors import MethodDescriptor
from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.target import Facts, Outcome, Seen

_OPEN = (Outcome.SILENCE, Outcome.DISTRUSTED, Outcome.HUNG_UP)
"""Then nobody knows what has come of it."""
_TOLD_BY_THE_ANSWER = (actions.Agree, actions.Transfer)
"""Of agreed keys a client has nothing without the answer; who makes an array by hand keeps none
that is not confirmed, unless there was no answer at all.
"""


class Count(NamedTuple):
    """The highest counters that were seen under a key."""

    send: int
    floor: int


class History:
    """Of the steps before the one that is judged, from the beginning."""

    def __init__(self) -> None:
        self.actions: list[Action] = []
        self.counts: dict[tuple[str, str], Count] = {}
        """By ``association/KIND`` and fingerprint."""
        self.prints: set[str] = set()
        """Of all keys that the meter has had in force."""
        self.taken: dict[bytes, int] = {}
        """APDUs that the meter has accepted, and in which step."""
        self.tokens: set[tuple[int, int]] = set()
        """Accepted, by the version of their key and their counter."""
        self.credentials: dict[str, bool] = {}
        """Clients that have shown a certificate, and whether it is still trusted."""
        self.meter_is_revoked = False
        self.openings = 0
        self.first_sizes: dict[str, int] = {}
        self.used_handed: set[str] = set()
        """Fingerprints of authentication keys of one association that somebody got in with."""
        self._keys: Mapping[str, str] = {}
        self._floors: Mapping[str, int] = {}
        self._sends: Mapping[str, int] = {}
        self.is_meddled = False
        """Whether somebody has damaged the meter. Who takes a counter forward does no more than
        many messages would have done.
        """
        self.known: dict[str, set[str]] = {}
        """By ``association/KIND``, fingerprints of the keys that its clients have had, or may have
        had for all they knew.
        """
        self.unknown: set[str] = set()
        """Associations in which an answer was lost without which nobody knows the new keys."""
        self.removed: set[tuple[str, Data | None]] = set()
        """Certificates that are no more: the association, and what names them."""

    def begin(self, before: Facts, scope: Callable[[str], str]) -> None:
        """What there was before the first step."""
        self._scope = scope
        if not self.actions:
            self.know(before)
            self.first_sizes = dict(before.sizes)
            self._count(before)

    def learn(self, action: Action, seen: Seen, before: Facts, after: Facts) -> None:
        """What the step has added."""
        self.actions.append(action)
        self._count(after)
        self.know(after)
        if seen.outcome in _OPEN and isinstance(action, _TOLD_BY_THE_ANSWER):
            self.unknown.add(self._scope(action.client))
        match action:
            case actions.Damage():
                self.is_meddled = True
                self.counts.clear()
            case actions.Open() | actions.Challenge():
                self.openings += 1
                mine = before.client_keys.get(f"{action.client}/GAK", "")
                if seen.outcome is Outcome.ACCEPTED and mine not in before.keys.values():
                    self.used_handed.add(mine)
            case actions.Transfer(entries=entries) if any(one.key != "new" for one in entries):
                # A meter knows what is used up no more, for it is destroyed: whoever hands a key
                # over again has it again (devices.objects.security_setup.global_keys.former).
                self.used_handed.clear()
            case actions.Crowd(times=times) | actions.Storm(times=times):
                self.openings += times
            case actions.Token(key="current", counter=counter):
                if _gained(before, after):
                    self.tokens.add((after.versions.get(TOKEN_KEY, 0), counter))
            case actions.Act(client=client, method=method, parameter=parameter):
                if seen.outcome is Outcome.ACCEPTED and is_removal(method):
                    self.removed.add((client, parameter))
            case actions.Certify(client=client):
                # It may be any of them, and may come from whoever has the same Security setup.
                self.removed.clear()
            case actions.ChangeTls(what="new certificate"):
                self.meter_is_revoked = False
            case actions.ChangeTls(what="revoke meter"):
                self.meter_is_revoked = True
            case actions.ChangeTls(what="revoke client"):
                self.credentials = dict.fromkeys(self.credentials, False)
            case actions.Connect(client=client, days=days, garbage=b""):
                if days is not None or client not in self.credentials:
                    self.credentials[client] = days is None or days >= 0
            case _:
                pass
        if seen.outcome is Outcome.ACCEPTED and not isinstance(action, actions.Replay):
            for passed in seen.line:
                self.taken.setdefault(passed.octets, len(self.actions))

    def know(self, facts: Facts) -> None:
        """Which keys clients have by now, and which they may have."""
        for held in (facts.client_keys, facts.client_doubts):
            for name, key in held.items():
                client, _, kind = name.partition("/")
                self.known.setdefault(f"{self._scope(client)}/{kind}", set()).add(key)

    def _count(self, facts: Facts) -> None:
        is_known = facts.floors is self._floors and facts.sends is self._sends
        if facts.keys is not self._keys:
            self._keys = facts.keys
            self.prints.update(facts.keys.values())
        elif is_known:
            return
        self._floors, self._sends = facts.floors, facts.sends
        floors, counts = facts.floors, self.counts
        for name, send in facts.sends.items():
            key = name, facts.keys.get(name, "")
            known, floor = counts.get(key), floors[name]
            if known is None or send > known.send or floor > known.floor:
                was = known or Count(0, 0)
                counts[key] = Count(max(send, was.send), max(floor, was.floor))


_SECURITY_SETUP, _EXPORT, _REMOVE = 64, 7, 8


def is_export(method: MethodDescriptor) -> bool:
    """Whether it is export_certificate (GB Ed. 8, 9.2.5; class 64 version 1)."""
    return (method.class_id, method.method) == (_SECURITY_SETUP, _EXPORT)


def is_removal(method: MethodDescriptor) -> bool:
    return (method.class_id, method.method) == (_SECURITY_SETUP, _REMOVE)


TOKEN_KEY = "prepayment/TOKEN"
"""As in :attr:`~emulator.fuzz.target.Facts.versions`."""


def _gained(before: Facts, after: Facts) -> bool:
    return (after.balance or 0) > (before.balance or 0)
