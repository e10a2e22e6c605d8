"""What a run came to, told to people and to programs: all from one JSON document.

:func:`to_json` makes the document of a run, :func:`write` any report of a document.
"""

from emulator.conformance.reports.as_json import to_json
from emulator.conformance.reports.document import Document
from emulator.conformance.reports.exit_code import exit_code
from emulator.conformance.reports.reading import NoRun, read
from emulator.conformance.reports.writing import Kind, write

__all__ = ["Document", "Kind", "NoRun", "exit_code", "read", "to_json", "write"]
