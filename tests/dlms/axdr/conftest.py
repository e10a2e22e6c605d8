"""What the tests of runs share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import pytest

from dlms.axdr import decoding, encoding
from dlms.errors import CodecError

NEVER = 1 << 62


@contextmanager
def one_by_one() -> Iterator[None]:
    """No run is worth it."""
    kept = decoding.WORTHWHILE, encoding.WORTHWHILE
    decoding.WORTHWHILE = encoding.WORTHWHILE = NEVER
    try:
        yield
    finally:
        decoding.WORTHWHILE, encoding.WORTHWHILE = kept


def outcome(work: Callable[[Any], Any], what: Any) -> str:
    """The result or the error, with its place, as text: so that NaN is NaN, and True is not 1."""
    try:
        return repr(work(what))
    except CodecError as error:
        return f"{error!r} {error.offset} {error.field}"


def agree(work: Callable[[Any], Any], what: Any) -> str:
    many = outcome(work, what)
    with one_by_one():
        assert outcome(work, what) == many
    return many


Agree: TypeAlias = Callable[[Callable[[Any], Any], Any], str]


@pytest.fixture(scope="session", name="agree")
def _agree() -> Agree:
    """Do it in both ways, see that nothing differs, and give the outcome as text."""
    return agree
