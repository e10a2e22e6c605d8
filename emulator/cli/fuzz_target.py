"""The target that options ask for: by now always a meter in this process."""

from __future__ import annotations

import argparse

from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Make

IN_PROCESS = "in process"
"""As findings name it."""


def target_of(args: argparse.Namespace) -> Make:
    """What makes it: a function of a module, or a value that can be pickled, as a search gives it
    to processes of its own.
    """
    return in_process


def target_name(args: argparse.Namespace) -> str:
    return IN_PROCESS
