"""The texts of the register: names, models, versions."""

from __future__ import annotations

import unicodedata

from emulator.products.errors import ProductsError

MAX_LENGTH = 64
"""Characters. The longest of the later generation's fields has eight; names of companies have more,
and a table has to be read."""

_MARKS = frozenset(" .,+-_/()&'")


def text(value: str, what: str) -> str:
    """``value`` without space around it, in Unicode's composed form.

    Letters, digits and a few marks, first a letter or digit: so nothing that a spreadsheet takes
    for a formula, and nothing that is not to be seen. :class:`ProductsError` names ``what``.
    """
    found = unicodedata.normalize("NFC", value.strip())
    if not found:
        raise ProductsError(f"{what} is empty")
    if len(found) > MAX_LENGTH:
        raise ProductsError(f"{what} has more than {MAX_LENGTH} characters")
    if not found[0].isalnum():
        raise ProductsError(f"{what} {found!r} does not begin with a letter or a digit")
    for character in found:
        if not (character.isalnum() or character in _MARKS):
            raise ProductsError(f"{what} {found!r} has a {character!r}, which is not allowed")
    return found
