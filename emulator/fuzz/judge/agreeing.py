"""Both ends agree when all is quiet: on keys, and on counters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import breach
from emulator.fuzz.judge.history import History
from emulator.fuzz.judge.rightful import LAST
from emulator.fuzz.judge.site import Site
from emulator.fuzz.target import Facts, Outcome, Seen

_SHOWN = ("GUEK", "GAK")
"""Kinds that an association shows to be right. Of a master key the next change does."""
_ALL = ("GUEK", "GAK", "KEK")


def disagreements(
    client: str, facts: Facts, site: Site, history: History, came: Seen
) -> Iterator[Breach]:
    """What is wrong when ``client`` has tried all that it knows; ``came`` is what came of it."""
    scope = site.scope(client)
    if scope in history.unknown:
        return  # it had no answer that would have told it its new keys
    for kind in _ALL:
        known = history.known.get(f"{scope}/{kind}", set())
        theirs = facts.keys.get(f"{scope}/{kind}", "")
        if theirs and theirs not in known:
            said = f"{client}: {kind}"
            yield breach("I4", "when all is quiet the meter has a key that nobody knows", said)
            return
    if came.outcome is not Outcome.ACCEPTED:
        if _has_those(client, scope, facts) and _may_speak(client, scope, facts, site):
            said = f"{came.outcome.value} ({came.says}); {client} has the keys"
            yield breach("I6", "no legitimate client gets in", said)
        return
    if not _are_those(client, scope, facts, facts.client_keys):
        yield breach("I4", "a client is in, and has other keys than the meter", client)
    yield from _counted(client, scope, facts, site)


def _counted(client: str, scope: str, facts: Facts, site: Site) -> Iterator[Breach]:
    """R-IC-5: what the meter takes next is what its client sends next."""
    if site.kind(client).dedicated or not site.says_names(client):
        return
    floor, send = facts.floors.get(f"{scope}/GUEK"), facts.client_sends.get(f"{client}/GUEK")
    if floor is not None and send is not None and floor != send:
        said = f"{scope}: the meter takes {floor}, {client} sends {send}"
        yield breach("R-IC-5", "when all is quiet the ends count differently", said)


def _has_those(client: str, scope: str, facts: Facts) -> bool:
    """Whether the meter's keys are those the client goes by, or those that it had in doubt."""
    return _are_those(client, scope, facts, facts.client_keys) or (
        any(f"{client}/{kind}" in facts.client_doubts for kind in _SHOWN)
        and _are_those(client, scope, facts, facts.client_doubts)
    )


def _are_those(client: str, scope: str, facts: Facts, mine: Mapping[str, str]) -> bool:
    return all(
        mine.get(f"{client}/{kind}", "") == facts.keys.get(f"{scope}/{kind}") for kind in _SHOWN
    )


def _may_speak(client: str, scope: str, facts: Facts, site: Site) -> bool:
    """Whether there is a counter left for both, that the meter would take (R-IC-4, R-IC-11)."""
    name = f"{scope}/GUEK"
    floor, used = facts.floors.get(name, 0), facts.sends.get(name, 0)
    send = facts.client_sends.get(f"{client}/GUEK", 0)
    jump = site.knobs(scope).max_forward_jump
    is_far = jump is not None and send > floor + jump
    return max(floor, used, send) < LAST and not is_far
