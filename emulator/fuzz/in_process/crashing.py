"""An error that nobody expects, where the meter or its client should have had an answer."""

from __future__ import annotations

import traceback
from pathlib import Path

_ROOT = Path(__file__).parents[3]
"""Above our packages: what is not beneath it is somebody else's."""


class MeterFailed(Exception):
    """Its cause came out of the meter while it was asked; whatever that is, it is no answer."""


def crash(error: BaseException) -> str:
    """Its kind and the innermost of our functions, in words that do not change between runs. Its
    message is left out: it may hold anything.
    """
    if isinstance(error, MeterFailed) and error.__cause__ is not None:
        error = error.__cause__
    ours = [
        f"{Path(frame.filename).relative_to(_ROOT).as_posix()} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(_ROOT)
    ]
    return f"CRASH: {type(error).__name__} in {ours[-1] if ours else 'nowhere'}"
