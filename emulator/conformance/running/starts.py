"""Brings the device into the state that a check starts from ([starts] in index.toml)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.probing.probe import Probe
from emulator.conformance.trying.trial import Trial


async def bring(trial: Trial) -> None:
    """``trial`` has its line and probe when this returns.

    :class:`Unjudged` if the device does not come into that state, ``OSError`` without connection.
    """
    start = STARTS.get(trial.check.start)
    if start is None:
        raise Unjudged(f"nothing here starts from {trial.check.start}")
    await start(trial)


async def _line(trial: Trial) -> None:
    """Octets and nothing else: HDLC frames, WPDUs."""
    trial.start_with(await trial.open(framed=False))


async def _idle(trial: Trial) -> None:
    probe = await trial.probe_of()
    trial.start_with(probe.line, probe)


async def _associated(trial: Trial) -> None:
    probe = await trial.associated()
    trial.start_with(probe.line, probe)


async def _ciphered(trial: Trial) -> None:
    row = trial.row(lambda row: row.context.ciphered, "with ciphering")
    probe = await trial.associated(row)
    trial.start_with(probe.line, probe)


async def _pending(trial: Trial) -> None:
    row = trial.row(lambda row: row.mechanism.is_hls, "with high level security")
    probe = await trial.probe_of(row)
    seen = await probe.associate()
    if not _awaits_pass_3(probe):
        raise Unjudged(f"no pass 3 is awaited: {seen}")
    trial.start_with(probe.line, probe)


def _awaits_pass_3(probe: Probe) -> bool:
    return bool(probe.accepted.challenge)


async def _nothing(trial: Trial) -> None:
    """The check itself makes what it needs: a hostile meter, a TLS peer."""


STARTS: Mapping[str, Callable[[Trial], Awaitable[None]]] = {
    "disconnected": _line,
    "connected": _line,
    "idle": _idle,
    "associated": _associated,
    "ciphered": _ciphered,
    "pending": _pending,
    "wrapper": _idle,
    "hostile-meter": _nothing,
    "tls-server": _nothing,
    "tls-client": _nothing,
}
"""``connected`` is an HDLC link, which the checks that start from it make frame by frame."""
