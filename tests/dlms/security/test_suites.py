"""The table of security suites against the tables of the Green Book."""

from __future__ import annotations

import pytest

from dlms.security.ops import Curve, HashFunction
from dlms.security.suites import SUITES, Algorithm, AlgorithmIdForm


@pytest.mark.parametrize(
    ("number", "key_length", "wrapped_length", "curve", "cipher", "wrap", "compression"),
    [
        (0, 16, 24, None, "60857405080300", "60857405080302", False),
        (1, 16, 24, (32, HashFunction.SHA256), "60857405080300", "60857405080302", True),
        (2, 32, 40, (48, HashFunction.SHA384), "60857405080301", "60857405080303", True),
    ],
)
def test_suites(
    number: int,
    key_length: int,
    wrapped_length: int,
    curve: tuple[int, HashFunction] | None,
    cipher: str,
    wrap: str,
    compression: bool,
) -> None:
    """GB Ed. 8, Tables 29, 30 and 76."""
    suite = SUITES[number]
    assert (suite.key_length, suite.wrapped_length) == (key_length, wrapped_length)
    found = None if suite.curve is None else (suite.curve.value, suite.curve.hash_function)
    assert found == curve
    registered = AlgorithmIdForm.REGISTERED
    assert registered.encode(suite.cipher) == bytes.fromhex(cipher)
    assert registered.encode(suite.wrap) == bytes.fromhex(wrap)
    assert suite.compression is compression


def test_there_are_no_other_suites() -> None:
    """R-SC-5: 3 to 15 are reserved."""
    assert list(SUITES) == [0, 1, 2]


def test_the_early_print() -> None:
    """GB Ed. 8.0, Table 18, has 06 where the encoding of the object identifier has 05."""
    encoded = AlgorithmIdForm.EARLY_PRINT.encode(Algorithm.AES_WRAP_256)
    assert encoded == bytes.fromhex("60857406080303")


def test_lengths_of_the_curves() -> None:
    assert [(curve.name, curve.value) for curve in Curve] == [("P256", 32), ("P384", 48)]
