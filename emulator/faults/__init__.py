"""Faults on live meters, as named data: set and cleared while clients talk to them."""

from emulator.faults.catalogue import Catalogue, Row, built_in, load_file
from emulator.faults.fault import Fault, Reach
from emulator.faults.kind import Kind, Parameter
from emulator.faults.kinds import KINDS
from emulator.faults.on_meter import MeterFaults

__all__ = [
    "KINDS",
    "Catalogue",
    "Fault",
    "Kind",
    "MeterFaults",
    "Parameter",
    "Reach",
    "Row",
    "built_in",
    "load_file",
]
