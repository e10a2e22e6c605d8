"""What many conversations with a TLS server do: call it, in one way or in several."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from emulator.conformance.conversing.tree import Sender
from emulator.conformance.probing.seen import Seen
from emulator.conformance.tls_peer.client import call
from emulator.conformance.tls_peer.hello import Change
from emulator.conformance.tls_peer.outcome import Outcome
from emulator.conformance.trying.trial import Trial


def calling(hello: Callable[[Trial], Change] | None = None, **options: Any) -> Sender:
    """One handshake; ``hello`` makes from the trial what changes the ClientHello."""

    async def send(trial: Trial) -> Seen:
        talk, outcome = await call(trial, hello=None if hello is None else hello(trial), **options)
        await talk.close()
        return outcome.seen()

    return send


async def each(
    trial: Trial,
    ways: Iterable[tuple[str, dict[str, Any]]],
    goes_on: Callable[[Outcome], bool],
) -> Seen:
    """A handshake for each way, as long as they go as they should: what came of the first that did
    not, else of the last.
    """
    seen, done = Seen.found(("nothing was tried",)), []
    for name, options in ways:
        trial.record.note(f"with {name}")
        talk, outcome = await call(trial, **options)
        await talk.close()
        done.append(name)
        seen = outcome.seen(notes=(f"tried: {', '.join(done)}",), tried=name)
        if not goes_on(outcome):
            break
    return seen


def is_refused(outcome: Outcome) -> bool:
    return outcome.is_refused


def has_session(outcome: Outcome) -> bool:
    return outcome.has_session
