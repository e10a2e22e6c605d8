"""What a profile must not say of firmware."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.profile import ProfileError

SECOND = """
[objects."0-1:44.0.0.255"]
class = "Image transfer"
values.2 = { double-long-unsigned = 512 }
assumed = "one too many"
"""
BLOCKS = """
[objects."0-0:44.0.0.255"]
class = "Image transfer"
values.2 = {{ double-long-unsigned = {} }}
assumed = "for the test"
[habits]
image_max_size = {{ value = {}, assumed = "for the test" }}
"""


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (SECOND, "one Image transfer"),
        (BLOCKS.format(15, 100), "from 16 to 4096"),
        (BLOCKS.format(4097, 100), "from 16 to 4096"),
        (BLOCKS.format(16, 16 * 65536 + 1), "65536 blocks at the most"),
        ('[habits]\nimage_seal = { value = "wax", assumed = "x" }', "signature, gmac"),
        ('[habits]\nimage_verification = { value = -1, assumed = "x" }', "not in 0"),
    ],
)
def test_refused(make_bench: Callable[..., Any], extra: str, words: str) -> None:
    with pytest.raises(ProfileError, match=words):
        make_bench("secure", extra)


@pytest.mark.parametrize(("size", "most"), [(16, 16 * 65536), (4096, 100)])
def test_at_the_limits(make_bench: Callable[..., Any], size: int, most: int) -> None:
    meter = make_bench("secure", BLOCKS.format(size, most))
    assert meter.value("0-0:44.0.0.255", 2) == size
