"""Generators that wish for things, driven to their ends: dialogues, courses of dialogues.

What goes wrong while a wish is granted is thrown into the generator: it knows what for, and says so
and fails, or goes on otherwise.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

W = TypeVar("W")
T = TypeVar("T")


async def drive(wishing: Generator[W, Any, T], grant: Callable[[W], Awaitable[Any]]) -> T:
    """Give ``wishing`` what it asks for until it has its result."""
    given: Any = None
    resume: Callable[[Any], W] = wishing.send
    try:
        while True:
            wish = resume(given)
            try:
                given, resume = await grant(wish), wishing.send
            except Exception as error:
                given, resume = error, wishing.throw
    except StopIteration as stop:
        result: T = stop.value
        return result


def drive_blocking(wishing: Generator[W, Any, T], grant: Callable[[W], Any]) -> T:
    """The same without an event loop."""
    given: Any = None
    resume: Callable[[Any], W] = wishing.send
    try:
        while True:
            wish = resume(given)
            try:
                given, resume = grant(wish), wishing.send
            except Exception as error:
                given, resume = error, wishing.throw
    except StopIteration as stop:
        result: T = stop.value
        return result
