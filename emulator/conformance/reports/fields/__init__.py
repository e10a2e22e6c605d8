"""What octets of a record mean, field by field, as far as it can be told without any key.

Nothing here refuses anything: what a record holds is often malformed on purpose. Where the layout
breaks off, the rest is one field that says why.
"""

from emulator.conformance.reports.fields.cutting import Field
from emulator.conformance.reports.fields.whole import fields_of

__all__ = ["Field", "fields_of"]
