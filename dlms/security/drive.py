"""The simplest driver of a step: run each operation where you stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from dlms.security.ops import CryptoFailure, CryptoOp, Step

T = TypeVar("T")


def run(step: Step[T], execute: Callable[[CryptoOp], Any]) -> T:
    """Run ``step`` to its end, giving it the result of ``execute`` for each operation.

    A :class:`CryptoFailure` of ``execute`` is thrown into the step, which may handle it.
    """
    try:
        op = step.send(None)
        while True:
            try:
                result = execute(op)
            except CryptoFailure as failure:
                op = step.throw(failure)
            else:
                op = step.send(result)
    except StopIteration as stop:
        value: T = stop.value
        return value
