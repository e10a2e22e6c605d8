"""Where what is asked of a sandbox is done: here, or in the thread that the sandbox is in.

Meters belong to an event loop. In an asynchronous test that is the test's own, and whoever asks is
in it; in a synchronous one it is another thread's, and meanwhile that one waits for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class InLoop(Protocol):
    """Does something where the meters are, and gives what comes of it."""

    def __call__(self, what: Callable[[], T], /) -> T: ...


def here(what: Callable[[], T], /) -> T:
    """Whoever asks is in the loop of the meters."""
    return what()
