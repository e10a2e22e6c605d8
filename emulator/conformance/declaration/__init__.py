"""What the vendor of a device under test declares of it: the file, the key file, and routes."""

from emulator.conformance.declaration.loading import load, parse
from emulator.conformance.declaration.model import Declaration
from emulator.conformance.declaration.rendering import render

__all__ = ["Declaration", "load", "parse", "render"]
