"""Results for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from measure import COSEM, FLOOR, GURUX, OURS, PEERS, Result

_WHO = (OURS, GURUX, COSEM, FLOOR)
_AGAINST = (GURUX, COSEM, FLOOR)
_NAME = 38

HEADER = (
    f"{'operations per second':<{_NAME}}"
    + "".join(f"{who:>12}" for who in _WHO)
    + "   "
    + "".join(f"{'/' + who:>12}" for who in _AGAINST)
)

LEGEND = """\
Medians of interleaved rounds, one process for the meters and one for all clients, same machine.
/gurux, /dlms-cosem, /floor: our rate over theirs in the same round; above 1 we are faster.
*: promised, to be above 1 or what the row says (least=). -: has no such call, or no such errand.
Codec and ciphering are in processor time, the others in wall time. Peers' logging is off.
What a row compares is in the docstring of its file."""

_WHY = " (our event loop, their blocking socket)"


def line(result: Result) -> str:
    rates = "".join(_rate(result.rate(who)) for who in _WHO)
    ratios = "".join(_ratio(result.ratio(who), who in result.row.least) for who in _AGAINST)
    return f"{result.row.name:<{_NAME}}{rates}   {ratios}"


def verdict(results: Sequence[Result]) -> str:
    """Which rows are not won, which aims are not reached and which promises are not kept."""
    met = [result for result in results if any(result.rate(peer) for peer in PEERS)]
    lost = [result for result in met if result.lost_to]
    lines = [f"Faster than every peer in {len(met) - len(lost)} of {len(met)} rows that have one."]
    for result in lost:
        if not result.missed:
            peers = " and ".join(result.lost_to)
            why = _WHY if "asyncio" in result.row.name else ""
            lines.append(f"not won{why}: {result.row.name}, to {peers}")
    for result in results:
        lines += [
            f"short of the aim: {result.row.name}: {result.ratio(who):.2f} times {who},"
            f" {aim:g} aimed at"
            for who, aim in result.short_of.items()
        ]
        lines += [
            f"MISSED: {result.row.name}: {result.ratio(who):.2f} times {who}, {least:g} promised"
            for who, least in result.missed.items()
        ]
    return "\n".join(lines)


def as_json(results: Sequence[Result]) -> dict[str, Any]:
    """Rates are operations per second."""
    return {
        "rows": [
            {
                "group": result.row.group,
                "name": result.row.name,
                "least": result.row.least,
                "missed": result.missed,
                "aim": result.row.aim,
                "short_of": result.short_of,
                "rates": {who: result.rate(who) for who in result.row.contestants},
                "ratios": {who: result.ratio(who) for who in result.row.contestants if who != OURS},
                "rounds": result.rounds,
            }
            for result in results
        ]
    }


def _rate(rate: float | None) -> str:
    return f"{'-':>12}" if rate is None else f"{rate:>12,.0f}"


def _ratio(ratio: float | None, promised: bool) -> str:
    return f"{'-':>12}" if ratio is None else f"{ratio:>11.2f}{'*' if promised else ' '}"
