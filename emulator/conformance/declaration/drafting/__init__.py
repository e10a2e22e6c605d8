"""A draft of a declaration, from what a live meter says of itself.

Each value of it has a comment that says where it was read, or ``fill in:`` and why it could not be.
"""

from emulator.conformance.declaration.drafting.given import Given
from emulator.conformance.declaration.drafting.whole import Draft, draft

__all__ = ["Draft", "Given", "draft"]
