"""Fair play for the peers: what they log or print costs them next to nothing."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator

import structlog


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """dlms-cosem logs every APDU through structlog, at no more than the level "info"; structlog's
    own filter makes of those calls functions that return at once. gurux prints two lines for every
    APDU it deciphers; they go nowhere.
    """
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        cache_logger_on_first_use=True,
    )
    with contextlib.redirect_stdout(_Nowhere()):
        yield
