"""Importing scapy without its warnings: of a machine that has only its loopback interface it says
that there is no route, and the ciphers that it knows are too old for :mod:`cryptography`.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("scapy", "scapy.loading", "scapy.runtime")


def _nothing(record: logging.LogRecord) -> bool:
    return False


@contextmanager
def quiet() -> Iterator[None]:
    """While this lasts scapy says nothing. Afterwards it speaks as before."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(_nothing)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger in loggers:
            logger.removeFilter(_nothing)
