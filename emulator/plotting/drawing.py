"""Draws a series to PNG or SVG, with matplotlib (extra ``plot``)."""

from __future__ import annotations

from pathlib import Path

from emulator.plotting.series import Series

FORMATS = (".png", ".svg")
_MARKED = {
    "supply-interrupted": "tab:red",
    "supply-armed": "tab:green",
    "low-credit": "tab:orange",
    "emergency-credit-activated": "tab:purple",
    "long-supply-outage-restored": "black",
}
"""Events that are lines in the picture; the rest would only fill it."""


class NoPicture(ValueError):
    """It cannot be drawn: the text says why."""


def draw(series: Series, path: Path) -> None:
    """Write the picture. :class:`NoPicture` for another format, or without matplotlib."""
    if path.suffix not in FORMATS:
        raise NoPicture(f"{path}: a picture is {' or '.join(FORMATS)}")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise NoPicture("pictures need matplotlib: pip install 'cosemlab[plot]'") from None
    figure = Figure(figsize=(11, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.bar(
        [one.begin for one in series.used],
        [float(one.amount) for one in series.used],
        width=[one.end - one.begin for one in series.used],
        align="edge",
        color="tab:blue",
    )
    above.set_ylabel(f"{series.unit} per half-hour")
    above.set_title(series.meter)
    if series.credit:
        moments, pounds = zip(*series.credit, strict=True)
        below.step(moments, [float(one) for one in pounds], where="post", color="tab:green")
        below.axhline(0, color="grey", linewidth=0.5)
    below.set_ylabel("credit in pounds")
    for word, colour in _MARKED.items():
        for number, (moment, _) in enumerate(one for one in series.events if one[1] == word):
            label = word.replace("-", " ") if number == 0 else None
            below.axvline(moment, color=colour, linewidth=0.8, linestyle=":", label=label)
    if below.get_legend_handles_labels()[0]:
        below.legend(loc="best", fontsize="small")
    figure.autofmt_xdate()
    figure.savefig(path)
