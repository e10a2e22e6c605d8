"""The one door to Hypothesis, which says what is missing where it is not installed."""

from __future__ import annotations

try:
    from hypothesis import strategies
    from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
except ImportError as error:
    raise ImportError(
        "runs are drawn by Hypothesis, which is not here: install the extra, cosemlab[fuzz]"
    ) from error

__all__ = ["RuleBasedStateMachine", "initialize", "rule", "strategies"]
