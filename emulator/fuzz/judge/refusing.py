"""What is refused, forged or only asked for changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach
from emulator.fuzz.judge.forging import forged, forged_answer, forged_proof
from emulator.fuzz.target import Outcome

_ASKS = (
    actions.Open,
    actions.Challenge,
    actions.Authenticate,
    actions.Release,
    actions.Hang,
    actions.Get,
    actions.TakeKeys,
    actions.PutCounter,
    actions.CatchUp,
    actions.Storm,
    actions.Crowd,
    actions.Connect,
    actions.ChangeTls,
)
_AUTHENTICATED = 0x10
_TELLS = (actions.Replay, actions.Token)
"""Of several messages only the last tells; a token that is refused is noted in the gateway."""


def unchanged(case: Case) -> Iterator[Breach]:
    """I3: a refusal leaves what the meter remembers as it was; so does what only asks."""
    if case.before.digest == case.after.digest or case.site.hands_keys_over:
        return
    if case.seen.outcome is Outcome.REFUSED and not isinstance(case.action, _TELLS):
        yield breach("I3", "what was refused has changed the meter", case.what)
    elif case.seen.outcome is Outcome.STOPPED and not case.seen.line:
        yield breach("I3", "what was not sent has changed the meter", case.what)
    elif isinstance(case.action, _ASKS) and case.twist.cut is None:
        yield breach("I3", "what only asks has changed the meter", case.what)


def without_effect(case: Case) -> Iterator[Breach]:
    """R-PROT-2, R-IC-6, I3: what does not verify is refused, and moves nothing."""
    why = forged(case.action, case.site, case.before)
    if not why:
        return
    before, after = case.before, case.after
    if case.is_accepted:
        yield breach("R-PROT-2", "a message that does not verify is accepted", why)
    if before.floors != after.floors and before.keys == after.keys:
        yield breach("R-IC-6", "a message that does not verify moves a floor", why)
    if before.digest != after.digest and not case.site.hands_keys_over:
        yield breach("I3", "a message that does not verify changes the meter", why)
    if after.open - before.open:
        yield breach("I7", "a message that does not verify opens an association", why)


def unproven(case: Case) -> Iterator[Breach]:
    """R-HLS-5, R-HLS-6: who cannot compute f(StoC) does not get in."""
    if not isinstance(case.action, actions.Open | actions.Authenticate):
        return
    row = case.site.row(case.client)
    if row is None or row.config.mechanism.name != "HLS_GMAC":
        return
    why = forged_proof(case.twist)
    if why and (case.is_accepted or case.client in case.after.open - case.before.open):
        yield breach("R-HLS-6", "who cannot answer the challenge gets in", why)


def distrusted(case: Case) -> Iterator[Breach]:
    """R-PROT-2 and R-HLS-3 at the client: an answer that does not verify is not taken, nor the
    client's own challenge; no answer is weaker than asked for (R-PROT-5, KL-PR-19).
    """
    if not case.is_accepted or not case.site.is_guarded(case.client):
        return
    if isinstance(case.action, actions.Challenge) and case.twist.echo:
        yield breach("R-HLS-3", "the client takes its own challenge")
    meter = case.twist.meter_seal
    if meter is not None and meter.control is not None and not meter.control & _AUTHENTICATED:
        yield breach("R-PROT-5", "the client takes an answer that is not authenticated")
    why = forged_answer(case.twist)
    if why and not isinstance(case.action, actions.Send | actions.Replay | actions.Release):
        yield breach("R-PROT-2", "the client takes an answer that does not verify", why)


def hidden(case: Case) -> Iterator[Breach]:
    """R-PROT-5: an answer is protected at least as its request was."""
    action = case.action
    if not isinstance(action, actions.Send) or not case.is_accepted or action.bare:
        return
    if not case.site.is_guarded(case.client) or action.family == "BROADCAST":
        return
    _, _, said = case.seen.says.rpartition(" protected ")
    if len(said) == 2 and int(said, 16) & 0x30 != 0x30 and _policy(case) & 0x30 == 0x30:
        yield breach("R-PROT-5", "an answer is less protected than the policy asks", said)


def _policy(case: Case) -> int:
    row = case.site.row(case.client)
    return 0 if row is None else int(row.config.policy)
