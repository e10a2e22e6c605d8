"""The one door to AALpy, which says what is missing where it is not installed."""

from __future__ import annotations

try:
    from aalpy.base import SUL
    from aalpy.learning_algs import run_KV
    from aalpy.oracles import WMethodEqOracle
except ImportError as error:
    raise ImportError(
        "machines are learned by AALpy, which is not here: install the extra, cosemlab[learn]"
    ) from error

__all__ = ["SUL", "WMethodEqOracle", "run_KV"]
