"""A test that asks for what there is not."""

from __future__ import annotations

import pytest


def misused(text: str) -> BaseException:
    """What to raise: the text is all that is shown, without where in this package it came up."""
    return pytest.fail.Exception(text, pytrace=False)
