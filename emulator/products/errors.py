"""What can be wrong with what the register is told or asked."""

from __future__ import annotations


class ProductsError(Exception):
    """What was given is not right; the text says what and where, in a line for each thing."""


class NotAllowed(ProductsError):
    """It is right in itself, and the register as it stands does not allow it."""
