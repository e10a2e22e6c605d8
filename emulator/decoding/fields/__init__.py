"""What octets mean, field by field, as far as it can be told without any key.

Nothing here refuses anything: what is shown is often malformed, even on purpose. Where the layout
breaks off, the rest is one field that says why.
"""

from emulator.decoding.fields.cutting import MOST, NOT_UNDERSTOOD, Field, Subject
from emulator.decoding.fields.whole import Cut, cut_apdu, cut_framed

__all__ = ["MOST", "NOT_UNDERSTOOD", "Cut", "Field", "Subject", "cut_apdu", "cut_framed"]
