"""Keys: all of a change or none, with the version that counts them, and none that was there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from emulator.fuzz import actions
from emulator.fuzz.actions import Action, NewKey, Transfer
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.target import Outcome

_CHANGES = (actions.Rotate, actions.Agree, actions.Transfer)
_OPEN = (Outcome.SILENCE, Outcome.DISTRUSTED, Outcome.HUNG_UP)
"""Then the client does not know what has come of it."""
_KEK = 3
_GUESSED = {
    "zeros": "one of nothing but zeros",
    "title": "one made of the meter's system title",
}
KINDS = ("GUEK", "GBEK", "GAK", "KEK")
"""By key_id (GB Ed. 8, 9.2.5.4)."""


def together(case: Case) -> Iterator[Breach]:
    """R-KEY-2, R-KEY-4, I4: what a change of keys replaces is all that it names or nothing; what is
    none replaces no key.
    """
    if case.is_meddled or isinstance(case.action, actions.Send) or not case.after.keys:
        return
    if is_same(case) and not isinstance(case.action, _CHANGES):
        return
    changed = {
        name
        for name in case.after.keys
        if case.before.keys.get(name) != case.after.keys[name]
        or case.before.versions.get(name, 0) != case.after.versions.get(name, 0)
    }
    whole = wanted(case, case.action)
    if changed and changed != whole:
        if changed < whole:
            yield breach("R-KEY-2", "a part of the keys is replaced", ", ".join(sorted(changed)))
        else:
            said = f"{case.what}: {', '.join(sorted(changed))}"
            yield breach("I4", "keys are replaced by what does not name them", said)
    if whole and changed != whole and case.is_accepted and not _is_replay(case):
        yield breach("R-KEY-1", "the meter says that keys are replaced, and they are not")
    if changed and case.seen.outcome is Outcome.REFUSED:
        yield breach("R-KEY-1", "the meter refuses new keys and takes them", case.seen.says)


def counted(case: Case) -> Iterator[Breach]:
    """I4: a key and its version change together."""
    if case.is_meddled or is_same(case):
        return
    for name, key in case.after.keys.items():
        is_other = key != case.before.keys.get(name, key)
        was, now = case.before.versions.get(name, 0), case.after.versions.get(name, 0)
        if is_other != (was != now):
            yield breach("I4", "a key and its version do not change together", name)
        if now < was:
            yield breach("I4", "a key of before is in force again", name)


def is_same(case: Case) -> bool:
    """Whether no key was replaced."""
    before, after = case.before, case.after
    return before.keys == after.keys and before.versions == after.versions


def wrapped_right(case: Case) -> Iterator[Breach]:
    """R-KEY-1, R-KEY-2: an array with an entry that is not right is refused."""
    action = case.action
    if isinstance(action, Transfer) and case.is_accepted:
        why = wrong_array(action, case)
        if why:
            yield breach("R-KEY-1", f"new keys are taken: {why}")


def recoverable(case: Case) -> Iterator[Breach]:
    """R-HLS-8, R-KEY-2, GXF #732: when the answer to a change does not come, the meter has
    the keys of before or those that the client has in doubt, and no others.
    """
    action, before, after = case.action, case.before, case.after
    # Of agreed keys a client has nothing without the answer.
    if not isinstance(action, actions.Rotate) or case.seen.outcome not in _OPEN:
        return
    row = case.site.row(action.client)
    if row is None or row.single_key:
        return  # what lives for one association is not among the keys that can be seen
    client, scope = action.client, case.site.scope(action.client)
    if not after.client_doubts or not _are_those(client, scope, before.keys, before.client_keys):
        return
    if _are_those(client, scope, after.keys, after.client_keys):
        return
    if _are_those(client, scope, after.keys, after.client_doubts):
        return
    yield breach("I4", "the meter has neither the keys of before nor those in doubt")


def _are_those(client: str, scope: str, theirs: Mapping[str, str], mine: Mapping[str, str]) -> bool:
    """Whether the meter's keys are those of the client."""
    names = [kind for kind in KINDS if f"{client}/{kind}" in mine]
    return all(mine[f"{client}/{one}"] == theirs.get(f"{scope}/{one}") for one in names)


def new(case: Case) -> Iterator[Breach]:
    """I1, KL-KT-15, 16: a new key is one that was never in force, here or for anything else."""
    if case.before.keys == case.after.keys or case.is_meddled:
        return
    for name, key in case.after.keys.items():
        if key != case.before.keys.get(name) and key in case.history.prints:
            yield breach("I1", "a key that was in force is put in force again", name)


def separate(case: Case) -> Iterator[Breach]:
    """I1, 9.2.3.4.1: no key is in force for two things, for one vector could then come twice."""
    if case.before.keys == case.after.keys:
        return
    for name, key in case.after.keys.items():
        others = [one for one, other in case.after.keys.items() if other == key and one != name]
        if key and others and key != case.before.keys.get(name):
            yield breach("I1", "one key is in force for two things", f"{name}, {others[0]}")


def wanted(case: Case, action: Action) -> set[str]:
    """The keys that an action replaces if it succeeds."""
    match action:
        case actions.Rotate(client=client, kinds=kinds) | actions.Agree(client=client, kinds=kinds):
            names = set(kinds)
        case Transfer(client=client, entries=entries):
            if wrong_array(action, case):
                return set()
            names = {KINDS[entry.key_id] for entry in entries if entry.key_id < len(KINDS)}
        case actions.Replay(step=step) if 0 < step <= len(case.history.actions):
            return wanted(case, case.history.actions[step - 1])
        case _:
            return set()
    scope = case.site.scope(client)
    row = case.site.row(client)
    if row is not None and row.single_key and "KEK" not in names:
        names.discard("GAK")  # lives for one association, and is none of those that are counted
    return {f"{scope}/{name}" for name in names}


def _is_replay(case: Case) -> bool:
    return isinstance(case.action, actions.Replay)


def wrong_array(action: Transfer, case: Case) -> str:
    """Why an array of new keys cannot be taken; empty if it may be."""
    ids = [entry.key_id for entry in action.entries]
    if len(set(ids)) < len(ids) or action.times > 1 or not ids:
        return "an array that is empty, or has one key twice"
    for entry in action.entries:
        why = _wrong_entry(entry, case, action.client)
        if why:
            return why
    return ""


def _wrong_entry(entry: NewKey, case: Case, client: str) -> str:
    row = case.site.row(client)
    length = 32 if row is not None and row.config.suite == 2 else 16
    if entry.edits:
        return "one that was changed after it was wrapped"
    if entry.length not in (None, length):
        return "one of another length"
    if entry.key_id >= len(KINDS):
        return "" if entry.key_id == 128 else "one that there is not"
    if _is_under_another(entry, case, client):
        return "one under another key than the master key in force"
    return _GUESSED.get(entry.key, "")


def _is_under_another(entry: NewKey, case: Case, client: str) -> bool:
    if entry.under == "new KEK":
        action = case.action
        return isinstance(action, Transfer) and any(one.key_id == _KEK for one in action.entries)
    if entry.under == "former KEK":
        return case.before.agree.get(client, False)
    return entry.under != "KEK"
