"""Text of anybody as one line that does nothing where it is shown.

What a hostile device sends gets into reports. A control character moves the cursor of a terminal,
a bidirectional one turns the line around it, and XML 1.0 has no place for most of them.
"""

from __future__ import annotations

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of what is not seen, or not to be written: controls, formats, halves of surrogates,
private and unassigned ones, separators of lines."""


def printable(text: str) -> str:
    """``text`` with an escape as in Python in the place of each character that is not seen."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(one) for one in text)


def _seen(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
