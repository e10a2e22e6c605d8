"""What a meter computes with, and what stands in the way of it: nothing, as a rule.

The counterpart of :mod:`~emulator.serving.taps` for the meter's own cryptography: firmware that
forgets to look at a tag is a fault here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from dlms.security.ops import CryptoOp

Execute: TypeAlias = Callable[[CryptoOp], Any]
Detour: TypeAlias = Callable[[CryptoOp, Execute], Any]
"""Carries an operation out in another way; with what it is given it can do it rightly."""


class Workings:
    """The meter's Cryptographic Module, ``execute``, behind as many detours as there are."""

    __slots__ = ("_detours", "_execute", "_way")

    def __init__(self, execute: Execute) -> None:
        self._execute = self._way = execute
        self._detours: tuple[Detour, ...] = ()

    def execute(self, op: CryptoOp) -> Any:
        return self._way(op)

    def put(self, detour: Detour) -> None:
        """The last that is put is the first that an operation comes to."""
        self._lead((*self._detours, detour))

    def take(self, detour: Detour) -> None:
        """It is there no more, whether it was or not."""
        self._lead(tuple(one for one in self._detours if one is not detour))

    def _lead(self, detours: tuple[Detour, ...]) -> None:
        self._detours, self._way = detours, self._execute
        for detour in detours:
            self._way = _behind(detour, self._way)


def _behind(detour: Detour, execute: Execute) -> Execute:
    return lambda op: detour(op, execute)
