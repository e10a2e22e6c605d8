"""Text of anybody as one line that does nothing where it is shown.

What a hostile device sends gets into reports. A control character moves the cursor of a terminal,
a bidirectional one turns the line around it, and XML 1.0 has no place for most of them.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """``text`` with an escape as in Python in the place of each character that is not seen, or not
    to be written: controls, halves of surrogates, private and unassigned ones, spaces but for the
    plain one.
    """
    return text if text.isprintable() else "".join(_seen(one) for one in text)


def _seen(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
